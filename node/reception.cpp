#include "node/reception.h"

#include <algorithm>
#include <utility>

namespace linnet::node {
namespace {

bool used(const Calls& calls, const sip::PeerId& peer) {
  return std::any_of(calls.begin(), calls.end(), [&](const auto& entry) { return entry.second.uses(peer); });
}

std::size_t strangers_ringing(const Calls& calls) {
  return static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(), [](const auto& entry) {
    return entry.second.ringing_us() && !entry.second.facts().verified;
  }));
}

bool is_us(const Rooms& rooms, const sip::Uri& to) {
  const auto address = crypto::Address::parse(to.address());
  return address && (*address == rooms.identity.address || *address == rooms.identity.key_name());
}

void report_impostor(Rooms& rooms, Time now, Wall wall, CallId id, const crypto::Address& from, Link& link) {
  (void)now;
  if (std::exchange(link.alarmed, true)) return;
  CallSummary row;
  row.id = id;
  row.direction = Direction::incoming;
  row.peer = from;
  row.result = CallResult::identity;
  row.started = wall;
  const auto pinned = rooms.contacts.pin(from);
  row.text = pinned ? explain(from, IdentityChanged{*pinned, link.remote.account})
                    : "IDENTITY CHANGED: the caller does not hold the key of " + from.text() + ". Call refused.";
  rooms.out.push(event::CallEnded{std::move(row)});
}

}  // namespace

// The link that was idle for longest makes room, if there is one.
bool Reception::make_room(Rooms& rooms, Time now, const Calls& calls) {
  const Link* oldest = nullptr;
  for (const auto& entry : rooms.links.all()) {
    const auto& link = entry.second;
    if (!used(calls, link.peer()) && (oldest == nullptr || link.idle_since < oldest->idle_since)) oldest = &link;
  }
  if (oldest == nullptr) return false;
  const auto id = oldest->id;
  const auto peer = oldest->peer();
  rooms.peer.close(now, id);
  rooms.links.remove(id);
  if (rooms.links.to(peer) == nullptr) rooms.sip.peer_lost(now, peer);
  return true;
}

// A token bucket: who rings and hangs up a thousand times wakes nobody a thousand times.
bool Reception::let_stranger_ring(Time now, const Calls& calls) {
  const auto passed = static_cast<std::size_t>((now - rings_since_) / kStrangerInterval);
  if (rings_ + passed >= kStrangerRings) {
    rings_ = kStrangerRings;
    rings_since_ = now;
  } else {
    rings_ += passed;
    rings_since_ += static_cast<Duration::rep>(passed) * kStrangerInterval;
  }
  if (rings_ == 0 || strangers_ringing(calls) >= kMaxStrangers) return false;
  --rings_;
  return true;
}

void Reception::on(Rooms& rooms, Time now, const Calls& calls, const overlay::LinkUp& up) {
  auto* link = rooms.links.add(now, up);
  if (link == nullptr && make_room(rooms, now, calls)) link = rooms.links.add(now, up);
  if (link == nullptr) return rooms.peer.close(now, up.link);
  const auto peer = link->peer();
  if (!rooms.sip.set_peer_identity(peer, rooms.links.names(peer))) {
    rooms.links.remove(up.link);
    return rooms.peer.close(now, up.link);
  }
  const auto standing = rooms.contacts.judge(up.remote.address, up.remote.account);
  if (standing != Standing::changed && rooms.contacts.knows(up.remote.account)) share_endpoints(rooms, now, up.link);
}

std::optional<Reception::Admitted> Reception::admit(Rooms& rooms, Time now, Wall wall, const Calls& calls, CallId id,
                                                    const sip::IncomingCall& call) {
  const auto refuse = [&](int code) {
    (void)rooms.sip.reject(now, call.call, code);
    return std::nullopt;
  };
  auto* link = rooms.links.to(call.peer);
  if (link == nullptr) return refuse(480);
  const auto from = crypto::Address::parse(call.from.address());
  // SIP has held From against the names of this device; a name that is none of ours to parse is refused here.
  if (!from) return refuse(403);
  const auto standing = rooms.contacts.judge(*from, link->remote.account);
  if (standing == Standing::changed) {
    report_impostor(rooms, now, wall, id, *from, *link);
    return refuse(403);
  }
  if (!is_us(rooms, call.to)) return refuse(404);
  if (calls.size() >= rooms.config.max_calls) return refuse(486);
  std::optional<sip::AudioOffer> offer;
  if (!call.sdp.empty()) {
    const auto read = sip::read_audio(call.sdp);
    if (!read || !sip::make_answer(*read, describe(rooms.config, rooms.rng))) return refuse(488);
    offer = *read;
  }
  if (standing == Standing::stranger && !rooms.config.auto_answer && !let_stranger_ring(now, calls)) return refuse(486);

  Admitted out;
  out.known = standing == Standing::contact;
  out.facts.id = id;
  out.facts.direction = Direction::incoming;
  out.facts.peer = *from;
  out.facts.began = now;
  out.facts.started = wall;
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
