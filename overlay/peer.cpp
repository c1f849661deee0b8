#include "overlay/peer.h"

#include <algorithm>
#include <utility>

#include "overlay/peer_impl.h"

namespace linnet::overlay {

Peer::Peer(PeerConfig config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity, HostCache cache)
    : impl_(std::make_unique<Impl>(std::move(config), suite, rng, identity, std::move(cache))) {}
Peer::~Peer() = default;

void Peer::start(Time now, Wall wall) { impl_->start(now, wall); }

void Peer::handle_wall(Time now, Wall wall) {
  impl_->set_clock(now, wall);
  if (impl_->identity.certificate.not_after != impl_->introduced_until) impl_->introduce_again(now);
  impl_->look_at_clock(now);
}

Wall Peer::wall(Time now) const { return impl_->wall_at(now); }
const dht::NetworkClock& Peer::network_clock() const { return impl_->network_clock(); }

void Peer::handle_datagram(Time now, const Datagram& datagram) { impl_->handle(now, datagram); }
std::optional<Forward> Peer::forward(Time now, const Endpoint& from, MutableBytes packet) {
  return impl_->forward(now, from, packet);
}
void Peer::handle_timeout(Time now) { impl_->handle_timeout(now); }
Time Peer::next_timeout() const { return impl_->next_timeout(); }
std::optional<Transmit> Peer::poll_transmit() { return impl_->poll_transmit(); }

bool Peer::has_events() const { return !impl_->events.empty(); }

std::optional<Peer::Event> Peer::poll_event() {
  if (impl_->events.empty()) return std::nullopt;
  return impl_->events.take();
}

void Peer::sequence_stored(Time now, std::uint64_t below) {
  impl_->publisher.sequences().confirm(below);
  if (!impl_->running) return;
  impl_->publisher.handle_timeout(impl_->at(now));
  impl_->pump(now);
}

void Peer::identity_changed(Time now) {
  impl_->introduce_again(now);
  if (impl_->running) impl_->pump(now);
}

void Peer::join_through(Time now, const std::vector<SupernodeAddress>& supernodes) {
  auto& configured = impl_->config.bootstrap;
  const auto c = impl_->at(now);
  for (const auto& s : supernodes) {
    if (s.session == impl_->identity.session_key()) continue;
    if (impl_->running) impl_->attachments.seek(c, s.endpoint, s.session);
    const bool known = std::find(configured.begin(), configured.end(), s.endpoint) != configured.end();
    if (!known && configured.size() < Bootstrap::kFromConfig) configured.push_back(s.endpoint);
  }
  impl_->pump(now);
}

void Peer::publish_also(Time now, const crypto::Address& address, const AlsoKnown& as) {
  if (!impl_->running || impl_->leaving_by != kNever) return;
  impl_->publisher.publish_also(impl_->at(now), address, as);
  impl_->publisher.handle_timeout(impl_->at(now));
  impl_->pump(now);
}

void Peer::withdraw(Time now, const crypto::Address& address) {
  if (!impl_->running || impl_->leaving_by != kNever) return;
  impl_->publisher.withdraw(impl_->at(now), address);
  impl_->publisher.handle_timeout(impl_->at(now));
  impl_->pump(now);
}

Result<FindId> Peer::find(Time now, const crypto::Address& address, std::optional<crypto::AccountKey> pinned,
                          bool cold) {
  const auto c = impl_->at(now);
  const auto sessions = impl_->attachments.for_questions(c, Finder::kWhom);
  const auto id = impl_->finder.find(c, address, pinned, cold, sessions, impl_->asks_itself());
  impl_->pump(now);
  return id;
}

Result<SessionId> Peer::connect(Time now, const crypto::Address& address, const FoundDevice& device, bool cold) {
  const auto c = impl_->at(now);
  const auto* record = impl_->publisher.record(impl_->identity.address);
  if (!record || !impl_->running) return fail(Fault::refused);
  const auto hello = write_person_hello(impl_->identity.address, *record);
  const auto link = impl_->links.connect(c, impl_->rooms(), address, device, cold, hello);
  impl_->pump(now);
  return link;
}

Status Peer::send(Time now, SessionId link, Channel channel, Bytes message) {
  return impl_->links.send(impl_->at(now), link, channel, std::move(message));
}

void Peer::send_voice(Time now, SessionId link, ByteView packet) {
  const auto ways = impl_->links.voice_ways(impl_->at(now), link);
  if (!ways) {
    ++impl_->counters.dropped;
    return;
  }
  impl_->links.voice_sent(now, link);
  impl_->voice_out(ways->first, packet);
  // Of RTCP (RFC 5761 section 4) one copy is enough.
  const bool report = packet.size() > 1 && packet[1] >= 192 && packet[1] <= 223;
  if (ways->second && !report) impl_->voice_out(*ways->second, packet);
}

void Peer::ask_both(Time now, SessionId link, Duration lease, bool urgent) {
  impl_->links.ask_both(impl_->at(now), link, lease, urgent);
  if (urgent) impl_->ask_supernodes(now, link);
}
void Peer::set_room(Time now, SessionId link, Room room) { impl_->links.set_room(impl_->at(now), link, room); }
bool Peer::goes_both(Time now, SessionId link) const { return impl_->links.goes_both(now, link); }

void Peer::show_endpoints(Time now, SessionId link) { impl_->links.show(impl_->at(now), link); }

void Peer::offer_path(Time now, SessionId link, const Path& path, bool use) {
  if (!impl_->links.owns(link)) return;
  if (use) {
    impl_->sessions.use_path(now, link, path);
  } else {
    impl_->sessions.try_path(now, link, path);
  }
  impl_->pump(now);
}

void Peer::drop_path(Time now, SessionId link, const Path& path) {
  if (!impl_->links.owns(link)) return;
  impl_->links.dropped(link, path);
  impl_->sessions.drop_path(now, link, path);
  impl_->pump(now);
}

void Peer::note_relay(SessionId link, const Endpoint& endpoint) {
  if (impl_->links.owns(link)) impl_->sessions.note_relay(link, endpoint);
}

void Peer::send_on_circuit(Time, SessionId link, const Path& circuit, ByteView bytes) {
  if (!impl_->links.has_circuit(link, circuit)) return (void)++impl_->counters.dropped;
  impl_->outbox.push_back({circuit.endpoint, write_tagged(ForwardKind::circuit, circuit.id, bytes)});
}

void Peer::show_on_circuit(Time now, SessionId link, const Path& circuit) {
  impl_->links.show_on(impl_->at(now), impl_->rooms(), link, circuit);
  impl_->pump(now);
}

void Peer::ping(Time now, SessionId link) {
  if (!impl_->links.owns(link)) return;
  for (const auto& path : impl_->sessions.proven_paths(link)) impl_->sessions.try_path(now, link, path);
  impl_->pump(now);
}

std::optional<LinkReport> Peer::report(SessionId id) const {
  const auto* link = std::as_const(impl_->links).find(id);
  if (link == nullptr) return std::nullopt;
  LinkReport out{impl_->sessions.current_path(id), impl_->sessions.proven_paths(id), {}};
  out.circuits = Links::tries(impl_->rooms(), *link);
  std::erase_if(out.circuits, [](const CircuitTry& t) { return t.result == CircuitTry::Result::idle; });
  return out;
}

std::optional<std::vector<Endpoint>> Peer::on_lan(const crypto::SessionKey& key) const {
  if (impl_->config.lan == LanMode::off) return std::nullopt;
  return impl_->lan.neighbours().endpoints_of(key);
}

std::size_t Peer::neighbour_count() const { return impl_->lan.neighbours().all().size(); }

void Peer::keep(Time now, SessionId link, bool kept) { impl_->links.keep(impl_->at(now), link, kept); }

void Peer::close(Time now, SessionId link) {
  impl_->links.close(impl_->at(now), impl_->rooms(), link);
  impl_->pump(now);
}

void Peer::leave(Time now) { impl_->leave(now); }
bool Peer::left() const { return !impl_->running; }

void Peer::drop_caches(Time now) {
  const auto c = impl_->at(now);
  impl_->finder.cache().clear();
  impl_->links.close_idle(c, impl_->rooms());
  impl_->attachments.drop_idle(c);
  impl_->pump(now);
}

void Peer::handle_neighbour(Time now, const Neighbour& neighbour) {
  impl_->heard(impl_->at(now), neighbour);
  impl_->pump(now);
}

void Peer::neighbour_lost(Time, const Neighbour& neighbour) { impl_->lan.lost(neighbour); }
bool Peer::met(const LanText& neighbour) const { return impl_->has_met(neighbour); }
void Peer::handle_addresses(Time now, std::vector<Endpoint> listen) {
  impl_->config.listen = std::move(listen);
  impl_->ask_supernodes(now, std::nullopt);
  impl_->pump(now);
}
std::optional<LanText> Peer::lan_text() const { return impl_->lan_text(); }
bool Peer::serving_links() const { return impl_->serving_links; }

State Peer::state() const { return impl_->state; }
void Peer::set_keepalive(Time now, Duration every) {
  every = std::clamp(every, Duration(control::kLeastKeepalive), Duration(control::kMostKeepalive));
  impl_->sessions.set_keepalive(now, std::min(every, SessionsConfig().keepalive));
  impl_->attachments.set_keepalive(impl_->at(now), every);
  impl_->pump(now);
}

Role Peer::role() const {
  if (!impl_->promotion) return impl_->config.role;
  return impl_->promotion->serves() ? Role::supernode : Role::leaf;
}

std::optional<Path> Peer::path(SessionId link) const {
  return impl_->links.owns(link) ? impl_->sessions.current_path(link) : std::nullopt;
}
bool Peer::stands_on(const Endpoint& endpoint) const {
  return impl_->sessions.session_on(Path{PathKind::direct, endpoint, 0, false}).has_value();
}
bool Peer::tries(const Endpoint& endpoint) const { return impl_->sessions.tries(endpoint); }
unsigned Peer::udp_probes() const { return impl_->attachments.udp_reach().probes; }
unsigned Peer::udp_answers() const { return impl_->attachments.udp_reach().answers; }
std::optional<Duration> Peer::rtt(SessionId link) const { return impl_->sessions.rtt(link); }
std::optional<Time> Peer::last_heard(SessionId link) const { return impl_->sessions.last_heard(link); }

std::vector<SupernodeInfo> Peer::supernodes() const {
  std::vector<SupernodeInfo> out;
  for (const auto& s : impl_->attachments.all()) {
    if (!s.key) continue;
    const auto session = s.session();
    const auto shown = s.contact ? s.contact->endpoint : s.endpoint;
    const auto way = is_placeholder(s.way.ip) ? by(way_of(s.way), shown) : s.way;
    out.push_back({session ? over(s.way.transport, shown) : shown, session ? way : shown, *s.key, s.wanted_home,
                   s.wanted_anchor, s.tag().has_value(), session ? impl_->sessions.rtt(*session) : std::nullopt,
                   s.observed, s.refusals > 0 && !s.tag()});
  }
  if (!impl_->role) return out;
  const auto& dht = impl_->role->dht();
  for (const auto& contact : dht.nearest(dht.self().position, 16)) {
    const auto same = [&](const SupernodeInfo& s) { return s.session == contact.session; };
    if (std::none_of(out.begin(), out.end(), same))
      out.push_back(
          {contact.endpoint, contact.endpoint, contact.session, false, false, false, std::nullopt, std::nullopt});
  }
  return out;
}

std::vector<Observed> Peer::observed() const { return impl_->attachments.observed(); }

const HostCache& Peer::host_cache() const { return impl_->cache; }
const dht::Dht* Peer::dht() const { return impl_->role ? &impl_->role->dht() : nullptr; }
std::size_t Peer::leaf_count() const { return impl_->role ? impl_->role->leaves().size() : 0; }
std::size_t Peer::circuit_count() const { return impl_->role ? impl_->role->circuits().size() : 0; }

std::optional<RelayStatus> Peer::relay_status() const {
  if (!impl_->role || impl_->serving_links) return std::nullopt;
  const auto& circuits = impl_->role->circuits();
  return RelayStatus{leaf_count(), circuits.size(), circuits.month(), circuits.limits().month_bytes,
                     circuits.counters()};
}

void Peer::relayed_beside(Time now, std::uint64_t bytes) {
  if (!impl_->role) return;
  impl_->role->relayed_beside(now, impl_->wall_at(now), bytes);
  impl_->tell_relayed(now, Impl::kTellRelayed);
}

std::size_t Peer::memory_bytes() const {
  std::size_t out = sizeof(Impl) + impl_->sessions.memory_bytes() + impl_->links.memory_bytes();
  out += impl_->attachments.all().capacity() * sizeof(Supernode);
  out += impl_->attachments.known().capacity() * sizeof(dht::Contact);
  out += impl_->cache.hosts().capacity() * sizeof(CachedHost);
  if (impl_->promotion) out += sizeof(Promotion);
  if (impl_->role) out += sizeof(SupernodeRole) + impl_->role->dht().memory_bytes() + impl_->role->memory_bytes();
  return out;
}

const Peer::Counters& Peer::counters() const {
  impl_->shown = impl_->counters;
  const auto& s = impl_->sessions.counters();
  impl_->shown.malformed += s.malformed;
  impl_->shown.dropped += s.bad_mac + s.replayed + s.refused;
  if (impl_->role) impl_->shown.malformed += impl_->role->dht().counters().malformed;
  return impl_->shown;
}

}  // namespace linnet::overlay
