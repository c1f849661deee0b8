#include "node/reception.h"

#include <algorithm>
#include <utility>

namespace linnet::node {
namespace {

// Strangers that ring now; those of one account when it is given.
std::size_t strangers_ringing(const CallTable& calls, const crypto::AccountKey* account = nullptr) {
  return static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(), [&](const auto& entry) {
    const auto& call = entry.second;
    return call.ringing_us() && !call.facts().verified && (account == nullptr || call.account() == *account);
  }));
}

std::size_t strangers(const CallTable& calls) {
  return static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(), [](const auto& entry) {
    return entry.second.facts().direction == Direction::incoming && !entry.second.facts().verified;
  }));
}

bool is_us(const Rooms& rooms, const sip::Uri& to) {
  const auto address = crypto::Address::parse(to.address());
  return address && (*address == rooms.identity.address || *address == rooms.identity.key_name());
}

void report_impostor(Rooms& rooms, CallId id, const crypto::Address& from, Link& link) {
  if (std::exchange(link.alarmed, true)) return;
  CallSummary row;
  row.id = id;
  row.direction = Direction::incoming;
  row.peer = from;
  row.result = CallResult::identity;
  row.started = rooms.wall;
  const auto pinned = rooms.contacts.pin(from);
  row.text = pinned && !from.is_key_name()
                 ? explain(from, IdentityChanged{*pinned, crypto::key_hash(link.remote.account)},
                           rooms.contacts.find(from), rooms.wall)
                 : "IDENTITY CHANGED: the caller does not hold the key of " + from.text() + ". Call refused.";
  rooms.out.push(event::CallEnded{std::move(row)});
}

}  // namespace

// The link that was idle for longest makes room, if there is one.
bool Reception::make_room(Rooms& rooms, Time now, const CallTable& calls) {
  const Link* oldest = nullptr;
  for (const auto& entry : rooms.links.all()) {
    const auto& link = entry.second;
    if (!in_use(calls, link.peer()) && (oldest == nullptr || link.idle_since < oldest->idle_since)) oldest = &link;
  }
  if (oldest == nullptr) return false;
  const auto id = oldest->id;
  const auto peer = oldest->peer();
  rooms.peer.close(now, id);
  rooms.links.remove(id);
  if (rooms.links.to(peer) == nullptr) rooms.sip.peer_lost(now, peer);
  return true;
}

std::optional<int> Reception::meet_stranger(Rooms& rooms, Time now, const CallTable& calls, const crypto::Address& from,
                                            const Link& link) {
  const auto& account = link.remote.account;
  const auto& config = rooms.config;
  if (config.auto_answer) {
    // Anyone is answered, but a quarter of the lines is kept for people we know.
    if (strangers(calls) >= config.max_calls - config.max_calls / 4) return 486;
    return std::nullopt;
  }
  if (config.strangers == Strangers::refuse) return 603;
  const auto path = rooms.peer.path(link.id);
  const auto via = path ? path->endpoint.ip : IpAddress{};
  const auto key = crypto::key_hash(account);
  const bool may = gate_.let_in(now, key, via, strangers_ringing(calls), strangers_ringing(calls, &account));
  if (config.strangers == Strangers::ring) return may ? std::nullopt : std::optional(486);
  if (may) {
    Request request{key, link.remote.key_name, from, rooms.wall, rooms.wall, 1};
    (void)rooms.contacts.note_request(request);
    save_people(rooms);
    rooms.out.status_changed();
  }
  return kConsentNeeded;  // whether it was kept or not: who floods us learns nothing by it
}

void Reception::on(Rooms& rooms, Time now, const CallTable& calls, const overlay::LinkUp& up) {
  auto* link = rooms.links.add(now, up);
  if (link == nullptr && make_room(rooms, now, calls)) link = rooms.links.add(now, up);
  if (link == nullptr) return rooms.peer.close(now, up.link);
  const auto& remote = up.remote;
  if (rooms.contacts.revoked(remote.account, remote.epoch)) {
    rooms.links.remove(up.link);
    return rooms.peer.close(now, up.link);
  }
  const auto peer = link->peer();
  if (!rooms.sip.set_peer_identity(peer, rooms.links.names(peer))) {
    rooms.links.remove(up.link);
    return rooms.peer.close(now, up.link);
  }
  if (!rooms.contacts.knows(remote.account)) return;
  rooms.contacts.note_epoch(remote.account, remote.epoch);
  save_people(rooms);
  if (rooms.contacts.judge(remote.address, remote.account) != Standing::changed) share_endpoints(rooms, now, up.link);
}

std::optional<Reception::Admitted> Reception::admit(Rooms& rooms, Time now, const CallTable& calls, CallId id,
                                                    const sip::IncomingCall& call, bool expected) {
  const auto refuse = [&](int code) {
    (void)rooms.sip.reject(now, call.call, code);
    return std::nullopt;
  };
  auto* link = rooms.links.to(call.peer);
  if (link == nullptr) return refuse(480);
  const auto from = crypto::Address::parse(call.from.address());
  // SIP has held From against the names of this device; a name that is none of ours to parse is refused here.
  if (!from) return refuse(403);
  // At once, and before anything that could tell them apart from whom we refuse without knowing them.
  if (rooms.contacts.blocked(link->remote.account)) return refuse(603);
  const auto standing = rooms.contacts.judge(*from, link->remote.account);
  if (standing == Standing::changed) {
    report_impostor(rooms, id, *from, *link);
    return refuse(403);
  }
  if (!is_us(rooms, call.to)) return refuse(404);
  const auto visible =
      std::count_if(calls.begin(), calls.end(), [](const auto& c) { return !c.second.facts().hidden(); });
  if (!expected && static_cast<std::size_t>(visible) >= rooms.config.max_calls) return refuse(486);
  std::optional<sip::AudioOffer> offer;
  if (!call.sdp.empty()) {
    const auto read = sip::read_audio(call.sdp);
    if (!read || !sip::make_answer(*read, describe(rooms.config, rooms.rng))) return refuse(488);
    offer = *read;
  }
  if (standing == Standing::stranger && !expected) {
    if (const auto code = meet_stranger(rooms, now, calls, *from, *link)) return refuse(*code);
  }

  Admitted out;
  out.known = standing == Standing::contact;
  out.facts.id = id;
  out.facts.direction = Direction::incoming;
  out.facts.peer = *from;
  // By the name that we know them by, not by one that they claim today.
  if (const auto* contact = out.known ? rooms.contacts.find(crypto::key_hash(link->remote.account)) : nullptr) {
    if (rooms.contacts.find(*from) != contact) out.facts.peer = contact->address;
  } else if (!from->is_key_name() && !expected) {
    out.facts.name_check = NameCheck::pending;
  }
  out.facts.began = now;
  out.facts.started = rooms.wall;
  out.facts.verified = out.known;
  out.incoming.line.peer = call.peer;
  out.incoming.line.link = link->id;
  out.incoming.line.call = call.call;
  out.incoming.line.account = link->remote.account;
  out.incoming.offer = std::move(offer);
  // The caller's own ring timeout comes first.
  out.incoming.until = now + rooms.config.ring_timeout + std::chrono::seconds(10);
  return out;
}

}  // namespace linnet::node
