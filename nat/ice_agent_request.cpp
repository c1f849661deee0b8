// The other side's checks (RFC 8445, section 7.3).
#include <algorithm>

#include "nat/ice_agent.h"

namespace linnet::nat::ice {

void Agent::on_request(Time now, Base base, const Endpoint& from, const stun::Message& request) {
  const bool old = previous_ && ufrag_of(request) == previous_->mine.ufrag;
  const auto& mine = old ? previous_->mine : mine_;
  const auto check = read_check(request, mine);
  if (!check) {
    out_.push_back(
        outgoing(base, from, write_error(request, check.error().code, check.error().authentic ? &mine : nullptr)));
    return;
  }
  if (streams_.find({base, from}) != nullptr && !streams_.prove({base, from})) return close({base, from});
  if (!old && !settle_roles(*check)) {
    out_.push_back(outgoing(base, from, write_error(request, stun::ErrorCode::role_conflict, &mine)));
    return;
  }
  out_.push_back(outgoing(base, from, write_success(request, from, mine)));
  if (old) return;
  if (theirs_) return on_check(now, base, from, *check);
  remember_early(base, from, *check);
}

bool Agent::authentic(const stun::Message& request) const {
  return request.is(stun::Class::request, stun::Method::binding) && ufrag_of(request) == mine_.ufrag &&
         read_check(request, mine_).has_value();
}

// One for each way; a nomination is never forgotten for another check's sake.
void Agent::remember_early(Base base, const Endpoint& from, const Check& check) {
  const auto same =
      std::find_if(early_.begin(), early_.end(), [&](const Early& e) { return e.base == base && e.from == from; });
  if (same != early_.end()) {
    const bool nominated = same->check.use_candidate || check.use_candidate;
    same->check = check;
    same->check.use_candidate = nominated;
    return;
  }
  if (early_.size() < kMaxEarly) return early_.push_back({base, from, check});
  const auto plain = std::find_if(early_.begin(), early_.end(), [](const Early& e) { return !e.check.use_candidate; });
  if (check.use_candidate && plain != early_.end()) *plain = {base, from, check};
}

// Section 7.3.1.1. False: the other side has to change.
bool Agent::settle_roles(const Check& check) {
  if (check.role != config_.role) return true;
  const bool mine_is_larger = tie_breaker_ >= check.tie_breaker;
  // The larger number controls.
  if (config_.role == Role::controlling ? mine_is_larger : !mine_is_larger) return false;
  change_role(config_.role == Role::controlling ? Role::controlled : Role::controlling);
  return true;
}

Pair* Agent::pair_of_check(Base base, const Endpoint& from, const Check& check) {
  const auto circuit = circuit_of(base);
  if (auto* known = list_.find(base, from, circuit)) return known;
  const auto local = local_for(base, from);
  if (!local) return nullptr;
  Candidate theirs;
  theirs.endpoint = without_place(from);
  theirs.circuit = circuit;
  if (local_[*local].tcp != TcpType::none) theirs.tcp = TcpType::active;
  auto remote = remote_.find(theirs);
  if (!remote) {
    // Section 7.3.1.3. Its foundation is like no other's.
    theirs.type = circuit != 0 ? Type::relayed : Type::peer_reflexive;
    theirs.priority = check.priority;
    theirs.foundation = "prflx" + std::to_string(remote_.size());
    remote = learn_remote(std::move(theirs));
  }
  return remote ? list_.add(config_.role, *local, *remote) : nullptr;
}

// A connection has a port of its own: those that are over make room for newer ones.
std::optional<std::size_t> Agent::learn_remote(Candidate theirs) {
  if (const auto added = remote_.add(theirs)) return added;
  for (std::size_t i = 0; theirs.tcp != TcpType::none && i < remote_.size(); ++i) {
    if (remote_[i].tcp == TcpType::none || remote_[i].type != Type::peer_reflexive) continue;
    const auto& pairs = list_.pairs();
    if (std::any_of(pairs.begin(), pairs.end(),
                    [&](const Pair& p) { return p.remote == i && p.state != State::failed; }))
      continue;
    list_.drop_of_remote(i);
    theirs.foundation = remote_[i].foundation;
    remote_.replace(i, std::move(theirs));
    return i;
  }
  return std::nullopt;
}

// Section 7.3.1.4, and nomination by the controlling side (7.3.1.5).
void Agent::on_check(Time now, Base base, const Endpoint& from, const Check& check) {
  auto* pair = pair_of_check(base, from, check);
  if (pair == nullptr) return;
  const bool chosen = check.use_candidate && config_.role == Role::controlled;
  if (chosen) pair->asked = now;
  if (pair->valid()) {
    if (chosen && !outdated(*pair)) select(now, *pair);
    return;
  }
  if (chosen) pair->to_nominate = true;
  const bool concluded = selected_ && config_.policy == Policy::once && !chosen;
  // An authentic peer that lies about its address makes us send elsewhere: so often, and no more.
  if (concluded || pair->checks >= kMaxUnanswered) return;
  if (pair->state == State::in_progress) checks_.stop_sending(now, pair->id);
  list_.trigger(*pair);
}

}  // namespace linnet::nat::ice
