#include "node/who.h"

#include <utility>

#include "node/alone.h"
#include "node/directory.h"
#include "node/last_seen.h"
#include "node/own_clock.h"

namespace linnet::node {
namespace {

event::WhoResult::Device described(const crypto::Address& address, const overlay::FoundDevice& device, Wall wall) {
  event::WhoResult::Device out;
  const auto& account = device.record.account();
  out.key_name = crypto::Address::key_name(address.user(), account).text();
  out.fingerprint = crypto::fingerprint(account);
  out.expires_in_s = seconds(device.record.expiry) - seconds(wall);
  for (const auto& home : device.body.homes) out.homes.push_back(home.endpoint.to_string());
  return out;
}

}  // namespace

void ask_who(Rooms& rooms, Time now, CommandId command, const std::string& name) {
  const auto refuse = [&](Outcome outcome, std::string text) {
    rooms.out.push(event::Done{command, outcome, std::nullopt, std::move(text)});
  };
  const auto* contact = rooms.contacts.find(name);
  const auto address = contact != nullptr ? contact->address : crypto::Address::parse(name);
  if (!address) return refuse(Outcome::bad_address, {});
  if (rooms.askers.full<asker::Who>()) return refuse(Outcome::busy, "Too many lookups at once.");
  // Unpinned, so that everybody who claims the name is seen.
  const auto find = rooms.peer.find(now, *address, std::nullopt, true);
  if (!find) {
    const bool alone = rooms.peer.state() == overlay::State::alone;
    return refuse(
        Outcome::unreachable,
        alone ? std::string(kAlone) : "No supernode can be asked: " + std::string(to_string(find.error())) + ".");
  }
  rooms.askers.put(*find, asker::Who{command, *address});
}

void answer_who(Rooms& rooms, const asker::Who& asked, const overlay::Found& found) {
  event::WhoResult out;
  out.command = asked.command;
  out.address = asked.address;
  const auto pin = rooms.contacts.pin(asked.address);
  const auto* contact = rooms.contacts.find(asked.address);
  out.pinned = contact != nullptr && contact->listed();
  for (const auto& device : found.devices) out.devices.push_back(described(asked.address, device, rooms.wall));
  const auto finding = judge(asked.address, pin, found.devices);
  std::string text;
  if (const auto* claimants = std::get_if<Claimants>(&finding)) {
    out.identity_conflict = true;
    text = explain(asked.address, *claimants);
  } else if (const auto* changed = std::get_if<IdentityChanged>(&finding)) {
    out.identity_conflict = true;
    text = explain(asked.address, *changed, contact, rooms.wall);
  } else if (std::holds_alternative<Nobody>(finding) && rooms.peer.state() == overlay::State::alone) {
    out.outcome = Outcome::unreachable;
    text = kAlone;
  } else if (std::holds_alternative<Nobody>(finding) && found.status && out.pinned) {
    out.outcome = Outcome::unreachable;
    text = not_online(rooms, contact->name, contact);
  } else if (std::holds_alternative<Nobody>(finding)) {
    out.outcome = found.status ? Outcome::not_found : Outcome::unreachable;
    text = found.status ? "Nobody has the name " + asked.address.text() + "." : "The overlay did not answer in time.";
    text += wrong_clock(rooms);
  }
  if (out.identity_conflict) out.outcome = Outcome::identity;
  const auto outcome = out.outcome;
  out.text = text;
  rooms.out.push(std::move(out));
  rooms.out.push(event::Done{asked.command, outcome, std::nullopt, std::move(text)});
}

}  // namespace linnet::node
