// What is asked for when a conference begins, and two that were begun at once.
#include <algorithm>
#include <utility>

#include "node/conferences.h"

namespace linnet::node {
namespace {

constexpr Duration kAtOnce = std::chrono::seconds(10);

// Whom a word means: a contact by its key, anybody else by the address.
std::string meant(const Rooms& rooms, const std::string& who) {
  const auto* contact = rooms.contacts.find(who);
  if (contact != nullptr) return contact->key_name.text();
  const auto address = crypto::Address::parse(who);
  return address ? address->text() : who;
}

std::string not_callable(const Rooms& rooms, const std::vector<std::string>& people) {
  if (people.size() > Conferences::kMostCalled)
    return "At most " + std::to_string(Conferences::kMostCalled) +
           " people are called at once. Invite the others later.";
  std::set<std::string> called;
  for (const auto& who : people) {
    const auto key = meant(rooms, who);
    if (key == rooms.identity.address.text() || key == rooms.identity.key_name().text())
      return who + " is your own address.";
    if (!called.insert(key).second) return who + " is named twice.";
  }
  return {};
}

}  // namespace

std::string Conferences::why_not(const Rooms& rooms, const command::Confer& what) const {
  if (what.name.size() > conference::kMaxName)
    return "A conference's name has at most " + std::to_string(conference::kMaxName) + " octets.";
  if (!conference::is_name(what.name))
    return "A conference's name is made of what can be seen, and neither begins nor ends with a space.";
  const bool taken = std::any_of(conferences_.begin(), conferences_.end(), [&](const auto& entry) {
    return !what.name.empty() && entry.second.room.roster().head.name == what.name;
  });
  if (taken) return "You are in a conference " + what.name + " already. See: linnet conf ls";
  if (what.who.empty()) return "Nobody is named to be called.";
  return not_callable(rooms, what.who);
}

std::string Conferences::why_not_at(const Rooms& rooms, const command::Confer& what) const {
  const auto address = crypto::Address::parse(what.at);
  if (!address) return "\"" + what.at + "\" is no address. A room has one like room@office.";
  if (!what.name.empty()) return "A room with an address is called by that: no other name.";
  if (address->is_key_name() && rooms.book.find(*address) == nullptr)
    return "A room's key name follows from its address: give that.";
  if (!address->is_key_name() && address->text().size() > RoomBook::kLongest)
    return "The address of a room has at most " + std::to_string(RoomBook::kLongest) + " octets.";
  const auto* room = rooms.book.find(*address);
  if (room != nullptr)
    return is_in(room->account()) ? "You are in it already. See: linnet conf ls" : not_callable(rooms, what.who);
  if (*address == rooms.identity.address) return what.at + " is your own address.";
  const auto* contact = rooms.contacts.find(*address);
  const crypto::AccountKey own{crypto::room_account(rooms.suite, rooms.identity.account, *address).public_key};
  if (contact != nullptr && contact->key != crypto::key_hash(own)) return what.at + " is the address of somebody else.";
  if (rooms.book.full()) return "This node keeps as many rooms as it can.";
  return not_callable(rooms, what.who);
}

bool Conferences::is_in(const crypto::AccountKey& room) const {
  const auto number = room_number(room);
  return std::any_of(conferences_.begin(), conferences_.end(),
                     [&](const auto& entry) { return entry.second.room.id() == number; });
}

const Conferences::Conference* Conferences::crossed(const ConferenceLeg& leg, const crypto::Address& from) const {
  if (leg.kind != ConferenceLeg::Kind::invite || leg.name.empty()) return nullptr;
  for (const auto& entry : conferences_) {
    const auto& conference = entry.second;
    const auto& roster = conference.room.roster();
    const bool begun_here = roster.head.founder == conference.room.self() && roster.head.name == leg.name;
    if (begun_here && conference.invited.contains(from)) return &conference;
  }
  return nullptr;
}

bool Conferences::nobody_came(const Conference& conference) {
  return conference.room.roster().members.size() == 1 && conference.ours.empty() && conference.theirs.empty();
}

std::optional<Conferences::Crossing> Conferences::crosses(Time now, const ConferenceLeg& leg,
                                                          const crypto::Address& from) const {
  const auto* conference = crossed(leg, from);
  if (conference == nullptr) return std::nullopt;
  const bool again = conference->turned_away == leg.room;
  if (nobody_came(*conference))
    return again || leg.room < conference->room.id() ? Crossing::theirs_stays : Crossing::ours_stays;
  const bool at_once = now < conference->began + kAtOnce;
  return at_once && !again && conference->called_again != from ? std::optional(Crossing::ours_stays) : std::nullopt;
}

void Conferences::turn_away(Host host, Time now, const ConferenceLeg& leg, const crypto::Address& from) {
  const auto* crossing = crossed(leg, from);
  auto* conference = crossing == nullptr ? nullptr : find(crossing->id);
  if (conference == nullptr) return;
  if (nobody_came(*conference)) {
    conference->turned_away = leg.room;
  } else if (leg.room < conference->room.id()) {
    conference->called_again = from;
    std::string why;
    conference->calls_again = invite(host, now, conference->id, from.text(), why) == Outcome::busy;
  }
}

void Conferences::give_way(Host host, Time now, const ConferenceLeg& leg, const crypto::DeviceKey& from,
                           const crypto::Address& address) {
  const auto* crossing = crossed(leg, address);
  auto* conference = crossing == nullptr ? nullptr : find(crossing->id);
  if (conference == nullptr) return;
  const auto called = std::exchange(conference->inviting, {});
  const auto waiting = std::exchange(conference->to_invite, {});
  conference->to_connect.clear();
  for (const auto& entry : called) {
    const auto call = host.calls.find(entry.first);
    if (call != host.calls.end()) (void)call->second.handle(host.rooms, now, input::Hangup{});
  }
  const bool muted = conference->sound.muted();
  conference->room = conference::Room::join(self_of(host.rooms), now, leg.room, from, claim());
  conference->sound = sound_for(host.rooms, leg.room);
  conference->sound.set_muted(muted);
  for (const auto& entry : called) {
    std::string why;
    if (entry.second != address) (void)invite(host, now, conference->id, entry.second.text(), why);
  }
  for (const auto& one : waiting)
    if (one != address) conference->to_invite.push_back(one);
  host.rooms.out.changed(conference->id);
}

}  // namespace linnet::node
