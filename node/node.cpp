#include "node/node.h"

#include <algorithm>
#include <utility>

#include "node/last_seen.h"
#include "node/node_impl.h"
#include "node/not_online.h"
#include "overlay/forward.h"

namespace linnet::node {
namespace {

// Checks, frames and voice: all that comes through a TURN server. Who wants anything else finds our port.
bool of_a_link(ByteView packet) {
  return !packet.empty() && (packet[0] <= 3 || packet[0] == 8 || (packet[0] >= 128 && packet[0] <= 191));
}

// Bare, or perhaps passed on by a supernode.
bool may_be_voice(ByteView packet) {
  return !packet.empty() && ((packet[0] >= 128 && packet[0] <= 191) || packet[0] == overlay::kForwardType);
}

}  // namespace

Node::Node(NodeConfig config, const crypto::Suite& suite, Rng& rng, crypto::Identity identity, overlay::HostCache cache,
           Memory memory)
    : impl_(std::make_unique<Impl>(std::move(config), suite, rng, std::move(identity), std::move(cache),
                                   std::move(memory))) {}
Node::~Node() = default;

void Node::start(Time now, Wall wall) {
  impl_->wall = wall;
  impl_->began = now;
  (void)impl_->renew_certificate(wall);
  impl_->peer.start(now, wall);
  auto rooms = impl_->rooms();
  impl_->invitations.start(rooms, now);
  impl_->settle(now);
}

void Node::handle_wall(Time now, Wall wall) {
  impl_->peer.handle_wall(now, wall);
  impl_->look_at_clock(now);
  auto rooms = impl_->rooms();
  note_heard(rooms, now);
  impl_->settle(now);
}

void Node::handle_datagram(Time now, const Datagram& datagram) {
  const bool by_turn = datagram.from.socket == overlay::kByTurn;
  if (by_turn && !of_a_link(datagram.bytes)) return;
  const bool serves = !by_turn && impl_->peer.role() == overlay::Role::supernode && !impl_->peer.serving_links();
  const auto agents = [&](const nat::stun::Message& message) {
    if (!impl_->traversal.take(impl_->traversal_rooms(now), datagram.from, message)) return false;
    impl_->settle(now);
    return true;
  };
  if (impl_->stun.take(now, datagram, serves, agents)) return impl_->ask_partner(now);
  impl_->peer.handle_datagram(now, datagram);
  if (may_be_voice(datagram.bytes) && impl_->settle_voice(now)) return;
  impl_->settle(now);
}

std::optional<overlay::Forward> Node::forward(Time now, const Endpoint& from, MutableBytes packet) {
  return impl_->peer.forward(now, from, packet);
}

void Node::handle_neighbour(Time now, const overlay::Neighbour& neighbour) {
  impl_->peer.handle_neighbour(now, neighbour);
  impl_->settle(now);
}

void Node::neighbour_lost(Time now, const overlay::Neighbour& neighbour) {
  impl_->peer.neighbour_lost(now, neighbour);
  impl_->settle(now);
}

void Node::handle_addresses(Time now, std::vector<Endpoint> listen) {
  const bool moved = listen != impl_->config.peer.listen;
  impl_->config.peer.listen = listen;
  impl_->out.status_changed();
  impl_->peer.handle_addresses(now, std::move(listen));
  if (moved) impl_->traversal.addresses_changed(impl_->traversal_rooms(now));
  if (moved) impl_->conferences.addresses_changed(impl_->rooms(), now);
  impl_->nat.addresses_changed(now);
  impl_->settle(now);
}

void Node::handle_mappings(Time now, std::vector<OpenPort> open) {
  if (open == impl_->outside.all()) return;
  impl_->outside.set(std::move(open));
  std::vector<MappedPort> proven;
  for (const auto& port : impl_->outside.all()) {
    const bool datagrams = port.external.transport == Transport::udp;
    if (datagrams && port.reached.value_or(false)) proven.push_back({port.internal, port.external});
  }
  impl_->peer.set_outside(now, impl_->outside.place());
  impl_->tell_streams();
  impl_->traversal.on_mappings(impl_->traversal_rooms(now), std::move(proven));
  impl_->out.status_changed();
  impl_->settle(now);
}

void Node::set_turn(Time now, std::optional<TurnPlace> place) {
  impl_->traversal.on_turn(impl_->traversal_rooms(now), std::move(place));
  impl_->out.status_changed();
  impl_->settle(now);
}

void Node::set_streams(std::vector<Endpoint> taken) {
  impl_->taken_streams = std::move(taken);
  impl_->tell_streams();
}

void Node::set_fit(Time now, std::optional<overlay::Fit> fit) {
  impl_->peer.set_fit(now, std::move(fit));
  impl_->out.status_changed();
  impl_->settle(now);
}

void Node::serve(Time now) {
  impl_->peer.serve(now);
  impl_->settle(now);
}

void Node::serve_own_links(Time now, bool may) {
  impl_->peer.serve_own_links(now, may);
  impl_->settle(now);
}

void Node::spare_strangers(bool spare) { impl_->peer.spare_strangers(spare); }

void Node::set_one_address(Time now, std::vector<Endpoint> sockets, const std::optional<OneAddress>& one_address) {
  impl_->config.sockets = std::move(sockets);
  impl_->config.one_address = one_address;
  impl_->stun = StunDoor(impl_->config.sockets, one_address);
  impl_->peer.set_second_port(now, one_address ? one_address->second_port : 0);
  impl_->settle(now);
}

void Node::ask_dial(Time now, const Endpoint& supernode, const overlay::control::DialNonce& nonce, std::uint16_t port) {
  impl_->peer.ask_dial(now, supernode, {nonce, port});
  impl_->settle(now);
}

void Node::handle_timeout(Time now) { impl_->handle_timeout(now); }
Time Node::next_timeout() const { return impl_->next_timeout(); }

std::optional<Transmit> Node::poll_transmit() {
  if (auto answer = impl_->stun.poll_transmit()) return answer;
  if (auto check = impl_->traversal.poll_transmit()) return check;
  auto transmit = impl_->peer.poll_transmit();
  impl_->leave_polled(!transmit.has_value());
  return transmit;
}

std::optional<Node::Event> Node::poll_event() { return impl_->out.pop(); }

void Node::fan_opened(Time now, std::size_t sockets) {
  impl_->traversal.fan_opened(impl_->traversal_rooms(now), sockets);
  impl_->settle(now);
}

std::optional<FanShot> Node::poll_fan() { return impl_->traversal.poll_fan(); }

bool Node::fan_heard(Time now, std::size_t socket, const Datagram& datagram) {
  if (!nat::stun::is_stun(datagram.bytes)) return false;
  const auto message = nat::stun::Message::parse(datagram.bytes);
  const bool found = message && impl_->traversal.fan_heard(impl_->traversal_rooms(now), socket, *message);
  impl_->settle(now);
  return found;
}

std::vector<Endpoint> Node::stun_servers() const { return node::stun_servers(impl_->peer.supernodes()); }

void Node::probed(Time now, Probed found) {
  impl_->binding.look(now, found);
  impl_->peer.set_keepalive(now, impl_->binding.keepalive());
  impl_->nat.done(now, std::move(found));
  auto rooms = impl_->rooms();
  tell_network(rooms, now);
  impl_->out.status_changed();
  impl_->settle(now);
}

void Node::binding_found(Time now, const nat::BindingLife::Found& found) {
  impl_->binding.found(now, found);
  impl_->peer.set_keepalive(now, impl_->binding.keepalive());
  impl_->out.status_changed();
  impl_->settle(now);
}

void Node::relayed_beside(Time now, std::uint64_t bytes) {
  impl_->peer.relayed_beside(now, bytes);
  impl_->settle(now);
}

void Node::sequence_stored(Time now, std::uint64_t below) {
  impl_->peer.sequence_stored(now, below);
  impl_->settle(now);
}

void Node::command(Time now, CommandId id, const Command& command) {
  std::visit([&](const auto& what) { impl_->command(now, id, what); }, command);
  impl_->settle(now);
}

void Node::capture(Time now, CallId id, std::span<const std::int16_t> samples) {
  auto rooms = impl_->rooms();
  if (impl_->conferences.has(id)) return impl_->conferences.capture(impl_->host(rooms), now, id, samples);
  const auto found = impl_->calls.find(id);
  auto* talking = found == impl_->calls.end() ? nullptr : found->second.talking();
  if (talking == nullptr) return;
  talking->voice.capture(now, samples);
  talking->send(rooms, now);
}

void Node::capture_took(CallId id, Duration cost, std::size_t samples) {
  const auto found = impl_->calls.find(id);
  auto* talking = found == impl_->calls.end() ? nullptr : found->second.talking();
  if (talking != nullptr) talking->voice.capture_took(cost, samples);
}

std::size_t Node::play(Time now, CallId id, std::span<std::int16_t> samples) {
  if (impl_->conferences.has(id)) {
    auto rooms = impl_->rooms();
    return impl_->conferences.play(impl_->host(rooms), now, id, samples);
  }
  const auto found = impl_->calls.find(id);
  auto* talking = found == impl_->calls.end() ? nullptr : found->second.talking();
  if (talking != nullptr) return talking->voice.play(now, samples);
  std::fill(samples.begin(), samples.end(), std::int16_t{0});
  return samples.size();
}

void Node::set_recording(Time now, CallId id, bool on) {
  impl_->conferences.set_recording(now, id, on);
  impl_->settle(now);
}

void Node::set_conference_means(Time now, const ConferenceMeans& means) {
  impl_->conferences.set_means(now, means);
  impl_->settle(now);
}

std::uint64_t Node::conference_frames() const { return impl_->conferences.frames(); }

Time Node::conference_due() const { return impl_->conferences.next_frame(); }

void Node::conference_took(Time now, Duration took) {
  auto rooms = impl_->rooms();
  if (impl_->conferences.frames_took(impl_->host(rooms), now, took)) impl_->settle(now);
}

NodeStatus Node::status(Time now) const {
  NodeStatus out;
  out.state = impl_->peer.state();
  out.role = impl_->peer.role();
  out.standby = impl_->peer.standby();
  out.uri = impl_->identity.address;
  out.key_name = impl_->identity.key_name();
  out.listen = impl_->config.peer.listen;
  out.supernodes = impl_->peer.supernodes();
  out.clock_ahead = impl_->peer.network_clock().ahead();
  out.nat = impl_->nat.type();
  out.network = impl_->nat.last();
  out.binding = impl_->binding.known();
  out.keepalive = impl_->binding.keepalive();
  out.mapped = impl_->outside.all();
  out.place = impl_->peer.place();
  if (out.place) out.place_why = impl_->outside.why(*out.place, out.listen);
  if (impl_->came_online) out.joined_in = *impl_->came_online - impl_->began;
  out.clock_voices = impl_->peer.network_clock().voices();
  out.udp_probes = impl_->peer.udp_probes();
  out.udp_answers = impl_->peer.udp_answers();
  out.relay = impl_->peer.relay_status();
  if (out.relay) out.relay->partner = impl_->peer.partner();
  out.why = why_not_online(out, impl_->peer.network_clock());
  const auto rooms = impl_->rooms();
  for (const auto& entry : impl_->calls)
    if (!entry.second.facts().hidden()) out.calls.push_back(entry.second.view(rooms, now));
  for (const auto id : impl_->conferences.ids())
    if (auto view = impl_->conferences.call_view(rooms, impl_->calls, now, id)) out.calls.push_back(std::move(*view));
  out.conferences = impl_->conferences.views(rooms, impl_->calls);
  out.rooms = impl_->conferences.room_views(rooms);
  return out;
}

std::optional<std::vector<KeeperView>> Node::keepers(const std::string& room) const { return impl_->keepers(room); }

std::optional<CallView> Node::call(Time now, CallId id) const {
  if (impl_->conferences.has(id)) return impl_->conferences.call_view(impl_->rooms(), impl_->calls, now, id);
  const auto found = impl_->calls.find(id);
  if (found == impl_->calls.end()) return std::nullopt;
  return found->second.view(impl_->rooms(), now);
}

std::optional<PathView> Node::link_paths(overlay::SessionId link) const { return impl_->traversal.view(link); }

const overlay::HostCache& Node::host_cache() const { return impl_->peer.host_cache(); }
const overlay::Peer& Node::peer() const { return impl_->peer; }
const Memory& Node::memory() const { return impl_->contacts.memory(); }
std::vector<StoredRoom> Node::kept_rooms() const {
  std::vector<StoredRoom> out;
  for (const auto& entry : impl_->book.all()) out.push_back(entry.second);
  return out;
}
const crypto::Identity& Node::identity() const { return impl_->identity; }

}  // namespace linnet::node
