#include "node/call_resolving.h"

#include <algorithm>
#include <utility>

#include "node/alone.h"
#include "node/call.h"
#include "node/conference_roster.h"
#include "node/last_seen.h"
#include "node/own_clock.h"

namespace linnet::node {
namespace {

// The overlay bounds a lookup itself; this only ends a call whose lookup was forgotten.
constexpr Duration kLookupSlack = std::chrono::seconds(2);
constexpr Duration kAgain = std::chrono::milliseconds(500);

Ended not_found(const Rooms& rooms, const crypto::Address& peer) {
  return {CallResult::not_found, "Nobody has the name " + peer.text() + "." + wrong_clock(rooms)};
}

Ended alone() { return {CallResult::unreachable, std::string(kAlone)}; }

Ended no_overlay(const Rooms& rooms, Fault fault) {
  if (rooms.peer.state() == overlay::State::alone) return alone();
  if (rooms.peer.state() != overlay::State::online)
    return {CallResult::unreachable, "No supernode has answered yet, so nobody can be looked up." + wrong_clock(rooms)};
  return {CallResult::unreachable, "The lookup failed: " + std::string(to_string(fault)) + "." + wrong_clock(rooms)};
}

// A keeper begins the conference then; what becomes of this call is said in Node::Impl::reap.
Ended nobody_in(Facts& facts) {
  facts.room->begins = facts.room->keep;
  auto text = "Nobody is in " + facts.room->address.text() + " now.";
  if (facts.room->stale) text += " What its founder certified here has run out: meet the founder in it.";
  return {CallResult::unreachable, std::move(text)};
}

}  // namespace

Next Resolving::begin(Rooms& rooms, Time now, Facts& facts) {
  if (facts.cold) rooms.peer.drop_caches(now);
  Resolving out;
  out.give_up = now + rooms.config.peer.lookup_timeout;
  // Who is in a room changes sooner than where somebody is.
  if (const auto sent = out.ask(rooms, now, facts, facts.cold || facts.room); !sent)
    return {no_overlay(rooms, sent.error())};
  return {std::move(out)};
}

Next Resolving::afresh(Rooms& rooms, Time now, Facts& facts) {
  facts.remembered = false;
  facts.looked_again = true;
  Resolving out;
  out.give_up = now + rooms.config.peer.lookup_timeout;
  if (const auto sent = out.ask(rooms, now, facts, true); !sent) return {no_overlay(rooms, sent.error())};
  return {std::move(out)};
}

// Asks for a contact by the key name, for anybody else by the name.
Status Resolving::ask(Rooms& rooms, Time now, const Facts& facts, bool cold) {
  const auto* contact = rooms.contacts.find(facts.peer);
  if (facts.room && (contact == nullptr || !contact->listed())) {
    // Whose room it is is known: who squats on its name is not asked.
    const auto known = facts.room->found ? std::nullopt : facts.room->account;
    const auto name = known ? crypto::Address::key_name(facts.room->address.user(), *known) : facts.peer;
    // Not pinned: that would end at the first record, and there may be two.
    const auto room = rooms.peer.find(now, name, std::nullopt, cold);
    if (!room) return fail(room.error());
    await(rooms, now, facts, *room);
    return {};
  }
  asked = contact != nullptr && contact->listed() ? Asked::by_key_name : Asked::by_name;
  const auto& address = asked == Asked::by_key_name ? contact->key_name : facts.peer;
  const auto id = rooms.peer.find(now, address, contact != nullptr ? contact->account : std::nullopt, cold);
  if (!id) return fail(id.error());
  await(rooms, now, facts, *id);
  return {};
}

void Resolving::await(Rooms& rooms, Time now, const Facts& facts, overlay::FindId id) {
  find = id;
  rooms.askers.put(id, asker::OfCall{facts.id});
  until = now + rooms.config.peer.lookup_timeout + kLookupSlack;
}

Next Resolving::on(Rooms& rooms, Time now, Facts& facts, const overlay::Found& found) {
  if (found.find != find) return {};
  if (asked == Asked::keeper) return on_keeper(rooms, now, facts, found);
  if (!found.devices.empty()) facts.lookup_hops = found.rounds;
  facts.remembered = found.rounds == 0 && !facts.looked_again;
  auto devices = found.devices;
  const auto only = facts.conference ? facts.conference->only : std::nullopt;
  std::erase_if(devices, [&](const auto& d) {
    return (only && d.record.device() != *only) || d.record.device() == rooms.identity.device_key() ||
           rooms.contacts.revoked(d.record.account(), d.record.certificate.epoch);
  });
  auto pin = rooms.contacts.pin(facts.peer);
  if (!pin && facts.room && facts.room->account && !facts.room->found) pin = crypto::key_hash(*facts.room->account);
  auto finding = judge(found.address, pin, std::move(devices));
  if (auto* person = std::get_if<Person>(&finding)) {
    rooms.contacts.note_epoch(person->account, person->devices.front().record.certificate.epoch);
    save_people(rooms);
    if (!facts.found) facts.found = now;
    facts.verified = rooms.contacts.judge(facts.peer, person->account) == Standing::contact || facts.peer.is_key_name();
    const bool room = facts.room || std::any_of(person->devices.begin(), person->devices.end(),
                                                [](const auto& d) { return d.body.keeper.has_value(); });
    // A record that anybody can make leads nobody out of one conference into another: his voice would be heard there.
    if (room && facts.hidden())
      return {Ended{CallResult::identity, facts.peer.text() + " is the address of a room: nobody is called there."}};
    if (room) return on_room(rooms, now, facts, *person);
    auto next = Connecting::begin(rooms, now, facts, found.address, std::move(*person));
    // On a link where everybody just arrived the supernodes of a record may not have been heard of yet.
    if (!next.to || !std::holds_alternative<Ended>(*next.to) || now + kAgain > give_up) return next;
    again = now + kAgain;
    return {};
  }
  if (const auto* claimants = std::get_if<Claimants>(&finding))
    return {Ended{CallResult::identity, explain(facts.peer, *claimants)}};
  if (const auto* changed = std::get_if<IdentityChanged>(&finding))
    return {Ended{CallResult::identity, explain(facts.peer, *changed, rooms.contacts.find(facts.peer), rooms.wall)}};
  if (rooms.peer.state() == overlay::State::alone) return {alone()};
  if (!found.status) return {no_overlay(rooms, found.status.error())};
  if (facts.room) return nobody_in(facts);
  return ask_claimants(rooms, now, facts, found);
}

// Who keeps it says by whom one comes in: under that key name they are looked for.
Next Resolving::on_room(Rooms& rooms, Time now, Facts& facts, const Person& room) {
  if (!facts.room) facts.room.emplace().address = facts.peer;
  auto& call = *facts.room;
  if (call.account && *call.account != room.account)
    return {Ended{CallResult::identity, call.address.text() + " is the address of somebody else already."}};
  call.account = room.account;
  call.left.clear();
  auto devices = room.devices;
  const auto* ours = rooms.book.find(room_number(room.account));
  call.epoch = ours == nullptr ? 0 : ours->certificate.epoch;
  for (const auto& device : devices) call.epoch = std::max(call.epoch, device.record.certificate.epoch);
  std::erase_if(devices, [&](const auto& d) { return d.record.certificate.epoch < call.epoch; });
  // The one that was said last first: who went without a word is found there for some minutes.
  std::stable_sort(devices.begin(), devices.end(),
                   [](const auto& a, const auto& b) { return a.record.not_before > b.record.not_before; });
  for (const auto& device : devices)
    if (device.body.keeper) call.left.push_back({*device.body.keeper, device.record.device()});
  if (call.left.empty() && !devices.empty())
    return {Ended{CallResult::identity, call.address.text() + " is the address of a person, and no room."}};
  ConferenceLeg leg;
  leg.kind = ConferenceLeg::Kind::join;
  leg.room = room_number(room.account);
  if (ours != nullptr) leg.proof = proof_of(ours->certificate);
  leg.source = conference::source_of(leg.room, rooms.identity.device_key());
  facts.conference = std::move(leg);
  if (auto next = next_keeper(rooms, now, facts, {CallResult::unreachable, {}}); next.to) return next;
  return {nobody_in(facts)};
}

Next Resolving::next_keeper(Rooms& rooms, Time now, Facts& facts, const Ended& why) {
  const bool gone = why.result == CallResult::unreachable || why.result == CallResult::no_answer ||
                    why.result == CallResult::not_found;
  auto& room = *facts.room;
  if (!gone || room.begins || !room.account) return {};
  while (!room.left.empty()) {
    const auto keeper = room.left.front();
    room.left.erase(room.left.begin());
    if (keeper.device == rooms.identity.device_key()) continue;
    facts.conference->only = keeper.device;
    Resolving out;
    out.asked = Asked::keeper;
    const auto id = rooms.peer.find(now, keeper.name, std::nullopt, false);
    if (!id) return {no_overlay(rooms, id.error())};
    out.await(rooms, now, facts, *id);
    return {std::move(out)};
  }
  facts.conference->only.reset();
  if (facts.remembered && !facts.looked_again) return afresh(rooms, now, facts);
  return {nobody_in(facts)};
}

Next Resolving::on_keeper(Rooms& rooms, Time now, Facts& facts, const overlay::Found& found) {
  auto devices = found.devices;
  std::erase_if(devices, [&](const auto& d) {
    return d.record.device() != facts.conference->only || rooms.contacts.blocked(d.record.account()) ||
           rooms.contacts.revoked(d.record.account(), d.record.certificate.epoch);
  });
  auto finding = judge(found.address, std::nullopt, std::move(devices));
  if (auto* person = std::get_if<Person>(&finding))
    return Connecting::begin(rooms, now, facts, found.address, std::move(*person));
  return {Ended{CallResult::unreachable, {}}};
}

// The person was not found. Of a contact with a plain name: does somebody else answer to it now?
Next Resolving::ask_claimants(Rooms& rooms, Time now, Facts& facts, const overlay::Found& found) {
  const auto* contact = rooms.contacts.find(facts.peer);
  if (asked == Asked::by_key_name && found.address != facts.peer) {
    if (const auto next = rooms.peer.find(now, facts.peer, std::nullopt, true)) {
      asked = Asked::claimants;
      await(rooms, now, facts, *next);
      return {};
    }
  }
  if (contact != nullptr && contact->listed())
    return {Ended{CallResult::unreachable, not_online(rooms, contact->name, contact)}};
  return {not_found(rooms, facts.peer)};
}

Next Resolving::on(Rooms&, Time, Facts&, input::Hangup) { return {Ended{CallResult::cancelled, {}}}; }

Next Resolving::on(Rooms& rooms, Time now, Facts& facts, input::Tick) {
  if (now >= again) {
    again = kNever;
    if (const auto asked_again = ask(rooms, now, facts, true); !asked_again)
      return {no_overlay(rooms, asked_again.error())};
    return {};
  }
  if (now < until) return {};
  return {no_overlay(rooms, Fault::timed_out)};
}

}  // namespace linnet::node
