#include "node/call_resolving.h"

#include <utility>

#include "node/call.h"

namespace linnet::node {
namespace {

// The overlay bounds a lookup itself; this only ends a call whose lookup was forgotten.
constexpr Duration kLookupSlack = std::chrono::seconds(2);

Ended not_found(const crypto::Address& peer) {
  return {CallResult::not_found, "Nobody has the name " + peer.text() + "."};
}

Ended alone() {
  return {CallResult::unreachable,
          "You are alone: no other node on this LAN or in the host cache. Join: linnet accept CODE"};
}

Ended no_overlay(const Rooms& rooms, Fault fault) {
  if (rooms.peer.state() == overlay::State::alone) return alone();
  if (rooms.peer.state() != overlay::State::online)
    return {CallResult::unreachable, "No supernode has answered yet, so nobody can be looked up."};
  return {CallResult::unreachable, "The lookup failed: " + std::string(to_string(fault)) + "."};
}

}  // namespace

Next Resolving::begin(Rooms& rooms, Time now, Facts& facts) {
  if (facts.cold) rooms.peer.drop_caches(now);
  const auto find = rooms.peer.find(now, facts.peer, rooms.contacts.pin(facts.peer), facts.cold);
  if (!find) return {no_overlay(rooms, find.error())};
  Resolving out;
  out.find = *find;
  out.until = now + rooms.config.peer.lookup_timeout + kLookupSlack;
  return {std::move(out)};
}

Next Resolving::on(Rooms& rooms, Time now, Facts& facts, const overlay::Found& found) {
  if (found.find != find) return {};
  auto devices = found.devices;
  std::erase_if(devices, [&](const auto& d) { return d.record.device() == rooms.identity.device_key(); });
  if (asked == Asked::by_key_name) {
    auto person = judge(found.address, rooms.contacts.pin(facts.peer), std::move(devices));
    if (auto* known = std::get_if<Person>(&person))
      return Connecting::begin(rooms, now, facts, found.address, std::move(*known));
    return ask_further(rooms, now, facts, !changed.has_value());
  }
  auto finding = judge(facts.peer, rooms.contacts.pin(facts.peer), std::move(devices));
  if (auto* person = std::get_if<Person>(&finding)) {
    facts.verified = rooms.contacts.judge(facts.peer, person->account) == Standing::contact || facts.peer.is_key_name();
    return Connecting::begin(rooms, now, facts, facts.peer, std::move(*person));
  }
  if (const auto* claimants = std::get_if<Claimants>(&finding))
    return {Ended{CallResult::identity, explain(facts.peer, *claimants)}};
  if (const auto* other = std::get_if<IdentityChanged>(&finding)) changed = *other;
  if (!changed && rooms.peer.state() == overlay::State::alone) return {alone()};
  if (!changed && !found.status) return {no_overlay(rooms, found.status.error())};
  return ask_further(rooms, now, facts, !changed.has_value());
}

// The person was not found under the name. Only for a pinned plain name there is more to ask.
Next Resolving::ask_further(Rooms& rooms, Time now, Facts& facts, bool nobody_at_all) {
  const auto pin = rooms.contacts.pin(facts.peer);
  if (pin && !facts.peer.is_key_name() && asked == Asked::by_name) {
    const auto key_name = crypto::Address::key_name(facts.peer.user(), *pin);
    if (const auto next = rooms.peer.find(now, key_name, pin, facts.cold)) {
      find = *next;
      asked = Asked::by_key_name;
      until = now + rooms.config.peer.lookup_timeout + kLookupSlack;
      return {};
    }
  }
  if (changed) return {Ended{CallResult::identity, explain(facts.peer, *changed)}};
  if (pin && nobody_at_all && asked == Asked::by_key_name) {
    if (const auto next = rooms.peer.find(now, facts.peer, std::nullopt, true)) {
      find = *next;
      asked = Asked::claimants;
      until = now + rooms.config.peer.lookup_timeout + kLookupSlack;
      return {};
    }
  }
  return {not_found(facts.peer)};
}

Next Resolving::on(Rooms&, Time, Facts&, input::Hangup) { return {Ended{CallResult::cancelled, {}}}; }

Next Resolving::on(Rooms& rooms, Time now, Facts&, input::Tick) {
  if (now < until) return {};
  return {no_overlay(rooms, Fault::timed_out)};
}

}  // namespace linnet::node
