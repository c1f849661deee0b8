// Peer: starting, the clock, leaving.
#include <algorithm>

#include "overlay/peer_impl.h"

namespace linnet::overlay {
namespace {

constexpr Duration kPublishAlone = std::chrono::milliseconds(500);
constexpr Duration kAllSilentSlow = std::chrono::seconds(4);
constexpr Duration kAllSilent =
    std::chrono::milliseconds(800);  // more than any round trip, less than patience in a call
constexpr Duration kGoodbye = std::chrono::seconds(1);
constexpr Duration kGoodbyeStep = std::chrono::milliseconds(100);
constexpr std::size_t kRecordsInGoodbye = 128;  // in a step
// Requests of good-byes; the publisher's own count from 1.
constexpr std::uint64_t kGoodbyes = std::uint64_t{1} << 62;

SessionsConfig sessions_config(const PeerConfig& config) {
  SessionsConfig out;
  out.network = config.network;
  out.psk = config.psk;
  out.run = static_cast<std::uint32_t>(config.first_sequence / Sequences::kBlock);
  const auto limits = sessions_limits(config);
  out.resets = limits.resets;
  out.max_sessions = limits.max_sessions;
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
    const auto self = self_endpoint().value_or(Endpoint{IpAddress{}, config.port});
    role = std::make_unique<SupernodeRole>(config, suite, rng, identity, self);
    serving_links = self.ip.is_unspecified() && config.port != 0;  // no address of ours means anything elsewhere
    if (!serving_links && config.second_port != 0) partners = std::make_unique<Partners>(self, config.second_port);
  } else if (config.promotable) {
    promotion = std::make_unique<Promotion>(config);
  }
  if (!cache.keyed()) cache.key(rng.array<16>());
  introduce();
}

// What we say to supernodes; again when the certificate was renewed.
void Peer::Impl::introduce() {
  introduced_from = identity.certificate.not_before;
  introduced_until = identity.certificate.not_after;
  const auto descriptor = role && !serving_links && !ends_role() ? std::optional(role->dht().self()) : std::nullopt;
  attachments.set_hello(write_client_hello(suite, identity, config.network, descriptor));
}

// The identity was certified anew. Who was shown a certificate out of its time is shown the new one before its patience
// ends.
void Peer::Impl::introduce_again(Time now) {
  const auto c = at(now);
  crypto::DeviceCertificate certificate;
  certificate.not_before = introduced_from;
  certificate.not_after = introduced_until;
  introduce();
  if (!running) return;
  publisher.clock_set(c);
  if (crypto::check_time(certificate, c.wall)) return;
  for (const auto session : attachments.introduce_again(c)) finder.on_session_down(c, session);
}

void Peer::Impl::set_clock(Time now, Wall own) {
  clock.set(now, own);
  if (role) role->dht().handle_wall(now, own);
}

void Peer::Impl::hear_time(Time now, const IpAddress& from, const crypto::SessionKey& who, Wall said) {
  if (!role || serving_links) clock.hear(now, from, who, said);  // else the role, which stays, has the only one
  if (role) role->dht().hear_time(now, from, who, said);
}

// What we said about time is wrong when it is another time than we thought: our clock was set, the machine slept, or
// supernodes told.
void Peer::Impl::look_at_clock(Time now) {
  if (!running || leaps_seen == network_clock().leaps()) return;
  leaps_seen = network_clock().leaps();
  publisher.clock_set(at(now));
  emit(ClockMoved{});
}

// Our greeting tells the time: made again for a handshake that comes in another second.
void Peer::Impl::greet(Time now) {
  const auto own = role->dht().network_clock().own_at(now).value_or(Wall{});
  if (own == greeting_of) return;
  greeting_of = own;
  sessions.set_greeting(write_greeting(role->dht().self(), own));
}

void Peer::Impl::start(Time now, Wall own) {
  set_clock(now, own);
  if (identity.certificate.not_after != introduced_until) introduce();
  running = true;
  const auto c = at(now);
  const auto way = cache.latest_way();
  attachments.set_favourite(way == Way::udp ? std::nullopt : way);
  if (role) {
    for (const auto& host : cache.candidates(Bootstrap::kFromCache, rng)) role->dht().add_hint(now, host.contact);
    publish_alone_at = bootstrap.candidates(c, cache).empty() ? now : now + kPublishAlone;
  }
  if (serving_links) lan.start(now);
  bootstrap.connected(c, false, false);
  feelers.start(c);
  ask_around(c);
  pump(now);
}

void Peer::Impl::ask_around(const Context& c) {
  if (!bootstrap.due(c)) return;
  for (const auto& candidate : bootstrap.candidates(c, cache)) attachments.seek(c, candidate.endpoint, candidate.key);
  if (config.role == Role::leaf) lan.ask(c.now);
}

void Peer::Impl::tell_relayed(Time now, Duration least) {
  const auto& month = role->circuits().month();
  if (month == relayed_told || now - relayed_at < least) return;
  relayed_told = month;
  relayed_at = now;
  emit(Relayed{month});
}

// A supernode that hears of the first others looks for its own place; then its record can be stored where it belongs.
void Peer::Impl::join(const Context& c) {
  const auto contacts = role->dht().contact_count();
  if (contacts > 0 && contacts_seen == 0 && !joining) {
    if (const auto lookup = role->dht().find_nodes(c.now, role->dht().self().position)) joining = *lookup;
  }
  contacts_seen = contacts;
}

// Our address, or that of the NAT before us, may be another: a ping shows our supernodes where we are now, and circuits
// are mended with it. A supernode is found elsewhere then. On a line that is full only those are asked who carry the
// circuits of the link that is silent, and nothing follows when they say nothing.
void Peer::Impl::ask_supernodes(Time now, std::optional<SessionId> silent) {
  follow_place(now);
  if (!running || leaving_by != kNever || config.role == Role::supernode) return;
  for (const auto& s : attachments.all()) {
    const auto session = s.session();
    const auto path = session ? sessions.current_path(*session) : std::nullopt;
    if (!path) continue;
    if (silent && links.any_slow()) {
      if (links.has_circuit_at(*silent, s.way)) sessions.try_path(now, *session, *path);
      continue;
    }
    sessions.try_path(now, *session, *path);
    if (asked_all_at == kNever) asked_all_at = now;
  }
}

// The answers may wait in a queue before a call's line.
Time Peer::Impl::all_silent_at() const { return asked_all_at + (links.any_slow() ? kAllSilentSlow : kAllSilent); }

// Not one answered: the ways to them lead nowhere any more. All ways are tried anew, streams among them.
void Peer::Impl::look_at_supernodes(const Context& c) {
  if (asked_all_at == kNever || c.now < all_silent_at()) return;
  const auto asked = std::exchange(asked_all_at, kNever);
  for (const auto& s : attachments.all()) {
    const auto session = s.session();
    const auto heard = session ? sessions.last_heard(*session) : std::nullopt;
    if (heard && *heard > asked) return;
  }
  for (const auto session : attachments.introduce_again(c)) finder.on_session_down(c, session);
}

void Peer::Impl::handle_timeout(Time now) {
  if (!running) return;
  const auto c = at(now);
  look_at_supernodes(c);
  if (sessions.next_timeout() <= now) sessions.handle_timeout(now);
  if (role && role->dht().next_timeout() <= now) role->dht().handle_timeout(now);
  if (role) {
    role->handle_timeout(c);
    tell_relayed(now, kTellRelayed);
  }
  promotion_timeouts(c);
  if (goodbye_step_at <= now) leave_role(c);
  feel(c);
  if (publish_alone_at <= now) {
    publish_alone_at = kNever;
    publisher.set_homes(c, {{role->dht().self().endpoint, identity.session_key(), 0}}, true);
  }
  ask_around(c);
  if (attachments.next_timeout() <= now) {
    attachments.handle_timeout(c);
    attachments.try_datagrams(c, links.size() == 0);  // a circuit rests on the connection it was opened over
  }
  if (look_at_holders <= now) {
    look_at_holders = now + c.jittered(kLookAtHolders);
    if (leaving_by == kNever) publisher.store_thinned(c, role->dht());
  }
  if (finder.next_timeout() <= now) finder.handle_timeout(c);
  if (links.next_timeout() <= now) links.handle_timeout(c, rooms());
  publisher.handle_timeout(c);
  read_back.handle_timeout(c);
  meet_neighbours(c);
  pump(now);
}

Time Peer::Impl::next_timeout() const {
  if (!running) return kNever;
  Time next = std::min({sessions.next_timeout(), attachments.next_timeout(), bootstrap.next_timeout(),
                        publisher.next_timeout(), read_back.next_timeout(), finder.next_timeout(), links.next_timeout(),
                        publish_alone_at, lan.next_timeout(), leaving_by, goodbye_step_at});
  if (leaving_by == kNever) next = std::min(next, feelers.next_timeout());
  if (asked_all_at != kNever) next = std::min(next, all_silent_at());
  if (role) next = std::min({next, look_at_holders, role->next_timeout(), role->dht().next_timeout()});
  if (promotion && leaving_by == kNever) next = std::min(next, promotion->next_timeout());
  if (partners && leaving_by == kNever) next = std::min(next, partners->next_timeout());
  return next;
}

// Good-bye has a second: what says that nobody is here any more goes again until a home has stored it.
void Peer::Impl::leave(Time now) {
  if (!running || leaving_by != kNever) return;
  const auto c = at(now);
  leaving_by = now + kGoodbye;
  publish_alone_at = kNever;
  const auto homes = attachments.for_questions(c, 2);
  for (const auto& record : publisher.withdrawals(c)) {
    if (role) {
      if (const auto lookup = role->dht().publish(now, record)) goodbye_stores.push_back(*lookup);
      continue;
    }
    for (const auto session : homes) {
      const auto request = kGoodbyes + goodbyes.size();
      const control::Publish message{request, record.wire};
      if (sessions.send(now, session, Channel::control, control::write(message))) goodbyes.push_back(request);
    }
  }
  flush();
  links.close_all(c, rooms());
  if (role) begin_leaving_role(c);
  pump(now);
}

// Leaves go at once, each in a time of its own choice: three others answer for them. Circuits carry for the second of
// good-bye, while calls go on by their spares, and its records go where they belong without it.
void Peer::Impl::begin_leaving_role(const Context& c) {
  tell_relayed(c.now, Duration(0));
  if (serving_links) return role->leave(c);
  role->retire();
  role->tell_circuits_end(c);
  role->leave_but_circuits(c);
  goodbye_step_at = c.now;
  leave_role(c);
}

void Peer::Impl::leave_role(const Context& c) {
  if (goodbye_step_at > c.now) return;
  goodbye_step_at = c.now + kGoodbyeStep;
  if (!role->dht().hand_over(c.now, kRecordsInGoodbye) || role->circuits().size() > 0) return;
  goodbye_step_at = kNever;
  role->leave(c);
}

void Peer::Impl::leave_when_said(const Context& c) {
  const bool said = goodbyes.empty() && goodbye_stores.empty() && goodbye_step_at == kNever;
  if (leaving_by == kNever || (c.now < leaving_by && !said)) return;
  if (role && std::exchange(goodbye_step_at, kNever) != kNever) role->leave(c);
  leaving_by = kNever;
  attachments.leave(c);
  flush();
  running = false;
}

void Peer::set_bootstrap(std::vector<Endpoint> endpoints) { impl_->config.bootstrap = std::move(endpoints); }

}  // namespace linnet::overlay
