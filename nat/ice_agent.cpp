// What the owner tells the agent, and its timers.
#include "nat/ice_agent.h"

#include <algorithm>

namespace linnet::nat::ice {

Agent::Agent(const AgentConfig& config, Rng& rng)
    : config_(config), rng_(rng), tie_breaker_(rng.u64()), mine_(make_credentials(rng)) {}

void Agent::add_local(Time now, Candidate candidate, const std::optional<IpAddress>& server, bool tell) {
  candidate.endpoint.socket = candidate.related.socket = 0;  // the base says it
  candidate.foundation = local_.foundation(candidate.type, candidate.related.ip, server, candidate.endpoint.transport);
  const auto known = local_.find(candidate);
  const bool unnamed = !known || local_[*known].type == Type::peer_reflexive;
  const auto index = local_.add(std::move(candidate));
  if (!index || !unnamed || (known && local_[*index].type == Type::peer_reflexive)) return;
  if (known) list_.prioritise(config_.role);
  if (tell) events_.push_back(event::LocalCandidate{local_[*index]});
  pair_local(*index);
  settle(now);
}

void Agent::add_host(Time now, Base base, const Endpoint& endpoint, std::uint16_t preference) {
  add_local(now, {Type::host, endpoint, endpoint, base, 0, candidate_priority(Type::host, preference), {}},
            std::nullopt);
}

void Agent::add_base(Time now, Base base, const Endpoint& endpoint) {
  add_local(now, {Type::host, endpoint, endpoint, base, 0, candidate_priority(Type::host, 0), {}}, std::nullopt, false);
}

void Agent::add_reflexive(Time now, Base base, const Endpoint& mapped, const Endpoint& server) {
  const auto own = local_for(base, mapped);
  const auto related = own ? local_[*own].endpoint : Endpoint{};
  // The address of no NAT is the host's own (section 5.1.3).
  if (own && same_address(related, mapped)) return;
  const auto preference = own ? static_cast<std::uint16_t>(local_[*own].priority >> 8) : std::uint16_t{0xffff};
  add_local(
      now,
      {Type::server_reflexive, mapped, related, base, 0, candidate_priority(Type::server_reflexive, preference), {}},
      server.ip);
}

void Agent::add_mapped(Time now, Base base, const Endpoint& mapped) {
  const auto own = local_for(base, mapped);
  add_local(now,
            {Type::port_mapped,
             mapped,
             own ? local_[*own].endpoint : Endpoint{},
             base,
             0,
             candidate_priority(Type::port_mapped, 0xffff),
             {}},
            std::nullopt);
}

void Agent::add_relayed(Time now, Base base, const Endpoint& relayed, const Endpoint& server) {
  add_local(now, {Type::relayed, relayed, relayed, base, 0, candidate_priority(Type::relayed, 0xffff), {}}, server.ip);
}

void Agent::add_circuit(Time now, Base base, std::uint64_t circuit, std::uint16_t preference) {
  const auto at = circuit_endpoint(circuit);
  add_local(now, {Type::relayed, at, at, base, circuit, candidate_priority(Type::relayed, preference), {}},
            std::nullopt);
}

void Agent::gather(Time now, Base base, const Endpoint& server) {
  (void)gatherer_.ask(now, rng_, base, server, config_.pace);
  settle(now);
}

void Agent::end_of_local(Time now) {
  local_done_ = true;
  settle(now);
}

Status Agent::set_remote(Time now, const Credentials& theirs) {
  if (!sound(theirs)) return fail(Fault::malformed);
  theirs_ = theirs;
  started_ = std::min(started_, now);
  const auto early = std::exchange(early_, {});
  for (const auto& e : early) on_check(now, e.base, e.from, e.check);
  settle(now);
  return {};
}

Status Agent::add_remote(Time now, const Candidate& candidate) {
  auto theirs = candidate;
  theirs.base = 0;
  theirs.endpoint = without_place(theirs.endpoint);
  if (theirs.tcp == TcpType::simultaneous) return {};  // it takes no room
  if (theirs.circuit != 0) theirs.endpoint = circuit_endpoint(theirs.circuit);
  const auto index = remote_.add(std::move(theirs));
  if (!index) return fail(Fault::full);
  list_.prioritise(config_.role);
  started_ = std::min(started_, now);
  pair_remote(*index);
  settle(now);
  return {};
}

void Agent::end_of_remote(Time now) {
  remote_done_ = true;
  settle(now);
}

void Agent::restart(Time now) {
  if (const auto* pair = selected_ ? list_.find(*selected_) : nullptr; pair != nullptr && theirs_)
    previous_ = Previous{mine_, *theirs_, way_of(*pair), pair->heard, now};
  mine_ = make_credentials(rng_);
  theirs_.reset();
  local_ = {};
  remote_ = {};
  list_ = CheckList(local_, remote_);
  gatherer_ = {};
  checks_.clear();
  early_.clear();
  selected_.reset();
  first_valid_ = retry_at_ = doubt_since_ = doubt_until_ = started_ = losers_until_ = kNever;
  local_done_ = gathered_ = remote_done_ = failed_ = concluded_ = false;
  settle(now);
}

// New pairs may be added to the list, in the order of their priority by how it is searched. What listens checks nothing
// until somebody has connected (RFC 6544, section 6.2).
void Agent::pair_local(std::size_t local) {
  if (local_[local].tcp == TcpType::passive) return;
  for (std::size_t i = 0; i < remote_.size(); ++i) {
    if (list_.add(config_.role, local, i) != nullptr) failed_ = false;
  }
}

void Agent::pair_remote(std::size_t remote) {
  for (std::size_t i = 0; i < local_.size(); ++i) {
    if (local_[i].tcp == TcpType::passive) continue;
    if (list_.add(config_.role, i, remote) != nullptr) failed_ = false;
  }
}

std::uint64_t Agent::circuit_of(Base base) const {
  for (const auto& c : local_.all()) {
    if (c.base == base) return c.circuit;
  }
  return 0;
}

std::optional<std::size_t> Agent::local_for(Base base, const Endpoint& remote) const {
  std::optional<std::size_t> out;
  for (std::size_t i = 0; i < local_.size(); ++i) {
    const auto& c = local_[i];
    if (c.base != base || c.endpoint.ip.is_v4() != remote.ip.is_v4()) continue;
    if (remote.ip.is_link_local() && c.endpoint.ip.scope != remote.ip.scope) continue;
    if (!remote.ip.is_v4() && remote.ip.is_link_local() != c.endpoint.ip.is_link_local()) continue;
    if (!out || c.priority > local_[*out].priority) out = i;
  }
  return out;
}

bool Agent::owns(const stun::Message& message) const {
  if (message.method() != stun::Method::binding) return false;
  if (message.message_class() == stun::Class::success || message.message_class() == stun::Class::error)
    return checks_.owns(message.id()) || gatherer_.owns(message.id());
  const auto ufrag = ufrag_of(message);
  return ufrag && (*ufrag == mine_.ufrag || (previous_ && *ufrag == previous_->mine.ufrag));
}

void Agent::handle(Time now, Base base, const Endpoint& from, const stun::Message& message) {
  if (!owns(message)) return;
  auto peer = from;
  peer.socket = 0;  // the base says it
  if (!peer.ip.is_link_local()) peer.ip.scope = 0;
  switch (message.message_class()) {
    case stun::Class::request: on_request(now, base, peer, message); break;
    case stun::Class::success:
    case stun::Class::error: on_answer(now, base, peer, message); break;
    case stun::Class::indication: break;  // a keepalive
  }
  settle(now);
}

void Agent::handle_timeout(Time now) {
  for (const auto& waiting : checks_.handle_timeout(now, out_)) on_given_up(waiting);
  for (const auto& stream : streams_.overdue(now)) give_up(now, stream);
  expire(now);
  if (doubt_until_ <= now) end_doubt(now);
  refresh(now);
  refresh_previous(now);
  settle(now);
}

// After every input: what may be sent now, is.
void Agent::settle(Time now) {
  gatherer_.handle_timeout(now, out_);
  if (local_done_ && !gathered_ && gatherer_.done(now)) {
    gathered_ = true;
    events_.push_back(event::GatheringDone{});
  }
  nominate(now);
  retry(now);
  check_one(now);
  for (const auto& waiting : checks_.handle_timeout(now, out_)) on_given_up(waiting);
  sweep_streams(now);
  see_failure(now);
}

Time Agent::next_timeout() const {
  Time next = std::min({checks_.next_timeout(), gatherer_.next_timeout(), doubt_until_, retry_at_,
                        streams_.next_timeout(), losers_until_});
  if (local_done_ && !gathered_) next = std::min(next, gatherer_.deadline());
  if (theirs_ && list_.anything_left()) next = std::min(next, next_check_);
  for (const auto& p : list_.pairs()) {
    if (p.valid()) next = std::min({next, p.refresh, p.heard + kConsent});
  }
  if (previous_) next = std::min({next, previous_->refresh, previous_->heard + kConsent});
  next = std::min(next, nominate_at());
  return std::min(next, fail_at());
}

std::optional<Outgoing> Agent::poll_transmit() {
  if (out_.empty()) return std::nullopt;
  auto out = std::move(out_.front());
  out_.erase(out_.begin());
  return out;
}

std::optional<Event> Agent::poll_event() {
  if (events_.empty()) return std::nullopt;
  return events_.take();
}

// When nothing is left that could still succeed.
Time Agent::fail_at() const {
  if (failed_ || !remote_done_ || !gathered_ || selected_ || started_ == kNever) return kNever;
  if (list_.count(State::succeeded) != 0 || list_.anything_left() || !checks_.empty() || streams_.connecting())
    return kNever;
  return started_ + config_.least_try;
}

void Agent::see_failure(Time now) {
  if (fail_at() > now) return;
  failed_ = true;
  events_.push_back(event::Failed{});
}

std::optional<Way> Agent::selected() const {
  if (selected_) {
    if (const auto* pair = list_.find(*selected_)) return way_of(*pair);
  }
  if (previous_) return previous_->way;
  return std::nullopt;
}

std::optional<Way> Agent::way() const {
  if (auto out = selected()) return out;
  const Pair* best = nullptr;
  for (const auto& p : list_.pairs()) {
    if (p.valid() && (best == nullptr || better(p, *best))) best = &p;
  }
  if (best == nullptr) return std::nullopt;
  return way_of(*best);
}

Way Agent::way_of(const Pair& pair) const {
  return {local_[pair.local].base, list_.destination(pair), list_.relayed(pair)};
}

}  // namespace linnet::nat::ice
