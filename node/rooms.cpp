#include "node/rooms.h"

#include <algorithm>

namespace linnet::node {
namespace {

constexpr Duration kBetweenAsks = std::chrono::seconds(1);

path_message::Network own_network(const Rooms& rooms) {
  path_message::Network out;
  out.type = rooms.nat.type();
  const auto& last = rooms.nat.last();
  const auto& report = last && last->v4 ? last->v4 : last ? last->v6 : std::optional<nat::ProbeReport>();
  if (!report) return out;
  out.mapping = report->mapping;
  out.filtering = report->filtering;
  return out;
}

void tell(Rooms& rooms, Time now, Link& link) {
  const auto own = own_network(rooms);
  if (!link.shared || own == link.told || own.type == NatType::unknown) return;
  if (rooms.peer.send(now, link.id, overlay::Channel::people, path_message::write(own))) link.told = own;
}

void answer(Rooms& rooms, Time now, Link& link) {
  if (!link.shared || now < link.asked + kBetweenAsks) return;
  link.asked = now;
  const path_message::Paths out{own_network(rooms), tried_from_here(rooms, link.id)};
  (void)rooms.peer.send(now, link.id, overlay::Channel::people, path_message::write(out));
}

void use_room(Rooms& rooms, Time now, const Link& link) {
  const auto room = link.room.room();
  rooms.peer.set_room(now, link.id, room);
  rooms.traversal.set_scant(now, link.id, room == overlay::Room::scant);
}

}  // namespace

void share_endpoints(Rooms& rooms, Time now, overlay::SessionId id) {
  auto* link = rooms.links.find(id);
  if (link == nullptr) return;
  rooms.traversal.show({now, rooms.rng, rooms.peer, rooms.config.peer.listen}, id);
  link->shared = true;
  tell(rooms, now, *link);
}

std::vector<path_message::Tried> tried_from_here(const Rooms& rooms, overlay::SessionId link) {
  std::vector<path_message::Tried> out;
  const auto view = rooms.traversal.view(link);
  if (!view) return out;
  for (const auto& candidate : view->remote) {
    if (candidate.circuit != 0) continue;
    const bool answered = std::any_of(view->pairs.begin(), view->pairs.end(), [&](const PathView::Pair& p) {
      return p.state == nat::ice::State::succeeded && p.remote.circuit == 0 &&
             nat::ice::same_address(p.remote.endpoint, candidate.endpoint);
    });
    out.push_back({candidate.endpoint, answered});
  }
  return out;
}

// What nat/probe found is finer than what the sessions show (node/traversal), where both ends have it.
std::string why_relayed(const Rooms& rooms, overlay::SessionId id) {
  const auto* link = rooms.links.find(id);
  const auto ours = rooms.nat.type();
  const auto theirs = link != nullptr && link->network ? link->network->type : NatType::unknown;
  if (!punches(ours, theirs).value_or(true)) {
    auto why = relayed_because(ours, theirs);
    if (!why.empty()) return why;
  }
  return rooms.traversal.why_relayed(id);
}

overlay::Room note_room(Rooms& rooms, Time now, overlay::SessionId id, sip::CallId call, std::optional<int> ceiling,
                        double lateness_ms) {
  auto* link = rooms.links.find(id);
  if (link == nullptr) return overlay::Room::both;
  const auto before = link->room.room();
  link->room.note(call, ceiling, lateness_ms);
  if (link->room.room() != before) use_room(rooms, now, *link);
  return link->room.room();
}

void forget_room(Rooms& rooms, Time now, overlay::SessionId id, sip::CallId call) {
  auto* link = rooms.links.find(id);
  if (link == nullptr) return;
  link->room.forget(call);
  use_room(rooms, now, *link);
}

void tell_network(Rooms& rooms, Time now) {
  for (auto& entry : rooms.links.all()) tell(rooms, now, entry.second);
}

bool hear_network(Rooms& rooms, Time now, const overlay::LinkMessage& message) {
  const auto read = path_message::read(message.bytes);
  auto* link = rooms.links.find(message.link);
  if (!read || link == nullptr) return false;
  if (const auto* network = std::get_if<path_message::Network>(&*read)) {
    link->network = *network;
  } else if (const auto* paths = std::get_if<path_message::Paths>(&*read)) {
    link->network = paths->network;
    link->tried = paths->tried;
  } else {
    // Who became a contact after the link stood asks by it, and is told as who was one before.
    const auto& remote = link->remote;
    const bool contact = rooms.contacts.knows(remote.account) &&
                         rooms.contacts.judge(remote.address, remote.account) == Standing::contact;
    if (contact && !link->shared) share_endpoints(rooms, now, link->id);
    answer(rooms, now, *link);
  }
  return true;
}

void save_people(Rooms& rooms) {
  auto changes = rooms.contacts.take_changes();
  for (auto& change : rooms.book.take_changes()) changes.push_back(std::move(change));
  if (!changes.empty()) rooms.out.push(event::SavePeople{std::move(changes)});
}

}  // namespace linnet::node
