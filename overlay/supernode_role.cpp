#include "overlay/supernode_role.h"

#include <algorithm>

namespace linnet::overlay {
namespace {

// On a link nobody tells of others, since link-local addresses do not travel: every neighbour is known instead.
constexpr std::size_t kLinkBucket = 256;
constexpr Duration kSweep = std::chrono::seconds(5);

dht::Config dht_config(const PeerConfig& config) {
  dht::Config out;
  out.network = config.network;
  out.psk = config.psk;
  if (config.role == Role::leaf) out.k = kLinkBucket;
  out.codec = config.codec;
  out.replicas = std::max<std::size_t>(1, config.replicas);
  out.salted_replicas = config.salted_replicas;
  out.floors = config.floors;
  out.report_floors = config.report_floors;
  return out;
}

CircuitLimits circuit_limits(const PeerConfig& config) {
  CircuitLimits out;
  out.total = config.max_circuits;
  out.bits_per_second = config.circuit_bits_per_second;
  out.peer_bits_per_second = config.peer_bits_per_second;
  out.prefix_bits_per_second = config.prefix_bits_per_second;
  out.month_bytes = config.month_bytes;
  return out;
}

}  // namespace

SupernodeRole::SupernodeRole(const PeerConfig& config, const crypto::Suite& suite, Rng& rng,
                             const crypto::Identity& identity, Endpoint self)
    : dht_(dht_config(config), suite, rng, identity, self),
      leaves_(config.max_leaves),
      circuits_(circuit_limits(config), config.relayed),
      limiter_(kForwardsPerPrefix, 2 * kForwardsPerPrefix),
      openings_(kOpeningsPerPrefix, 5 * kOpeningsPerPrefix),
      bridged_openings_(kBridgedOpeningsPerPrefix, 5 * kBridgedOpeningsPerPrefix) {}

Status SupernodeRole::on_client(const Context& c, SessionId session, const ClientHello& hello) {
  const auto path = c.sessions.current_path(session);
  const auto from = path ? path->endpoint.ip : IpAddress{};
  if (retiring_ || !make_room(c, from) || (!hello.in_time && !may_stay(c, session, from, hello))) {
    ++counters_.refused;
    return fail(Fault::full);
  }
  auto& kept = clients_[session];
  kept = std::make_unique<Client>();
  auto& client = *kept;
  client.from = from;
  client.used = c.now;
  client.device = hello.certificate.device;
  client.filled = c.now;
  client.supernode = hello.descriptor.has_value();
  count(of_prefix_, from, 1);
  if (sweep_at_ == kNever) sweep_at_ = c.now + kSweep;
  if (hello.descriptor) dht_.add_hint(c.now, *hello.descriptor);
  return {};
}

// Signatures hold, the time does not: ours or its may be wrong, and only who is let in learns the time from three.
bool SupernodeRole::may_stay(const Context& c, SessionId session, const IpAddress& from, const ClientHello& hello) {
  std::erase_if(probations_, [&](const Probation& p) { return c.now - p.began >= kNextProbation; });
  const auto& device = hello.certificate.device;
  const bool again = std::any_of(probations_.begin(), probations_.end(),
                                 [&](const Probation& p) { return p.certificate.device == device && p.over; });
  const auto neighbours = std::count_if(probations_.begin(), probations_.end(), [&](const Probation& p) {
    return from.is_global() && p.from.is_global() && p.from.prefix() == from.prefix();
  });
  if (again || probations_.size() >= kProbations || neighbours >= std::ptrdiff_t{kProbations / kPrefixShare})
    return false;
  probations_.push_back({session, hello.certificate, from, c.now, false});
  return true;
}

void SupernodeRole::judge_late(const Context& c) {
  for (auto& p : probations_) {
    if (p.over || c.now - p.began < kProbation) continue;
    p.over = true;
    if (owns(p.session) && !crypto::check_time(p.certificate, c.wall)) drop(c, p.session);
  }
}

void SupernodeRole::count(std::map<ByteArray<7>, std::size_t>& in, const IpAddress& from, int by) {
  if (!from.is_global()) return;
  auto& n = in[from.prefix()];
  n += static_cast<std::size_t>(by);
  if (n == 0) in.erase(from.prefix());
}

bool SupernodeRole::idle(SessionId session, const Client& client) const {
  return client.pending == 0 && !client.attach_waits && !leaves_.serves(session) && circuits_.held_by(session) == 0;
}

// A prefix has its share; when the table is full, the client that was idle longest goes.
bool SupernodeRole::make_room(const Context& c, const IpAddress& newcomer) {
  const auto most = 2 * c.config.max_leaves + kVisitors;
  const auto neighbours = newcomer.is_global() ? of_prefix_.find(newcomer.prefix()) : of_prefix_.end();
  const bool crowded = neighbours != of_prefix_.end() && neighbours->second >= most / kPrefixShare;
  if (!crowded && clients_.size() < most) return true;
  std::optional<std::pair<Time, SessionId>> out;
  clients_.each([&](SessionId session, const auto& client) {
    if (crowded && client->from.prefix() != newcomer.prefix()) return;
    if (c.now - client->used < kFairTime || !idle(session, *client)) return;
    const std::pair one{client->used, session};
    if (!out || one < *out) out = one;
  });
  if (!out) return false;
  drop(c, out->second);
  return true;
}

void SupernodeRole::drop(const Context& c, SessionId session) {
  c.sessions.close(c.now, session);
  on_session_down(c, session);
}

bool SupernodeRole::may_walk(const Client& client) const {
  if (client.pending >= kPendingPerClient || pending_.size() >= kWalksForClients) return false;
  const auto neighbours =
      client.from.is_global() ? walks_of_prefix_.find(client.from.prefix()) : walks_of_prefix_.end();
  return neighbours == walks_of_prefix_.end() || neighbours->second < kWalksOfPrefix;
}

void SupernodeRole::say(const Context& c, SessionId session, const control::Message& message) {
  (void)c.sessions.send(c.now, session, Channel::control, control::write(message));
}

bool SupernodeRole::pay(const Context& c, Client& client) const {
  const double elapsed = static_cast<double>(micros(c.now - client.filled)) / 1e6;
  client.tokens = static_cast<float>(std::min(2 * kQuestionsPerSecond, client.tokens + elapsed * kQuestionsPerSecond));
  client.filled = c.now;
  if (client.tokens < 1) return false;
  client.tokens -= 1;
  return true;
}

void SupernodeRole::on_message(const Context& c, SessionId session, const control::Message& message) {
  auto* const known = client_of(session);
  if (known == nullptr) return;
  auto& client = *known;
  if (!pay(c, client)) {
    ++counters_.limited;
    return;
  }
  client.used = c.now;
  if (std::holds_alternative<control::Attach>(message)) {
    const auto& attach = std::get<control::Attach>(message);
    client.place = attach.place ? std::make_unique<dht::Id>(*attach.place) : nullptr;
    client.standby = attach.standby > 0;
    if (attach.keepalive) c.sessions.set_keepalive(c.now, session, *attach.keepalive);
    on_attach(c, session, client);
  } else if (std::holds_alternative<control::Detach>(message)) {
    leaves_.detach(c.now, session);
    line_.withdraw(session);
  } else if (const auto* find_nodes = std::get_if<control::FindNodes>(&message)) {
    on_find_nodes(c, session, client, *find_nodes);
  } else if (const auto* find_records = std::get_if<control::FindRecords>(&message)) {
    on_find_records(c, session, client, *find_records);
  } else if (const auto* publish = std::get_if<control::Publish>(&message)) {
    on_publish(c, session, client, *publish);
  } else if (const auto* open = std::get_if<control::CircuitOpen>(&message)) {
    on_circuit_open(c, session, *open);
  } else if (const auto* forward_open = std::get_if<control::ForwardOpen>(&message)) {
    on_forward_open(c, session, *forward_open);
  } else if (const auto* accept = std::get_if<control::CircuitAccept>(&message)) {
    on_circuit_accept(c, session, *accept);
  } else if (const auto* show = std::get_if<control::CircuitShow>(&message)) {
    on_circuit_show(c, session, *show);
  } else if (const auto* ask = std::get_if<control::DialAsk>(&message)) {
    on_dial_ask(c, session, client, *ask);
  } else if (std::holds_alternative<control::PartnerAsk>(message)) {
    if (client.supernode && c.config.second_port != 0) say(c, session, control::PartnerOffer{c.config.second_port});
  } else if (const auto* order = std::get_if<control::PartnerSend>(&message)) {
    on_partner(c, session, client, *order);
  } else if (const auto* closed = std::get_if<control::CircuitClosed>(&message)) {
    const auto other = circuits_.close(session, closed->nonce);
    if (other && owns(*other)) say(c, *other, control::CircuitClosed{closed->nonce});
  } else {
    ++counters_.refused;  // a client says none of the others
  }
}

void SupernodeRole::on_attach(const Context& c, SessionId session, Client& client) {
  const auto path = c.sessions.current_path(session);
  const auto key = c.sessions.remote(session);
  if (!path || !key || path->kind != PathKind::direct) return;
  client.attach_waits = !c.sessions.reached(session);
  if (client.attach_waits) return;  // else whoever forges a source makes us send to a third party
  const bool may = !retiring_ || leaves_.serves(session);
  const auto leaf = may ? leaves_.attach(c.now, c.suite, c.rng, *key, session, path->endpoint) : fail(Fault::full);
  if (leaf) {
    say(c, session, control::Attached{(*leaf)->tag, path->endpoint});
    on_standby(c.now, session, client);
  } else {
    ++counters_.refused;
    turned_away_ = c.now;
    const auto place = client.place ? *client.place : dht_.self().position;
    say(c, session, control::AttachRefused{dht_.nearest(place, control::kMaxContacts)});
  }
  client.place.reset();
}

void SupernodeRole::on_circuit_open(const Context& c, SessionId session, const control::CircuitOpen& message) {
  count_month(c.now, c.wall);
  if (retiring_) return say(c, session, control::CircuitClosed{message.nonce, control::CircuitEnd::full});
  if (message.at && *message.at != c.identity.session_key()) return on_bridged(c, session, message);
  const auto caller_path = c.sessions.current_path(session);
  auto* leaf = leaves_.by_tag(message.tag);
  const bool real = caller_path && caller_path->kind == PathKind::direct && c.sessions.reached(session);
  if (!leaf || !leaf->session || !real) {
    say(c, session, control::CircuitClosed{message.nonce, control::CircuitEnd::nobody});
    return;
  }
  const auto id =
      circuits_.open(c.now, c.rng, {session, caller_path->endpoint}, {*leaf->session, leaf->endpoint}, message.nonce);
  if (!id) {
    ++counters_.refused;
    const auto why = id.error() == Fault::too_big ? control::CircuitEnd::month : control::CircuitEnd::full;
    say(c, session, control::CircuitClosed{message.nonce, why});
    return;
  }
  say(c, *leaf->session, control::CircuitAsk{message.nonce, *id});
}

void SupernodeRole::on_circuit_accept(const Context& c, SessionId session, const control::CircuitAccept& message) {
  const auto caller = circuits_.accept(c.now, message.circuit, session, message.nonce);
  if (caller) say(c, *caller, control::CircuitReady{message.nonce, message.circuit});
}

// Who says it has proven its address here, and shows itself of its own will. By a stream another port would be seen
// than by UDP.
void SupernodeRole::on_circuit_show(const Context& c, SessionId session, const control::CircuitShow& message) {
  const auto showing = circuits_.show(message.circuit, session);
  if (!showing || showing->seen.transport != Transport::udp || !c.sessions.reached(session)) return;
  if (owns(showing->to)) say(c, showing->to, control::CircuitSeen{message.circuit, showing->seen});
}

// Loopback is another program's on this machine, unless we are there for tests.
void SupernodeRole::on_dial_ask(const Context& c, SessionId session, const Client& client,
                                const control::DialAsk& message) {
  const auto path = c.sessions.current_path(session);
  const auto listens_there = [](const Endpoint& at) { return at.ip.is_loopback(); };
  const bool there = path && (!path->endpoint.ip.is_loopback() ||
                              std::any_of(c.config.listen.begin(), c.config.listen.end(), listens_there));
  if (!there || path->kind != PathKind::direct || !c.sessions.reached(session)) {
    ++counters_.refused;
  } else if (const auto dial = desk_.take(c.now, client.device, path->endpoint, message)) {
    dials_.push_back(*dial);
  } else {
    ++counters_.limited;
  }
}

void SupernodeRole::tell_closed(const Context& c, const std::vector<CircuitTable::Closed>& closed) {
  for (const auto& one : closed) {
    for (const auto session : one.sessions) {
      if (owns(session)) say(c, session, control::CircuitClosed{one.nonce});
    }
  }
}

void SupernodeRole::on_session_down(const Context& c, SessionId session) {
  const auto* client = client_of(session);
  if (client == nullptr) return;
  count(of_prefix_, client->from, -1);
  clients_.erase(session);
  leaves_.detach(c.now, session);
  line_.withdraw(session);
  if (bridges_) bridges_left_.push_back(session);
  tell_closed(c, circuits_.close_session(session));
}

void SupernodeRole::on_proven(const Context& c, SessionId session) {
  auto* client = client_of(session);
  if (client != nullptr && client->attach_waits) on_attach(c, session, *client);
}

void SupernodeRole::on_moved(SessionId session, const Endpoint& endpoint) {
  leaves_.moved(session, endpoint);
  circuits_.moved(session, endpoint);
  if (bridges_) bridges_->moved(session, endpoint);
}

void SupernodeRole::leave(const Context& c) {
  for (const auto session : clients_where([](SessionId, const Client&) { return true; }))
    c.sessions.close(c.now, session);
  clients_ = {};
  of_prefix_.clear();
}

void SupernodeRole::drop_idle(const Context& c) {
  const auto unused = [&](SessionId session, const Client& client) {
    return c.now - client.used >= kIdleClient && idle(session, client);
  };
  for (const auto session : clients_where(unused)) drop(c, session);
  clients_at_ = c.now + kIdleClient / 6;
}

void SupernodeRole::handle_timeout(const Context& c) {
  if (sweep_at_ > c.now) return;
  count_month(c.now, c.wall);
  tell_closed(c, circuits_.expire(c.now));
  if (clients_at_ <= c.now) drop_idle(c);
  judge_late(c);
  offer_again(c.now);
  look_for_another(c);
  sweep_at_ = clients_.empty() ? kNever : c.now + kSweep;
}

Time SupernodeRole::next_timeout() const {
  return bridges_ ? std::min(sweep_at_, bridges_->next_timeout()) : sweep_at_;
}

}  // namespace linnet::overlay
