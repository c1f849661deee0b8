#include "overlay/peer.h"

#include <algorithm>

#include "overlay/peer_impl.h"

namespace linnet::overlay {
namespace {

constexpr std::chrono::seconds kClockSet{60};
constexpr Duration kPublishAlone = std::chrono::milliseconds(500);

SessionsConfig sessions_config(const PeerConfig& config) {
  SessionsConfig out;
  out.network = config.network;
  out.psk = config.psk;
  out.max_sessions = config.role == Role::supernode ? 3 * config.max_leaves + 4096 : out.max_sessions;
  return out;
}

}  // namespace

Peer::Impl::Impl(PeerConfig config_in, const crypto::Suite& suite_in, Rng& rng_in, const crypto::Identity& identity_in,
                 HostCache cache_in)
    : config(std::move(config_in)),
      suite(suite_in),
      rng(rng_in),
      identity(identity_in),
      cache(std::move(cache_in)),
      sessions(sessions_config(config), suite, rng, identity),
      publisher(config, identity) {
  if (config.role == Role::supernode) {
    const auto self = self_endpoint().value_or(Endpoint{});
    role = std::make_unique<SupernodeRole>(config, suite, rng, identity, self);
    sessions.set_greeting(write_greeting(role->dht().self()));
  }
  introduce();
}

// What we say to supernodes; again when the certificate was renewed.
void Peer::Impl::introduce() {
  introduced_until = identity.certificate.not_after;
  const auto descriptor = role ? std::optional(role->dht().self()) : std::nullopt;
  attachments.set_hello(write_client_hello(suite, identity, config.network, descriptor));
}

std::optional<Endpoint> Peer::Impl::self_endpoint() const {
  const auto better = [](const Endpoint& e) {
    return e.ip.is_global() ? 0 : e.ip.is_private() ? 1 : e.ip.is_loopback() ? 2 : 3;
  };
  std::optional<Endpoint> out;
  for (const auto& e : config.listen) {
    if (e.ip.is_unspecified()) continue;
    if (!out || better(e) < better(*out)) out = e;
  }
  return out;
}

Wall Peer::Impl::wall_at(Time now) const {
  return wall + std::chrono::duration_cast<std::chrono::seconds>(now - wall_set_at);
}

void Peer::Impl::start(Time now, Wall wall_in) {
  wall = wall_in;
  wall_set_at = now;
  running = true;
  const auto c = at(now);
  if (role) {
    role->dht().handle_wall(now, wall_in);
    for (const auto& host : cache.best(Bootstrap::kFromCache)) role->dht().add_hint(now, host.contact);
    publish_alone_at = bootstrap.candidates(c, cache).empty() ? now : now + kPublishAlone;
  }
  bootstrap.connected(c, false, false);
  ask_around(c);
  pump(now);
}

void Peer::Impl::ask_around(const Context& c) {
  if (!bootstrap.due(c)) return;
  for (const auto& candidate : bootstrap.candidates(c, cache)) attachments.reach(c, candidate.endpoint, candidate.key);
}

// A supernode that hears of the first others looks for its own place; then its record can be stored where it belongs.
void Peer::Impl::join(const Context& c) {
  const auto contacts = role->dht().contact_count();
  if (contacts > 0 && contacts_seen == 0 && !joining) {
    if (const auto lookup = role->dht().find_nodes(c.now, role->dht().self().position)) joining = *lookup;
  }
  contacts_seen = contacts;
}

void Peer::Impl::handle_timeout(Time now) {
  if (!running) return;
  const auto c = at(now);
  if (sessions.next_timeout() <= now) sessions.handle_timeout(now);
  if (role && role->dht().next_timeout() <= now) role->dht().handle_timeout(now);
  if (role) role->handle_timeout(c);
  if (publish_alone_at <= now) {
    publish_alone_at = kNever;
    publisher.set_homes(c, {{role->dht().self().endpoint, identity.session_key(), 0}}, true);
  }
  ask_around(c);
  if (attachments.next_timeout() <= now) attachments.handle_timeout(c);
  if (finder.next_timeout() <= now) finder.handle_timeout(c);
  if (links.next_timeout() <= now) links.handle_timeout(c, rooms());
  publisher.handle_timeout(c);
  pump(now);
}

Time Peer::Impl::next_timeout() const {
  if (!running) return kNever;
  Time next = std::min({sessions.next_timeout(), attachments.next_timeout(), bootstrap.next_timeout(),
                        publisher.next_timeout(), finder.next_timeout(), links.next_timeout(), publish_alone_at});
  if (role) next = std::min({next, role->next_timeout(), role->dht().next_timeout()});
  return next;
}

void Peer::Impl::leave(Time now) {
  if (!running) return;
  const auto c = at(now);
  const auto homes = attachments.for_questions(2);
  for (const auto& record : publisher.withdrawals(c)) {
    if (role) (void)role->dht().publish(now, record);
    for (const auto session : homes) {
      if (!role) (void)sessions.send(now, session, Channel::control, control::write(control::Publish{0, record.wire}));
    }
  }
  flush();  // before the sessions close
  links.close_all(c, rooms());
  attachments.leave(c);
  if (role) role->leave(c);
  pump(now);
  running = false;
}

Peer::Peer(PeerConfig config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity, HostCache cache)
    : impl_(std::make_unique<Impl>(std::move(config), suite, rng, identity, std::move(cache))) {}
Peer::~Peer() = default;

void Peer::start(Time now, Wall wall) { impl_->start(now, wall); }

void Peer::handle_wall(Time now, Wall wall) {
  const auto off = wall - impl_->wall_at(now);
  impl_->wall = wall;
  impl_->wall_set_at = now;
  if (impl_->role) impl_->role->dht().handle_wall(now, wall);
  if (impl_->identity.certificate.not_after != impl_->introduced_until) impl_->introduce();
  // After a sleep, or when the time of day was learned late.
  if (impl_->running && (off > kClockSet || -off > kClockSet)) impl_->publisher.clock_set(impl_->at(now));
}

void Peer::handle_datagram(Time now, const Datagram& datagram) { impl_->handle(now, datagram); }
void Peer::handle_timeout(Time now) { impl_->handle_timeout(now); }
Time Peer::next_timeout() const { return impl_->next_timeout(); }
std::optional<Transmit> Peer::poll_transmit() { return impl_->poll_transmit(); }

std::optional<Peer::Event> Peer::poll_event() {
  if (impl_->events.empty()) return std::nullopt;
  auto out = std::move(impl_->events.front());
  impl_->events.pop_front();
  if (const auto* block = std::get_if<SequenceUsed>(&out)) impl_->publisher.sequences().confirm(block->below);
  return out;
}

Result<FindId> Peer::find(Time now, const crypto::Address& address, std::optional<crypto::AccountKey> pinned,
                          bool cold) {
  const auto c = impl_->at(now);
  const auto sessions = impl_->attachments.for_questions(Finder::kPaths);
  const auto id = impl_->finder.find(c, address, pinned, cold, sessions, impl_->role != nullptr);
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
  const auto path = impl_->links.owns(link) ? impl_->sessions.current_path(link) : std::nullopt;
  if (!path || path->kind == PathKind::forward) {
    ++impl_->counters.dropped;
    return;
  }
  impl_->links.voice_sent(now, link);
  auto bytes = path->kind == PathKind::direct ? copy(packet) : write_tagged(ForwardKind::circuit, path->id, packet);
  impl_->outbox.push_back({path->endpoint, std::move(bytes)});
}

void Peer::share_endpoints(Time now, SessionId link) {
  impl_->links.share(impl_->at(now), impl_->rooms(), link);
  impl_->pump(now);
}

void Peer::keep(SessionId link, bool kept) { impl_->links.keep(link, kept); }

void Peer::close(Time now, SessionId link) {
  impl_->links.close(impl_->at(now), impl_->rooms(), link);
  impl_->pump(now);
}

void Peer::leave(Time now) { impl_->leave(now); }

void Peer::drop_caches(Time now) {
  const auto c = impl_->at(now);
  impl_->finder.cache().clear();
  impl_->links.close_idle(c, impl_->rooms());
  impl_->attachments.drop_idle(c);
  impl_->pump(now);
}

State Peer::state() const { return impl_->state; }
Role Peer::role() const { return impl_->config.role; }

std::optional<Path> Peer::path(SessionId link) const {
  return impl_->links.owns(link) ? impl_->sessions.current_path(link) : std::nullopt;
}
std::optional<Duration> Peer::rtt(SessionId link) const { return impl_->sessions.rtt(link); }
std::optional<Time> Peer::last_heard(SessionId link) const { return impl_->sessions.last_heard(link); }

std::vector<SupernodeInfo> Peer::supernodes() const {
  std::vector<SupernodeInfo> out;
  for (const auto& s : impl_->attachments.all()) {
    if (!s.key) continue;
    const auto session = s.session();
    out.push_back({s.contact ? s.contact->endpoint : s.endpoint, *s.key, s.wanted_home, s.wanted_anchor,
                   s.tag().has_value(), session ? impl_->sessions.rtt(*session) : std::nullopt});
  }
  if (!impl_->role) return out;
  const auto& dht = impl_->role->dht();
  for (const auto& contact : dht.nearest(dht.self().position, 16)) {
    const auto same = [&](const SupernodeInfo& s) { return s.session == contact.session; };
    if (std::none_of(out.begin(), out.end(), same))
      out.push_back({contact.endpoint, contact.session, false, false, false, std::nullopt});
  }
  return out;
}

const HostCache& Peer::host_cache() const { return impl_->cache; }
const dht::Dht* Peer::dht() const { return impl_->role ? &impl_->role->dht() : nullptr; }
std::size_t Peer::leaf_count() const { return impl_->role ? impl_->role->leaves().size() : 0; }
std::size_t Peer::circuit_count() const { return impl_->role ? impl_->role->circuits().size() : 0; }

std::size_t Peer::memory_bytes() const {
  std::size_t out = sizeof(Impl) + impl_->sessions.memory_bytes() + impl_->links.memory_bytes();
  out += impl_->attachments.all().capacity() * sizeof(Supernode);
  out += impl_->attachments.known().capacity() * sizeof(dht::Contact);
  out += impl_->cache.hosts().capacity() * sizeof(CachedHost);
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
