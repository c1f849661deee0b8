// What a room wants done, by calls and links; and what it asks of a person's words.
#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "node/conferences.h"

namespace linnet::node {
namespace {

using Kind = ConferenceLeg::Kind;

// A member by what a person calls him: address, key name, or a contact's name.
std::optional<crypto::DeviceKey> member_called(const Rooms& rooms, const conference::Roster& roster,
                                               const std::string& who) {
  const auto* contact = rooms.contacts.find(who);
  for (const auto& [device, member] : roster.members) {
    const auto& claim = member.claim.claim;
    const auto key = crypto::key_hash(claim.certificate.account);
    const bool by_contact = contact != nullptr && contact->account && crypto::key_hash(*contact->account) == key;
    if (by_contact || claim.address.text() == who) return device;
    if (crypto::Address::key_name(claim.address.user(), key).text() == who) return device;
  }
  return std::nullopt;
}

}  // namespace

void Conferences::dial(Host host, Time now, Conference& conference, const crypto::Address& address, ConferenceLeg leg) {
  leg.room = conference.room.id();
  leg.conference = conference.id;
  Facts facts;
  facts.id = CallId{++host.last_call};
  facts.direction = Direction::outgoing;
  facts.peer = address;
  facts.began = now;
  facts.started = host.rooms.wall;
  const bool invites = leg.kind == Kind::invite;
  facts.by_person = invites && !leg.for_another;
  if (invites) leg.name = conference.room.roster().head.name;
  facts.conference = std::move(leg);
  const auto id = facts.id;
  if (invites) {
    conference.inviting.emplace(id, address);
    if (conference.invited.size() < conference::kMaxMembers) conference.invited.insert(address);
  }
  host.calls.emplace(id, Call::outgoing(host.rooms, now, std::move(facts)));
}

void Conferences::dial_waiting(Host host, Time now, Conference& conference) {
  auto& rooms_calls = conference.to_connect;
  auto& persons = conference.to_invite;
  if (conference.leave_at != kNever || (rooms_calls.empty() && persons.empty())) return;
  auto sought = static_cast<std::size_t>(std::count_if(host.calls.begin(), host.calls.end(), [&](const auto& entry) {
    const auto& leg = entry.second.facts().conference;
    return leg && leg->conference == conference.id && leg->ours && entry.second.seeks();
  }));
  for (; sought < kSoughtAtOnce && !rooms_calls.empty(); rooms_calls.pop_front()) {
    if (conference.ours.contains(rooms_calls.front().device)) continue;  // came in meanwhile
    ++sought;
    ConferenceLeg leg;
    leg.kind = Kind::mix;
    leg.ours = true;
    leg.only = rooms_calls.front().device;
    dial(host, now, conference, rooms_calls.front().address, leg);
  }
  for (; sought < kSoughtAtOnce && !persons.empty(); ++sought, persons.pop_front()) {
    ConferenceLeg leg;
    leg.kind = Kind::invite;
    leg.ours = true;
    dial(host, now, conference, persons.front(), leg);
  }
}

void Conferences::drop(Host host, Time now, Conference& conference, const conference::order::Drop& what) {
  const auto& legs = what.ours ? conference.ours : conference.theirs;
  const auto found = legs.find(what.device);
  if (found == legs.end()) return;
  const auto call = host.calls.find(found->second);
  if (call != host.calls.end()) (void)call->second.handle(host.rooms, now, input::Hangup{});
}

bool Conferences::carry_out(Host host, Time now, Conference& conference) {
  bool moved = false;
  while (const auto order = conference.room.poll()) {
    moved = true;
    std::visit(Overloaded{
                   [&](const conference::order::Tell& tell) {
                     const auto* link = host.rooms.links.to(peer_id(tell.to));
                     if (link == nullptr) return;
                     (void)host.rooms.peer.send(now, link->id, overlay::Channel::conference, tell.words);
                   },
                   [&](const conference::order::Connect& connect) {
                     const auto& waiting = conference.to_connect;
                     const bool waits = std::any_of(waiting.begin(), waiting.end(),
                                                    [&](const auto& one) { return one.device == connect.device; });
                     if (!waits) conference.to_connect.push_back(connect);
                   },
                   [&](const conference::order::Drop& what) { drop(host, now, conference, what); },
                   [&](const conference::order::Changed&) {
                     host.rooms.out.changed(conference.id);
                     conference.address_at = now;
                     name_recorders(host, conference);
                     subscribers_.changed(now, conference.id);
                   },
                   [&](const conference::order::Removed&) {
                     conference.text = "You were removed from the conference.";
                     conference.leave_at = now;
                   },
                   [&](const conference::order::Strange& strange) {
                     const auto found = conference.room.roster().members.find(strange.who);
                     const auto who = found == conference.room.roster().members.end()
                                          ? std::string("Somebody who is not in it")
                                          : found->second.claim.claim.address.text();
                     host.rooms.out.push(
                         event::ConferenceSaid{conference.id, who + " sent " + std::string(strange.what) + "."});
                   },
               },
               *order);
  }
  while (const auto liar = conference.sound.poll_liar()) {
    const auto found = conference.room.roster().members.find(*liar);
    if (found == conference.room.roster().members.end()) continue;
    host.rooms.out.push(event::ConferenceSaid{
        conference.id, found->second.claim.claim.address.text() + " says that it speaks and sends silence."});
  }
  return moved;
}

void Conferences::name_offenders(Time now) {
  while (const auto found = conduct_.poll())
    for (auto& entry : conferences_) entry.second.room.misbehaves(now, found->who, found->what);
}

// Nobody is recorded without a word: who begins to is named, and to whoever comes in, who does.
void Conferences::name_recorders(Host host, Conference& conference) const {
  std::set<crypto::DeviceKey> recorders;
  for (const auto& [device, member] : conference.room.roster().members) {
    if (device == conference.room.self()) continue;
    if (member.recording) recorders.insert(device);
    if (member.recording == conference.recorders.contains(device)) continue;
    const auto who = member.claim.claim.address.text();
    host.rooms.out.push(event::ConferenceSaid{
        conference.id, who + (member.recording ? " records this conference." : " does not record any more.")});
  }
  conference.recorders = std::move(recorders);
}

bool Conferences::settle(Host host, Time now) {
  bool moved = took_place(host, now);
  ask_for_room(host, now);
  name_offenders(now);
  for (auto& [id, conference] : conferences_) {
    moved = carry_out(host, now, conference) || moved;
    dial_waiting(host, now, conference);
    tend_frames(now, conference);
    if (now >= std::min(conference.address_at, conference.others_at)) tend_address(host, now, conference);
    leave_step(host, now, conference);
  }
  for (auto it = conferences_.begin(); it != conferences_.end();) {
    if (!it->second.over) {
      ++it;
      continue;
    }
    moved = true;
    end(host, it->second, now);
    it = conferences_.erase(it);
  }
  return moved;
}

Time Conferences::given_up_at(const Conference& conference) {
  if (conference.alone_since == kNever) return kNever;
  const bool joins = conference.room.duty() == conference::Duty::joining;
  return conference.alone_since + (joins ? kNeverCameIn : kWithoutLegs);
}

// Who leaves has handed over, if there was anything to; then every leg ends.
void Conferences::leave_step(Host host, Time now, Conference& conference) {
  const bool alone = conference.ours.empty() && conference.theirs.empty() && conference.inviting.empty() &&
                     conference.to_invite.empty();
  const bool lost = !conference.room.mixes() && conference.theirs.empty();
  if (!lost && !(alone && conference.room.roster().members.size() > 1)) {
    conference.alone_since = kNever;
  } else if (conference.alone_since == kNever) {
    conference.alone_since = now;
  }
  if (lost && now >= given_up_at(conference)) {
    conference.result = CallResult::failed;
    conference.text = "Nobody mixes this conference any more, as far as it is heard here.";
    conference.leave_at = now;
  }
  if (now >= conference.until) {
    conference.until = kNever;
    (void)leave(host, now, conference.id);
    return;
  }
  if (now < conference.leave_at || conference.over) return;
  conference.over = true;
  for (auto& [id, call] : host.calls) {
    const auto& leg = call.facts().conference;
    if (leg && leg->conference == conference.id) (void)call.handle(host.rooms, now, input::Hangup{});
  }
}

// The conference in which we mix for the other end of that call.
Conferences::Conference* Conferences::of_leg(Host host, sip::CallId call) {
  for (const auto& entry : host.calls) {
    const auto& leg = entry.second.facts().conference;
    if (leg && leg->ours && leg->conference && entry.second.owns(call)) return find(*leg->conference);
  }
  return nullptr;
}

void Conferences::on(Host host, Time now, const sip::SubscriptionRequested& asked) {
  const auto* conference = of_leg(host, asked.call);
  subscribers_.on(host.rooms.sip, now, asked, conference == nullptr ? nullptr : &conference->room,
                  conference == nullptr ? CallId{} : conference->id);
}

void Conferences::on(Host host, Time now, const sip::SubscriptionRefreshed& again) {
  const auto* conference = of_leg(host, again.call);
  subscribers_.on(host.rooms.sip, now, again, conference == nullptr ? nullptr : &conference->room);
}

// A member asks for it by REFER: what the channel `conference` allows him, no more.
void Conferences::on(Host host, Time now, const sip::ReferReceived& asked) {
  auto& sip = host.rooms.sip;
  auto* conference = asked.call == sip::kNoCall ? nullptr : of_leg(host, asked.call);
  const auto wish = referrals_.read(sip, now, asked, conference == nullptr ? nullptr : &conference->room);
  if (!wish) return;
  if (wish->takes_out) {
    const crypto::DeviceKey from{asked.peer.bytes};
    ConferenceReferrals::done(sip, now, asked);
    for (const auto& device : members_at(conference->room.roster(), wish->who))
      conference->room.handle_message(now, host.rooms.wall, from, conference::Remove{conference->room.id(), device});
    return;
  }
  std::string why;
  const auto outcome = invite(host, now, conference->id, wish->who.text(), why, true);
  if (outcome != Outcome::ok)
    return (void)sip.reject_subscription(now, asked.subscription, outcome == Outcome::busy ? 486 : 403);
  referrals_.follow(sip, now, asked, CallId{host.last_call});
}

Outcome Conferences::lock(Time now, CallId id, bool on, std::string& why) {
  auto* conference = find(id);
  if (conference == nullptr) return Outcome::no_such_call;
  if (conference->room.lock(now, on)) return Outcome::ok;
  why = "Only who started the conference may lock it.";
  return Outcome::refused;
}

Outcome Conferences::remove(Host host, Time now, CallId id, const std::string& who, std::string& why) {
  auto* conference = find(id);
  if (conference == nullptr) return Outcome::no_such_call;
  const auto device = member_called(host.rooms, conference->room.roster(), who);
  if (!device) {
    why = who + " is not in the conference.";
    return Outcome::not_found;
  }
  if (conference->room.remove(now, *device)) return Outcome::ok;
  why = "Only who started the conference may remove somebody.";
  return Outcome::refused;
}

Outcome Conferences::silence(Host host, Time now, CallId id, const std::string& who, bool on, std::string& why) {
  auto* conference = find(id);
  if (conference == nullptr) return Outcome::no_such_call;
  const auto device = member_called(host.rooms, conference->room.roster(), who);
  if (!device) {
    why = who + " is not in the conference.";
    return Outcome::not_found;
  }
  if (conference->room.mute(now, *device, on)) return Outcome::ok;
  why = "Only who started the conference may mute others.";
  return Outcome::refused;
}

}  // namespace linnet::node
