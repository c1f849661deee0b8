#include "node/call_resolving.h"

#include <utility>

#include "node/alone.h"
#include "node/call.h"
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

}  // namespace

Next Resolving::begin(Rooms& rooms, Time now, Facts& facts) {
  if (facts.cold) rooms.peer.drop_caches(now);
  Resolving out;
  out.give_up = now + rooms.config.peer.lookup_timeout;
  if (const auto sent = out.ask(rooms, now, facts, facts.cold); !sent) return {no_overlay(rooms, sent.error())};
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
  if (!found.devices.empty()) facts.lookup_hops = found.rounds;
  facts.remembered = found.rounds == 0 && !facts.looked_again;
  auto devices = found.devices;
  const auto only = facts.conference ? facts.conference->only : std::nullopt;
  std::erase_if(devices, [&](const auto& d) {
    return (only && d.record.device() != *only) || d.record.device() == rooms.identity.device_key() ||
           rooms.contacts.revoked(d.record.account(), d.record.certificate.epoch);
  });
  const auto pin = rooms.contacts.pin(facts.peer);
  auto finding = judge(found.address, pin, std::move(devices));
  if (auto* person = std::get_if<Person>(&finding)) {
    rooms.contacts.note_epoch(person->account, person->devices.front().record.certificate.epoch);
    save_people(rooms);
    if (!facts.found) facts.found = now;
    facts.verified = rooms.contacts.judge(facts.peer, person->account) == Standing::contact || facts.peer.is_key_name();
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
  return ask_claimants(rooms, now, facts, found);
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
