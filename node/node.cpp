#include "node/node.h"

#include <algorithm>
#include <utility>

#include "node/node_impl.h"

namespace linnet::node {
namespace {

// One input leads to a handful of steps; a loop between two rooms would be our mistake, not a peer's chance.
constexpr int kMaxSteps = 1000;
constexpr Duration kIdleCheck = std::chrono::seconds(15);

sip::Config sip_config(const NodeConfig& config, const crypto::Identity& identity) {
  sip::Config out;
  out.local_uri = uri_of(identity.address);
  out.user_agent = config.user_agent;
  out.reliable = true;  // the sip channel of a session delivers
  return out;
}

}  // namespace

Node::Impl::Impl(NodeConfig config_in, const crypto::Suite& suite_in, Rng& rng_in, crypto::Identity identity_in,
                 overlay::HostCache cache, Memory memory)
    : config(std::move(config_in)),
      suite(suite_in),
      rng(rng_in),
      identity(std::move(identity_in)),
      contacts(std::move(memory)),
      peer(config.peer, suite, rng, identity, std::move(cache)),
      sip(sip_config(config, identity), rng) {}

void Node::Impl::settle(Time now) {
  for (int step = 0; step < kMaxSteps; ++step) {
    bool moved = false;
    while (auto event = peer.poll_event()) {
      moved = true;
      std::visit([&](auto& what) { on(now, what); }, *event);
    }
    while (auto event = sip.poll_event()) {
      moved = true;
      std::visit([&](const auto& what) { on(now, what); }, *event);
    }
    while (const auto message = sip.poll_message()) {
      moved = true;
      deliver(now, *message);
    }
    if (!moved) break;
  }
  auto r = rooms();
  for (auto& entry : calls) {
    if (auto* talking = entry.second.talking()) talking->send(r, now);
  }
  reap(now);
  if (std::exchange(calls_moved, false)) keep_links();
  leave_step(now);
}

void Node::Impl::keep_links() {
  for (auto& entry : links.all()) {
    auto& link = entry.second;
    const bool kept = used(link.peer());
    if (kept != link.kept) peer.keep(link.id, kept);
    link.kept = kept;
  }
}

// Without a link the message is lost; SIP's transactions end by their own timers.
void Node::Impl::deliver(Time now, const sip::Outgoing& message) {
  if (auto* link = links.to(message.to)) (void)peer.send(now, link->id, overlay::Channel::sip, message.bytes);
}

void Node::Impl::reap(Time now) {
  for (auto it = calls.begin(); it != calls.end();) {
    if (!it->second.over()) {
      ++it;
      continue;
    }
    calls_moved = true;
    out.ended(it->first);
    out.push(event::CallEnded{it->second.summary()});
    out.status_changed();
    it = calls.erase(it);
    for (auto& entry : links.all()) {
      if (!used(entry.second.peer())) entry.second.idle_since = std::max(entry.second.idle_since, now);
    }
  }
}

bool Node::Impl::used(const sip::PeerId& to) const {
  return std::any_of(calls.begin(), calls.end(), [&](const auto& entry) { return entry.second.uses(to); });
}

Call* Node::Impl::owner(sip::CallId call) {
  for (auto& entry : calls) {
    if (entry.second.owns(call)) return &entry.second;
  }
  return nullptr;
}

void Node::Impl::close_idle_links(Time now) {
  std::vector<overlay::SessionId> idle;
  for (auto& entry : links.all()) {
    auto& link = entry.second;
    if (used(link.peer())) link.idle_since = now;
    if (now - link.idle_since >= Links::kIdle) idle.push_back(link.id);
  }
  for (const auto id : idle) {
    peer.close(now, id);
    on(now, overlay::LinkDown{id, overlay::DownReason::closed});
  }
  idle_check = links.size() == 0 ? kNever : now + kIdleCheck;
}

void Node::Impl::handle_timeout(Time now) {
  if (now >= peer.next_timeout()) peer.handle_timeout(now);
  if (now >= sip.next_timeout()) sip.handle_timeout(now);
  for (auto& entry : calls) {
    if (now < entry.second.next_timeout()) continue;
    auto r = rooms();
    if (!entry.second.handle(r, now, input::Tick{})) continue;
    calls_moved = true;
    out.changed(entry.first);
  }
  if (now >= idle_check) close_idle_links(now);
  if (now >= invitations.next_timeout()) {
    auto r = rooms();
    invitations.handle_timeout(r, now);
  }
  settle(now);
}

Time Node::Impl::next_timeout() const {
  if (leaving == Leaving::left && !out.empty()) return Time{};  // Left came while transmits were polled: fetch it
  Time out_at =
      std::min({peer.next_timeout(), sip.next_timeout(), idle_check, last_words_by, invitations.next_timeout()});
  if (leaving != Leaving::no && leaving != Leaving::left) out_at = std::min(out_at, drained_by);
  for (const auto& entry : calls) out_at = std::min(out_at, entry.second.next_timeout());
  return out_at;
}

void Node::Impl::renew_certificate(Wall now) {
  if (!crypto::needs_renewal(identity.certificate, now)) return;
  crypto::renew_certificate(suite, identity, now);
  out.push(event::SaveIdentity{});
}

void Node::Impl::on(Time now, const overlay::StateChanged& changed) {
  out.status_changed();
  if (changed.state != overlay::State::online) return;
  auto r = rooms();
  invitations.online(r, now);
}
void Node::Impl::on(Time, const overlay::SupernodesChanged&) { out.status_changed(); }
void Node::Impl::on(Time, const overlay::HostCacheChanged&) { out.push(event::SaveHostCache{}); }
void Node::Impl::on(Time, const overlay::SequenceUsed& used_below) { out.push(event::SaveSequence{used_below.below}); }

void Node::Impl::on(Time now, const overlay::Found& found) {
  auto r = rooms();
  if (lookups.on_found(r, wall, found) || desk.on_found(r, found) || invitations.on_found(r, now, found)) return;
  bool taken = false;
  if (const auto verdict = claims.on_found(r, found, taken)) {
    if (const auto call = calls.find(verdict->call); call != calls.end()) tell(now, call->second, verdict->checked);
  }
  if (taken) return;
  tell_all(now, found);
}

void Node::Impl::on(Time now, const overlay::LinkUp& up) {
  auto r = rooms();
  reception.on(r, now, calls, up);
  const auto* link = links.find(up.link);
  if (link == nullptr) return;
  sip.peer_reconnected(link->peer());
  if (idle_check == kNever) idle_check = now + kIdleCheck;
  calls_moved = true;
  invitations.on(r, now, up);
  tell_all(now, up);
}

void Node::Impl::on(Time now, const overlay::LinkDown& down) {
  const auto* link = links.find(down.link);
  const auto known = link == nullptr ? std::nullopt : std::optional(link->peer());
  links.remove(down.link);
  auto r = rooms();
  invitations.on(r, now, down);
  tell_all(now, down);
  if (!known) return;
  if (links.to(*known) != nullptr) {
    (void)sip.set_peer_identity(*known, links.names(*known));
    return;
  }
  const bool awaited =
      std::any_of(calls.begin(), calls.end(), [&](const auto& entry) { return entry.second.waits_for(*known); });
  if (!awaited) sip.peer_lost(now, *known);
}

void Node::Impl::on(Time now, const overlay::LinkMessage& message) {
  if (message.channel == overlay::Channel::people) {
    auto r = rooms();
    return invitations.on_message(r, now, claims, message);
  }
  if (message.channel != overlay::Channel::sip) return;
  if (const auto* link = links.find(message.link)) sip.handle_message(now, link->peer(), message.bytes);
}

void Node::Impl::on(Time now, const overlay::LinkPath& moved) { tell_all(now, moved); }

void Node::Impl::on(Time now, overlay::LinkVoice& voice) {
  const auto* link = links.find(voice.link);
  if (link == nullptr) return;
  const auto from = link->peer();
  for (auto& entry : calls) {
    auto* talking = entry.second.talking();
    if (talking != nullptr && talking->line.peer == from && talking->hear(now, voice.bytes)) return;
  }
}

void Node::Impl::on(Time now, const sip::IncomingCall& incoming) {
  if (leaving != Leaving::no) return (void)sip.reject(now, incoming.call, 480);
  const CallId id{++last_call};
  auto r = rooms();
  auto admitted = reception.admit(r, now, wall, calls, id, incoming);
  if (!admitted) return;
  admitted->facts.rang = now;
  const auto from = admitted->facts.peer;
  (void)sip.ring(now, incoming.call);
  auto& call = calls.emplace(id, Call(std::move(admitted->facts), std::move(admitted->incoming))).first->second;
  out.push(event::IncomingCall{id, from, admitted->known});
  out.changed(id);
  calls_moved = true;
  if (call.facts().name_check == NameCheck::pending) claims.check(r, now, id, from, *call.account());
  if (config.auto_answer) tell(now, call, input::Answer{false});
}

void Node::Impl::on(Time now, const sip::Answered& answered) {
  if (auto* call = owner(answered.call)) return tell(now, *call, answered);
  // The call it was for is over: somebody else answered first, or the person hung up.
  (void)sip.bye(now, answered.call, sip::Core::kElsewhere);
}

Node::Node(NodeConfig config, const crypto::Suite& suite, Rng& rng, crypto::Identity identity, overlay::HostCache cache,
           Memory memory)
    : impl_(std::make_unique<Impl>(std::move(config), suite, rng, std::move(identity), std::move(cache),
                                   std::move(memory))) {}
Node::~Node() = default;

void Node::start(Time now, Wall wall) {
  impl_->wall = wall;
  impl_->renew_certificate(wall);
  impl_->peer.start(now, wall);
  auto rooms = impl_->rooms();
  impl_->invitations.start(rooms, now);
  impl_->settle(now);
}

void Node::handle_wall(Time now, Wall wall) {
  impl_->wall = wall;
  impl_->renew_certificate(wall);
  impl_->peer.handle_wall(now, wall);
  impl_->settle(now);
}

void Node::handle_datagram(Time now, const Datagram& datagram) {
  impl_->peer.handle_datagram(now, datagram);
  impl_->settle(now);
}

void Node::handle_neighbour(Time now, const overlay::Neighbour& neighbour) {
  impl_->peer.handle_neighbour(now, neighbour);
  impl_->settle(now);
}

void Node::neighbour_lost(Time now, const overlay::Neighbour& neighbour) {
  impl_->peer.neighbour_lost(now, neighbour);
}

void Node::handle_addresses(Time now, std::vector<Endpoint> listen) {
  impl_->peer.handle_addresses(now, std::move(listen));
}

void Node::handle_timeout(Time now) { impl_->handle_timeout(now); }
Time Node::next_timeout() const { return impl_->next_timeout(); }

std::optional<Transmit> Node::poll_transmit() {
  auto transmit = impl_->peer.poll_transmit();
  impl_->leave_polled(!transmit.has_value());
  return transmit;
}

std::optional<Node::Event> Node::poll_event() { return impl_->out.pop(); }

void Node::sequence_stored(Time now, std::uint64_t below) {
  impl_->peer.sequence_stored(now, below);
  impl_->settle(now);
}

void Node::command(Time now, CommandId id, const Command& command) {
  std::visit([&](const auto& what) { impl_->command(now, id, what); }, command);
  impl_->settle(now);
}

void Node::capture(Time now, CallId id, std::span<const std::int16_t> samples) {
  const auto found = impl_->calls.find(id);
  auto* talking = found == impl_->calls.end() ? nullptr : found->second.talking();
  if (talking == nullptr) return;
  talking->voice.capture(now, samples);
  auto rooms = impl_->rooms();
  talking->send(rooms, now);
}

std::size_t Node::play(Time now, CallId id, std::span<std::int16_t> samples) {
  const auto found = impl_->calls.find(id);
  auto* talking = found == impl_->calls.end() ? nullptr : found->second.talking();
  if (talking != nullptr) return talking->voice.play(now, samples);
  std::fill(samples.begin(), samples.end(), std::int16_t{0});
  return samples.size();
}

Status Node::status(Time now) const {
  Status out;
  out.state = impl_->peer.state();
  out.role = impl_->peer.role();
  out.uri = impl_->identity.address;
  out.key_name = impl_->identity.key_name();
  out.listen = impl_->config.peer.listen;
  out.supernodes = impl_->peer.supernodes();
  const auto rooms = impl_->rooms();
  for (const auto& entry : impl_->calls) out.calls.push_back(entry.second.view(rooms, now));
  return out;
}

std::optional<CallView> Node::call(Time now, CallId id) const {
  const auto found = impl_->calls.find(id);
  if (found == impl_->calls.end()) return std::nullopt;
  return found->second.view(impl_->rooms(), now);
}

const overlay::HostCache& Node::host_cache() const { return impl_->peer.host_cache(); }
const overlay::Peer& Node::peer() const { return impl_->peer; }
const Memory& Node::memory() const { return impl_->contacts.memory(); }
const crypto::Identity& Node::identity() const { return impl_->identity; }

}  // namespace linnet::node
