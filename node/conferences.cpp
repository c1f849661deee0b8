// Conferences begin, calls become their legs, and they end.
#include "node/conferences.h"

#include <algorithm>
#include <utility>

namespace linnet::node {
namespace {

using Kind = ConferenceLeg::Kind;

crypto::DeviceKey device_of(const sip::PeerId& peer) { return crypto::DeviceKey{peer.bytes}; }

}  // namespace

// No more than was seen to be carried, whatever was measured.
conference::Claim Conferences::claim(bool keeps) const {
  conference::Claim out;
  out.keeps = keeps;
  out.mixes = std::min(means_.mixes, meter_.carries().value_or(means_.mixes));
  out.uplink_kbps = means_.uplink_kbps;
  out.reachable = means_.reachable;
  out.mains = means_.mains;
  return out;
}

void Conferences::set_means(Time now, const Means& means) {
  means_ = means;
  claim_anew(now);
}

void Conferences::claim_anew(Time now) {
  for (auto& entry : conferences_) entry.second.room.set_claim(now, claim(entry.second.keeps));
}

void Conferences::handle_wall(Time now, Wall wall) {
  for (auto& entry : conferences_) entry.second.room.handle_wall(now, wall);
}

Conferences::Conference* Conferences::find(CallId id) {
  const auto found = conferences_.find(id);
  return found == conferences_.end() ? nullptr : &found->second;
}

Conferences::Conference* Conferences::find(const conference::RoomId& room) {
  for (auto& [id, conference] : conferences_)
    if (conference.room.id() == room) return &conference;
  return nullptr;
}

std::vector<CallId> Conferences::ids() const {
  std::vector<CallId> out;
  for (const auto& entry : conferences_) out.push_back(entry.first);
  return out;
}

std::optional<CallId> Conferences::pick(const std::string& which) const {
  if (which.empty()) return conferences_.size() == 1 ? std::optional(conferences_.begin()->first) : std::nullopt;
  for (const auto& [id, conference] : conferences_) {
    const bool numbered = std::to_string(static_cast<std::uint64_t>(id)) == which;
    if (numbered || conference.room.roster().head.name == which || to_hex(conference.room.id()) == which) return id;
  }
  return std::nullopt;
}

ConferenceSound Conferences::sound_for(const Rooms& rooms, const conference::RoomId& room) {
  const media::CodecSettings shared{static_cast<int>(rooms.config.bitrate), 5, true};
  return {conference::source_of(room, rooms.identity.device_key()), shared};
}

Conferences::Conference& Conferences::add(Host host, Time now, CallId id, conference::Room room) {
  auto sound = sound_for(host.rooms, room.id());
  auto& out = conferences_.emplace(id, Conference(id, std::move(room), std::move(sound))).first->second;
  out.began = asked_ = now;
  out.started = host.rooms.wall;
  out.with = host.rooms.identity.address;
  out.alone_since = now;
  host.rooms.out.push(event::AudioStart{id});
  host.rooms.out.changed(id);
  return out;
}

void Conferences::begin(Host host, Time now, CallId id, const command::Confer& what) {
  auto room = conference::Room::found(self_of(host.rooms), now, what.name, claim());
  auto& conference = add(host, now, id, std::move(room));
  if (what.duration) conference.until = now + *what.duration;
  for (const auto& who : what.who) {
    std::string why;
    (void)invite(host, now, id, who, why);
    if (!why.empty()) host.rooms.out.push(event::ConferenceSaid{id, why});
  }
}

Outcome Conferences::invite(Host host, Time now, CallId id, const std::string& who, std::string& why,
                            bool for_another) {
  auto* conference = find(id);
  if (conference == nullptr) return Outcome::no_such_call;
  const auto* contact = host.rooms.contacts.find(who);
  const auto address = contact != nullptr ? contact->address : crypto::Address::parse(who);
  if (!address) {
    why = who + " is no address and no contact.";
    return Outcome::bad_address;
  }
  if (*address == host.rooms.identity.address || *address == host.rooms.identity.key_name()) {
    why = who + " is your own address.";
    return Outcome::refused;
  }
  const bool rings =
      std::any_of(conference->inviting.begin(), conference->inviting.end(),
                  [&](const auto& entry) { return entry.second == *address; }) ||
      std::find(conference->to_invite.begin(), conference->to_invite.end(), *address) != conference->to_invite.end();
  if (rings || conference->inviting.size() + conference->to_invite.size() >= conference::kMaxMembers) {
    why = rings ? who + " is being called already." : "Too many are being called.";
    return Outcome::busy;
  }
  if (!for_another) {
    conference->to_invite.push_back(*address);
    dial_waiting(host, now, *conference);
    return Outcome::ok;
  }
  ConferenceLeg leg;
  leg.kind = Kind::invite;
  leg.ours = true;
  leg.for_another = true;
  dial(host, now, *conference, *address, leg);
  return Outcome::ok;
}

// The call goes on under another number, which nobody outside hears of.
CallId Conferences::hide(Host host, CallId id, CallId conference) {
  auto node = host.calls.extract(id);
  const CallId hidden{++host.last_call};
  node.key() = hidden;
  node.mapped().belongs_to(hidden, conference);
  if (auto* talking = node.mapped().talking()) talking->until = kNever;  // the conference's own time counts
  host.calls.insert(std::move(node));
  return hidden;
}

// A call that asked to come in, or that we were asked by, stands: from now on it is a conference.
Conferences::Conference* Conferences::come_in(Host host, Time now, Call& call) {
  const auto facts = call.facts();
  const auto& leg = *facts.conference;
  if (full()) return nullptr;
  if (auto* known = find(leg.room)) return known;
  const auto from = device_of(call.talking()->line.peer);
  auto room = conference::Room::join(self_of(host.rooms), now, leg.room, from, claim());
  auto& out = add(host, now, facts.id, std::move(room));
  out.with = facts.peer;
  out.direction = facts.direction;
  out.began = facts.began;
  out.started = facts.started;
  if (facts.limit) out.until = now + *facts.limit;
  if (!facts.room) return &out;
  if (facts.room->found)
    (void)host.rooms.book.found(host.rooms.suite, host.rooms.identity, facts.room->address, host.rooms.wall);
  host.rooms.book.note_epoch(host.rooms.suite, host.rooms.identity, facts.room->address, facts.room->epoch,
                             host.rooms.wall);
  save_people(host.rooms);
  for (const auto& who : facts.room->invites) {
    std::string why;
    (void)invite(host, now, out.id, who, why);
    if (!why.empty()) host.rooms.out.push(event::ConferenceSaid{out.id, why});
  }
  return &out;
}

// Whoever asked for that call waits for its end: what it leads to goes on under another number.
void Conferences::tell_was_in(Host host, const Facts& facts, const Conference& conference) {
  CallSummary row;
  row.id = facts.id;
  row.direction = facts.direction;
  row.peer = facts.peer;
  row.started = facts.started;
  row.result = CallResult::failed;
  row.conference = title_of(conference.room.id(), conference.room.roster().head.name);
  row.text = "You are in " + row.conference + " already. See: linnet conf ls";
  host.rooms.out.ended(facts.id);
  host.rooms.out.push(event::CallEnded{std::move(row)});
}

void Conferences::stands(Host host, Time now, Call& call) {
  auto leg = *call.facts().conference;
  const auto from = device_of(call.talking()->line.peer);
  const bool was_in = !leg.conference && find(leg.room) != nullptr;
  auto* conference = leg.conference ? find(*leg.conference) : come_in(host, now, call);
  if (conference == nullptr) {
    auto rooms = host.rooms;
    (void)call.handle(rooms, now, input::Hangup{});
    return;
  }
  auto id = call.facts().id;
  if (was_in) tell_was_in(host, call.facts(), *conference);
  if (!leg.conference) id = hide(host, id, conference->id);
  // Whom the founder calls into a room with an address keeps it from then on.
  const auto* room = host.rooms.book.find(conference->room.id());
  const bool invited = leg.kind == Kind::invite && leg.ours && !leg.for_another;
  if (room != nullptr && invited && host.rooms.book.keep(room->address, crypto::key_hash(call.talking()->line.account)))
    save_people(host.rooms);
  if (conference->inviting.erase(id) > 0) referrals_.over(host.rooms.sip, now, id, 200);
  auto& legs = leg.ours ? conference->ours : conference->theirs;
  const auto before = legs.find(from);
  const auto older = before == legs.end() ? host.calls.end() : host.calls.find(before->second);
  legs.insert_or_assign(from, id);
  conference->room.leg(now, from, leg.ours, true);
  // Two calls crossed, or he asked to be let in where he is already. Who mixes ends the older one.
  if (older != host.calls.end() && leg.ours) (void)older->second.handle(host.rooms, now, input::Hangup{});
  host.rooms.out.changed(conference->id);
}

bool Conferences::took_place(Host host, Time now) {
  std::vector<CallId> standing;
  for (auto& [id, call] : host.calls) {
    const auto& leg = call.facts().conference;
    if (!leg || call.talking() == nullptr) continue;
    const bool knows_room = leg->conference || leg->room != conference::RoomId{};
    if (!knows_room) {
      wanting_.try_emplace(id, now);
      continue;
    }
    const auto* conference = leg->conference ? find(*leg->conference) : nullptr;
    const auto from = device_of(call.talking()->line.peer);
    if (conference != nullptr) {
      const auto& legs = leg->ours ? conference->ours : conference->theirs;
      const auto there = legs.find(from);
      if (there != legs.end() && there->second >= id) continue;
    }
    standing.push_back(id);
  }
  for (const auto id : standing)
    if (const auto call = host.calls.find(id); call != host.calls.end()) stands(host, now, call->second);
  return !standing.empty();
}

void Conferences::ask_for_room(Host host, Time now) {
  for (auto it = wanting_.begin(); it != wanting_.end();) {
    const auto call = host.calls.find(it->first);
    const bool asks = call != host.calls.end() && call->second.talking() != nullptr &&
                      call->second.facts().conference && !call->second.facts().conference->conference;
    if (!asks) {
      it = wanting_.erase(it);
      continue;
    }
    if (now >= it->second) {
      it->second = now + kAsk;
      (void)host.rooms.peer.send(now, call->second.talking()->line.link, overlay::Channel::conference,
                                 conference::write(conference::Want{}));
    }
    ++it;
  }
}

std::optional<Conferences::Meeting> Conferences::meet(const ConferenceLeg& leg, const crypto::DeviceKey& from) {
  switch (leg.kind) {
    case Kind::invite: return find(leg.room) == nullptr ? std::optional(Meeting::rings) : std::nullopt;
    case Kind::mix: {
      const auto* conference = find(leg.room);
      return conference != nullptr && conference->room.expects(from) ? std::optional(Meeting::expected) : std::nullopt;
    }
    case Kind::join: {
      if (leg.room != conference::RoomId{}) {
        const auto* conference = find(leg.room);
        const bool here = conference != nullptr && conference->leave_at == kNever &&
                          conference->room.duty() != conference::Duty::joining;
        if (!here) return std::nullopt;
        const bool shut = conference->room.roster().head.locked || conference->room.put_out(from);
        return shut ? Meeting::refused : Meeting::lets_in;
      }
      if (conferences_.size() != 1) return std::nullopt;
      const auto& room = conferences_.begin()->second.room;
      const bool open = room.duty() != conference::Duty::joining && !room.roster().head.locked;
      return open ? std::optional(Meeting::lets_in) : std::nullopt;
    }
  }
  return std::nullopt;
}

void Conferences::seat(ConferenceLeg& leg, const crypto::DeviceKey&) const {
  for (const auto& [id, conference] : conferences_) {
    const bool any = leg.kind == Kind::join && leg.room == conference::RoomId{};
    if (!any && conference.room.id() != leg.room) continue;
    leg.room = conference.room.id();
    leg.conference = id;
  }
}

void Conferences::on_message(Host host, Time now, const crypto::DeviceKey& from, ByteView bytes) {
  const auto message = conference::read(bytes);
  // A kind of a later version is nobody's fault.
  if (!message && message.error() != Fault::unsupported)
    for (auto& entry : conferences_) entry.second.room.misbehaves(now, from, "words that cannot be read");
  if (!message) return;
  if (const auto* certified = std::get_if<conference::Certified>(&*message))
    return take_certificate(host, now, from, *certified);
  const auto& room = conference::room_of(*message);
  auto* conference = find(room);
  if (std::holds_alternative<conference::RosterNews>(*message)) {
    // The answer to somebody who asked to be let in, maybe where he is already.
    for (auto& [id, asked] : wanting_) {
      const auto call = host.calls.find(id);
      if (call == host.calls.end() || call->second.talking() == nullptr) continue;
      if (device_of(call->second.talking()->line.peer) != from) continue;
      call->second.enters(room);
      (void)took_place(host, now);
      conference = find(room);
      break;
    }
  }
  if (conference == nullptr && std::holds_alternative<conference::Want>(*message) && room == conference::RoomId{}) {
    for (auto& entry : conferences_)
      if (entry.second.ours.contains(from)) entry.second.room.tell_roster(from);
  }
  if (conference != nullptr) conference->room.handle_message(now, host.rooms.wall, from, *message);
}

void Conferences::heard(Time now, const Facts& facts, const crypto::DeviceKey& from) {
  if (!facts.conference || !facts.conference->conference) return;
  conduct_.voice(now, from, facts.conference->ours);
  if (auto* conference = find(*facts.conference->conference)) conference->room.heard(now, from, facts.conference->ours);
}

void Conferences::heard_foreign(Time now, const crypto::DeviceKey& from) {
  if (!conferences_.empty()) conduct_.foreign(now, from);
}

bool Conferences::wants() const {
  return std::any_of(conferences_.begin(), conferences_.end(),
                     [](const auto& entry) { return entry.second.room.has_orders(); });
}

void Conferences::call_over(Host host, Time now, const Call& call) {
  const auto& leg = call.facts().conference;
  if (!leg || !leg->conference) return;
  auto* conference = find(*leg->conference);
  if (conference == nullptr) return;
  const auto id = call.facts().id;
  const auto summary = call.summary();
  conference->packets_sent += summary.packets_sent;
  conference->packets_received += summary.packets_received;
  auto& legs = leg->ours ? conference->ours : conference->theirs;
  const auto stood = std::find_if(legs.begin(), legs.end(), [&](const auto& entry) { return entry.second == id; });
  if (stood != legs.end()) {
    const auto device = stood->first;
    legs.erase(stood);
    conference->room.leg(now, device, leg->ours, false);
  } else if (leg->kind == Kind::invite && conference->inviting.erase(id) > 0) {
    referrals_.over(host.rooms.sip, now, id, status_of(summary.result));
    const auto who = call.facts().peer.text();
    host.rooms.out.push(event::ConferenceSaid{
        conference->id, summary.text.empty() ? who + ": " + std::string(to_string(summary.result)) : summary.text});
    const bool again = conference->called_again == call.facts().peer && std::exchange(conference->calls_again, false);
    if (std::string why; again) (void)invite(host, now, conference->id, who, why);
  } else if (leg->only) {
    conference->room.connect_failed(now, *leg->only);
  }
  host.rooms.out.changed(conference->id);
}

bool Conferences::leave(Host host, Time now, CallId id) {
  auto* conference = find(id);
  if (conference == nullptr) return false;
  const bool hands_over = conference->room.abdicate(now);
  conference->leave_at = now + (hands_over ? kLastWords : Duration{});
  tend_address(host, now, *conference);
  leave_step(host, now, *conference);
  return true;
}

void Conferences::end_all(Host host, Time now) {
  for (const auto id : ids()) (void)leave(host, now, id);
}

bool Conferences::set_muted(Host host, Time, CallId id, bool on) {
  auto* conference = find(id);
  if (conference == nullptr) return false;
  conference->sound.set_muted(on);
  host.rooms.out.changed(id);
  return true;
}

void Conferences::set_recording(Time now, CallId id, bool on) {
  if (auto* conference = find(id)) conference->room.recording(now, on);
}

void Conferences::end(Host host, Conference& conference, Time now) {
  for (const auto& entry : conference.inviting)
    referrals_.over(host.rooms.sip, now, entry.first, status_of(CallResult::cancelled));
  CallSummary row;
  row.id = conference.id;
  row.direction = conference.direction;
  row.peer = conference.with;
  row.result = conference.result;
  row.text = conference.text;
  row.started = conference.started;
  row.seconds = millis(now - conference.began) / 1000;
  row.play_start = conference.play_start;
  row.record_start = conference.record_start;
  row.packets_sent = conference.packets_sent;
  row.packets_received = conference.packets_received;
  row.codec = conference.codec;
  row.conference = title_of(conference.room.id(), conference.room.roster().head.name);
  publish(host, now, conference, nullptr);
  host.rooms.out.push(event::AudioStop{conference.id});
  host.rooms.out.ended(conference.id);
  host.rooms.out.push(event::CallEnded{std::move(row)});
  host.rooms.out.status_changed();
}

}  // namespace linnet::node
