// Conferences under the address of a room (docs/decisions/041): begun when nobody is in it, published while somebody
// is, and the other half sought where two were begun at once.
#include <algorithm>
#include <array>
#include <utility>

#include "node/conferences.h"

namespace linnet::node {
namespace {

// After a conference began at an address, when it is looked for another there; then every kOthersLater.
constexpr std::array<Duration, 3> kLooks{std::chrono::seconds(2), std::chrono::seconds(8), std::chrono::seconds(30)};

// Later than that of any conference here before, whatever became of it.
std::uint64_t first_term(Wall wall) { return static_cast<std::uint64_t>(std::max<std::int64_t>(1, seconds(wall))); }

crypto::Address key_name_of(const StoredRoom& room) {
  return crypto::Address::key_name(room.address.user(), room.account());
}

}  // namespace

void Conferences::begin_at(Host host, Time now, const Facts& call) {
  auto& book = host.rooms.book;
  const auto& asked = *call.room;
  const auto* room = asked.found ? book.found(host.rooms.suite, host.rooms.identity, asked.address, host.rooms.wall)
                                 : book.find(asked.address);
  book.note_epoch(host.rooms.suite, host.rooms.identity, asked.address, asked.epoch, host.rooms.wall);
  save_people(host.rooms);
  if (room == nullptr || full() || find(room_number(room->account())) != nullptr) {
    CallSummary row;
    row.id = call.id;
    row.direction = Direction::outgoing;
    row.peer = call.peer;
    row.started = call.started;
    row.result = CallResult::failed;
    row.text = "The conference of " + asked.address.text() + " cannot be begun here now.";
    host.rooms.out.ended(call.id);
    host.rooms.out.push(event::CallEnded{std::move(row)});
    return;
  }
  const auto number = room_number(room->account());
  auto& conference = add(host, now, call.id,
                         conference::Room::found(self_of(host.rooms), now, room->address.text(), claim(true), number,
                                                 first_term(host.rooms.wall)));
  conference.keeps = true;
  conference.with = call.peer;
  conference.started = call.started;
  if (call.limit) conference.until = now + *call.limit;
  for (const auto& who : asked.invites) {
    std::string why;
    (void)invite(host, now, call.id, who, why);
    if (!why.empty()) host.rooms.out.push(event::ConferenceSaid{call.id, why});
  }
  tend_address(host, now, conference);
}

bool Conferences::is_keeper(const Rooms& rooms, const ConferenceLeg& leg, const crypto::DeviceKey& from) {
  const auto* room = leg.proof ? rooms.book.find(leg.room) : nullptr;
  if (room == nullptr) return false;
  const auto certificate = certificate_of(*leg.proof, room->account(), from);
  const bool keeps =
      certificate.epoch >= room->certificate.epoch && crypto::verify(rooms.suite, certificate, rooms.wall).has_value();
  if (keeps) rooms.book.note_epoch(rooms.suite, rooms.identity, room->address, certificate.epoch, rooms.wall);
  return keeps;
}

// Which two of us say at the address that they are here follows from the roster.
void Conferences::tend_address(Host host, Time now, Conference& conference) {
  conference.address_at = now + kLookAtAddress;
  const auto* room = host.rooms.book.find(conference.room.id());
  if (room == nullptr && !conference.keeps && !conference.published) {
    conference.address_at = conference.others_at = kNever;  // until a certificate comes
    return;
  }
  const bool keeps = room != nullptr && crypto::check_time(room->certificate, host.rooms.wall).has_value();
  if (keeps != conference.keeps) {
    conference.keeps = keeps;
    conference.room.set_claim(now, claim(keeps));
  }
  const bool ours = keeps && conference.leave_at == kNever && publishes(now, conference);
  publish(host, now, conference, ours ? room : nullptr);
  if (room == nullptr || conference.leave_at != kNever) return (void)(conference.others_at = kNever);
  certify_members(host, now, conference, *room);
  if (now >= conference.others_at) look_for_others(host, now, conference, *room);
}

// Anybody may claim to keep the room, and nobody's record may come to stand: the next in line look whether somebody is
// found there, each the more seldom the later its turn is, and step in.
bool Conferences::publishes(Time now, Conference& conference) const {
  const auto line = conference::publishers(conference.room.roster(), conference::kMaxMembers);
  const auto own = std::find(line.begin(), line.end(), conference.room.self());
  if (own == line.end()) return false;
  const auto place = static_cast<std::size_t>(own - line.begin());
  if (place < conference::kPublishers) {
    conference.steps_in = false;
    conference.others_later = kOthersLater;
  } else if (!conference.steps_in && conference.others_at == kNever) {
    conference.looks = static_cast<unsigned>(kLooks.size());
    conference.others_later = kOthersLater * static_cast<int>(place - conference::kPublishers + 1);
    conference.others_at = now + conference.others_later;
  }
  return place < conference::kPublishers || conference.steps_in;
}

// Null: not any more.
void Conferences::publish(Host host, Time now, Conference& conference, const StoredRoom* room) {
  if (room == nullptr && !conference.published) return;
  if (room != nullptr && conference.published == overlay::AlsoKnown{room->certificate}) return;
  if (room != nullptr) conference.published_as = {room->address, key_name_of(*room)};
  for (const auto& name : conference.published_as) {
    if (room != nullptr) {
      host.rooms.peer.publish_also(now, name, {room->certificate});
    } else {
      host.rooms.peer.withdraw(now, name);
    }
  }
  if (room == nullptr) {
    conference.published.reset();
    conference.others_at = kNever;
  } else {
    if (!conference.published) conference.looks = 0;
    if (!conference.published) conference.others_at = now + kLooks.front();
    conference.published = overlay::AlsoKnown{room->certificate};
  }
}

// Until they say themselves that they keep the room.
void Conferences::certify_members(Host host, Time now, Conference& conference, const StoredRoom& room) {
  if (!room.founded) return;
  for (const auto& [device, member] : conference.room.roster().members) {
    if (member.thin || member.claim.claim.keeps || device == conference.room.self()) continue;
    const auto told = certified_.find(device);
    if (told != certified_.end() && now < told->second + kCertifyAgain) {
      conference.address_at = std::min(conference.address_at, told->second + kCertifyAgain);
      continue;
    }
    const auto* link = host.rooms.links.to(peer_id(device));
    if (link == nullptr || !tell_certificate(host, now, *link, room)) continue;
    conference.address_at = std::min(conference.address_at, now + kCertifyAgain);
  }
}

bool Conferences::tell_certificate(Host host, Time now, const Link& link, const StoredRoom& room) {
  const auto& remote = link.remote;
  const auto certificate = host.rooms.book.certify(host.rooms.suite, host.rooms.identity, room, remote.account,
                                                   remote.device, host.rooms.wall);
  if (!certificate) return false;
  if (certified_.size() >= RoomBook::kMostKeepers) certified_.clear();
  certified_.insert_or_assign(remote.device, now);
  const conference::Certified words{room_number(room.account()), room.address, *certificate};
  (void)host.rooms.peer.send(now, link.id, overlay::Channel::conference, conference::write(words));
  return true;
}

void Conferences::certify(Host host, Time now, const Link& link) {
  for (const auto& entry : host.rooms.book.all())
    if (entry.second.founded) (void)tell_certificate(host, now, link, entry.second);
}

void Conferences::keeper_dismissed(Host host, Time now, const StoredRoom& room) {
  for (const auto& entry : host.rooms.links.all()) (void)tell_certificate(host, now, entry.second, room);
  if (auto* conference = find(room_number(room.account()))) conference->address_at = now;
}

void Conferences::address_forgotten(Time now, const conference::RoomId& room) {
  auto* conference = find(room);
  if (conference == nullptr) return;
  conference->forgotten = true;
  conference->address_at = now;
}

// By a member of a conference of that room, called so, that a person here came in to.
bool Conferences::is_invited(const crypto::DeviceKey& from, const conference::Certified& what) {
  const auto* conference = find(what.room);
  return conference != nullptr && !conference->forgotten && conference->room.roster().has(from) &&
         conference->room.roster().head.name == what.address.text();
}

// Anybody can begin a conference that is called like somebody else: a name is believed while nobody else claims it.
void Conferences::ask_for_name(Host host, Time now, const crypto::DeviceKey& from, const conference::Certified& what) {
  auto* conference = find(what.room);
  auto& rooms = host.rooms;
  if (conference == nullptr || now < conference->name_at || rooms.askers.full<asker::NewRoom>()) return;
  if (!crypto::verify(rooms.suite, what.certificate, rooms.wall)) return;
  conference->name_at = now + kNameAgain;
  if (const auto id = rooms.peer.find(now, what.address, std::nullopt, true))
    rooms.askers.put(*id, asker::NewRoom{from, what});
}

void Conferences::on_found(Host host, Time now, const asker::NewRoom& asked, const overlay::Found& found) {
  auto& rooms = host.rooms;
  const auto& what = asked.what;
  auto* conference = find(what.room);
  if (conference == nullptr || !found.status) return;
  const bool contested = std::any_of(found.devices.begin(), found.devices.end(), [&](const auto& device) {
    return device.record.account() != what.certificate.account;
  });
  if (contested) {
    conference->name_at = kNever;  // once is enough
    return rooms.out.push(event::ConferenceSaid{
        conference->id, what.address.text() + " is the address of somebody else too: this device does not keep it."});
  }
  if (!rooms.book.accept(rooms.suite, rooms.identity, what.address, what.certificate, is_invited(asked.from, what),
                         rooms.wall))
    return;
  save_people(rooms);
  rooms.out.status_changed();
  conference->address_at = now;
}

// At first only by a member of a conference of that room, called so, that a person here came in to.
void Conferences::take_certificate(Host host, Time now, const crypto::DeviceKey& from,
                                   const conference::Certified& what) {
  const auto& certificate = what.certificate;
  auto& rooms = host.rooms;
  const auto pinned = rooms.contacts.pin(what.address);
  const bool others = (pinned && *pinned != crypto::key_hash(certificate.account)) ||
                      what.address == rooms.identity.address || what.room != room_number(certificate.account);
  if (others) return;
  auto* conference = find(what.room);
  const bool invited = is_invited(from, what);
  auto* link = rooms.links.to(peer_id(from));
  if (link == nullptr || link->forges || !rooms.book.wants(rooms.identity, what.address, certificate, invited)) return;
  if (now >= certificates_since_ + std::chrono::seconds(1)) {
    certificates_since_ = now;
    certificates_ = 0;
  }
  if (++certificates_ > kMostCertificates) return;
  if (rooms.book.find(what.address) == nullptr) return ask_for_name(host, now, from, what);
  const auto taken = rooms.book.accept(rooms.suite, rooms.identity, what.address, certificate, invited, rooms.wall);
  if (!taken) return (void)(link->forges = taken.error() == Fault::bad_signature);
  save_people(rooms);
  rooms.out.status_changed();
  if (conference != nullptr) conference->address_at = now;
}

void Conferences::look_for_others(Host host, Time now, Conference& conference, const StoredRoom& room) {
  const bool first = ++conference.looks < kLooks.size();
  conference.others_at = now + (first ? kLooks[conference.looks] : conference.others_later);
  conference.address_at = std::min(conference.address_at, conference.others_at);
  // Not pinned: that would end at the first record, which may be our own.
  if (const auto id = host.rooms.peer.find(now, key_name_of(room), std::nullopt, true))
    host.rooms.askers.put(*id, asker::OtherHalf{conference.id});
}

void Conferences::on_found(Host host, Time now, const asker::OtherHalf& asked, const overlay::Found& found) {
  auto* conference = find(asked.conference);
  const auto* room = conference == nullptr ? nullptr : host.rooms.book.find(conference->room.id());
  if (room == nullptr || !found.status) return;
  std::uint32_t epoch = room->certificate.epoch;
  std::vector<const overlay::FoundDevice*> others;
  for (const auto& device : found.devices) {
    if (device.record.account() != room->account() || !device.body.keeper) continue;
    epoch = std::max(epoch, device.record.certificate.epoch);
    if (device.record.device() != conference->room.self()) others.push_back(&device);
  }
  host.rooms.book.note_epoch(host.rooms.suite, host.rooms.identity, room->address, epoch, host.rooms.wall);
  save_people(host.rooms);
  // Of an earlier epoch: it was dismissed.
  std::erase_if(others, [&](const auto* other) { return other->record.certificate.epoch < epoch; });
  for (const auto* other : others) conference->room.other_half(now, other->record.device(), *other->body.keeper);
  const bool steps_in = conference->published ? others.size() < conference::kPublishers : others.empty();
  if (std::exchange(conference->steps_in, steps_in) != steps_in) conference->address_at = now;
}

std::vector<RoomView> Conferences::room_views(const Rooms& rooms) const {
  std::vector<RoomView> out;
  for (const auto& [address, room] : rooms.book.all()) {
    auto& view = out.emplace_back();
    view.address = address.text();
    view.key_name = key_name_of(room).text();
    view.founded = room.founded;
    view.keepers = room.keepers.size();
    view.expires = seconds(room.certificate.not_after);
    const auto number = room_number(room.account());
    for (const auto& [id, conference] : conferences_)
      if (conference.room.id() == number) view.conference = id;
  }
  return out;
}

}  // namespace linnet::node
