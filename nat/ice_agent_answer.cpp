// Our checks and what becomes of them (RFC 8445, section 7.2), consent (RFC 7675).
#include <algorithm>
#include <utility>

#include "nat/ice_agent.h"
#include "nat/stun_auth.h"

namespace linnet::nat::ice {
namespace {

// Where little is sent a queue may hold an answer back for a second: what is asked again sooner makes it longer.
constexpr Duration kScantRto = std::chrono::milliseconds(1200);

}  // namespace

Duration Agent::rto_of(const Pair& pair) const { return std::max(usual_rto(pair), scant_ ? kScantRto : Duration{}); }

Duration Agent::usual_rto(const Pair& pair) const {
  constexpr Duration kForeign = std::chrono::milliseconds(500);
  const auto least = config_.policy == Policy::once ? std::max(config_.rto, kForeign) : config_.rto;
  if (pair.rtt) return std::max<Duration>(2 * *pair.rtt, config_.policy == Policy::once ? least : config_.pace);
  const auto busy = list_.count(State::waiting) + list_.count(State::in_progress);
  return std::max(least, config_.pace * static_cast<int>(busy));
}

void Agent::check_one(Time now) {
  if (!theirs_ || !list_.anything_left()) return;
  auto* pair = list_.first_relayed();  // it does not wait for the pace either
  if (pair == nullptr && now >= next_check_) pair = list_.next();
  if (pair == nullptr) return;
  next_check_ = now + config_.pace;
  if (!pair->valid()) pair->state = State::in_progress;
  if (local_[pair->local].tcp != TcpType::none && !stream_is_open(now, *pair)) return;
  send_check(now, *pair, Purpose::check);
}

void Agent::send_check(Time now, Pair& pair, Purpose purpose) {
  const auto& local = local_[pair.local];
  const bool chosen = config_.policy == Policy::move && selected_ == pair.id && !nominating();
  const bool stream = local.tcp != TcpType::none;
  Check check{config_.role, tie_breaker_, reflexive_priority(local), false};
  check.use_candidate = config_.role == Role::controlling && (pair.to_nominate || chosen);
  if (purpose == Purpose::check) ++pair.checks;
  Waiting waiting;
  waiting.id = rng_.array<12>();
  waiting.pair = pair.id;
  waiting.purpose = purpose;
  waiting.role = config_.role;
  waiting.use_candidate = check.use_candidate;
  waiting.out = outgoing(local.base, list_.destination(pair), write_check(waiting.id, check, mine_, *theirs_));
  stun::RetransmitPlan plan{rto_of(pair), 7, 16};
  if (stream) plan = {kStreamAnswer, 1, 1};
  // RFC 7675, section 5.1: consent is asked for by single packets. A doubt wants to be sure sooner.
  if (purpose == Purpose::consent) plan = {rto_of(pair), doubt_until_ == kNever || stream ? 1 : 2, 8};
  waiting.when = stun::Retransmission(now, plan);
  if (const auto evicted = checks_.add(std::move(waiting))) on_given_up(*evicted);
}

std::optional<Bytes> Agent::loose_check() {
  if (!theirs_) return std::nullopt;
  const auto priority = reflexive_priority(candidate_priority(Type::host, 0));
  return write_check(rng_.array<12>(), {config_.role, tie_breaker_, priority, false}, mine_, *theirs_);
}

void Agent::on_answer(Time now, Base base, const Endpoint& from, const stun::Message& message) {
  if (gatherer_.owns(message.id())) {
    if (const auto learned = gatherer_.handle(message))
      add_reflexive(now, learned->base, learned->mapped, learned->server);
    return;
  }
  const auto* waits = checks_.find(message.id());
  if (waits == nullptr) return;
  const auto& theirs = waits->previous ? (previous_ ? &previous_->theirs : nullptr) : (theirs_ ? &*theirs_ : nullptr);
  // Without the right tag it was not the other side who answered (section 7.2.5.2, RFC 8489 section 9.1.4).
  if (theirs == nullptr || !stun::integrity_holds(message, view(theirs->password))) return;
  (void)streams_.prove({base, from});
  const auto waiting = *checks_.take(message.id());
  if (!message.understood_answer()) return on_given_up(waiting);
  if (waiting.previous) {
    if (message.message_class() == stun::Class::success) previous_->heard = now;
    return;
  }
  if (message.message_class() == stun::Class::error) {
    const auto error = message.error();
    return on_error(waiting, error ? error->code : stun::ErrorCode::bad_request);
  }
  const auto mapped = message.endpoint(stun::Attr::xor_mapped_address);
  // Section 7.2.5.2.1: it must come back the way it went.
  if (!mapped || waiting.out.base != base || waiting.out.to != from) return on_given_up(waiting);
  if (auto* pair = list_.find(waiting.pair)) {
    if (const auto rtt = waiting.when.round_trip(now)) pair->rtt = std::max(*rtt, Duration(1));
    const auto age = waiting.when.age(now);
    pair->longest = pair->longest == Duration{} ? age : std::min(pair->longest, age);
    on_success(now, waiting, *mapped);
  }
}

void Agent::on_success(Time now, const Waiting& waiting, const Endpoint& mapped) {
  auto* pair = list_.find(waiting.pair);
  const bool fresh = !pair->valid();
  pair->state = State::succeeded;
  pair->checks = 0;
  pair->heard = now;
  const bool repeats = selected_ == pair->id && pair->refresh > now;  // what is due sooner stays so
  pair->refresh = std::min(repeats ? pair->refresh : kNever, now + jittered(scant_                  ? kScantRefresh
                                                                            : selected_ == pair->id ? kRefresh
                                                                                                    : kSpareRefresh));
  checks_.stop_sending(now, pair->id);
  if (fresh) {
    first_valid_ = std::min(first_valid_, now);
    list_.unfreeze_like(*pair);
    events_.push_back(event::Valid{way_of(*pair), pair->rtt});
  }
  const auto id = pair->id;
  // Section 7.2.5.3.1: an address of ours that we did not know. Pairs may move in memory when it is added.
  const auto& local = local_[pair->local];
  const bool known = std::any_of(local_.all().begin(), local_.all().end(),
                                 [&](const Candidate& c) { return same_address(c.endpoint, mapped); });
  if (!known && local.circuit == 0 && local.tcp == TcpType::none) {
    const auto at = reached_from(local.endpoint, mapped);
    const Candidate learned{
        Type::peer_reflexive, at, local.endpoint, local.base, 0, reflexive_priority(local.priority), {}};
    add_local(now, learned, std::nullopt, false);
    pair = list_.find(id);
  }
  if (pair == nullptr) return;
  // The answer to a nomination that a newer one has replaced selects nothing.
  const bool newest = pair->to_nominate || selected_ == pair->id;
  const bool ours = waiting.use_candidate && newest && config_.role == Role::controlling;
  const bool theirs = pair->to_nominate && config_.role == Role::controlled;
  if (theirs && outdated(*pair)) {
    pair->to_nominate = false;
  } else if (ours || theirs) {
    select(now, *pair);
  }
}

void Agent::on_error(const Waiting& waiting, stun::ErrorCode code) {
  auto* pair = list_.find(waiting.pair);
  if (pair == nullptr) return;
  if (code == stun::ErrorCode::role_conflict) {
    // Section 7.2.5.1: unless the role was changed meanwhile.
    if (waiting.role == config_.role)
      change_role(config_.role == Role::controlling ? Role::controlled : Role::controlling);
    if (pair->checks < kMaxUnanswered) list_.trigger(*pair);
    return;
  }
  on_given_up(waiting);
}

void Agent::on_given_up(const Waiting& waiting) {
  auto* pair = list_.find(waiting.pair);
  // Consent runs out by its own clock; a pair that is tried anew is judged by the newer check.
  if (waiting.previous || pair == nullptr || waiting.purpose == Purpose::consent || checks_.on(pair->id)) return;
  if (list_.triggered(*pair)) return;
  if (pair->valid() && !(waiting.use_candidate && pair->to_nominate)) return;
  if (pair->valid()) return lose(*pair);
  pair->state = State::failed;
}

Duration Agent::jittered(Duration d) {
  return d * 8 / 10 + Duration(rng_.below(static_cast<std::uint64_t>(d.count()) * 4 / 10));
}

// A NAT may have changed its mind, a firewall its rules: on a relayed path the direct ones are tried again, slowly.
void Agent::retry(Time now) {
  const auto* current = selected_ ? list_.find(*selected_) : nullptr;
  if (config_.policy != Policy::move || current == nullptr || !list_.relayed(*current)) {
    retry_at_ = kNever;
    return;
  }
  if (retry_at_ == kNever) retry_at_ = now + (scant_ ? kScantRetry : kRetry);
  if (retry_at_ > now) return;
  retry_at_ = now + (scant_ ? kScantRetry : kRetry);
  for (std::size_t n = 0; n < kRetried; ++n) {
    Pair* best = nullptr;
    for (auto& p : list_.pairs()) {
      if (p.state == State::failed && !list_.relayed(p) && (best == nullptr || p.priority > best->priority)) best = &p;
    }
    if (best == nullptr) return;
    best->state = State::waiting;
    best->checks = std::min(best->checks, kMaxUnanswered - 1);
  }
}

void Agent::refresh(Time now) {
  if (!theirs_) return;
  for (auto& pair : list_.pairs()) {
    if (!pair.valid() || pair.refresh > now) continue;
    const bool selected = selected_ == pair.id;
    // Where answers are waited for so long, one that is lost must not cost the spare.
    pair.refresh = now + jittered(selected || scant_ ? kRefresh : kSpareRefresh);
    const auto better_ones = std::count_if(list_.pairs().begin(), list_.pairs().end(), [&](const Pair& p) {
      return p.valid() && p.id != pair.id && better(p, pair);
    });
    // What is not needed is left to run out.
    const bool spare =
        config_.policy == Policy::move && static_cast<std::size_t>(better_ones) <= (scant_ ? 1 : kSpares);
    if (selected || !selected_ || spare) send_check(now, pair, Purpose::consent);
  }
}

void Agent::set_scant(Time now, bool scant) {
  const bool before = std::exchange(scant_, scant && config_.policy == Policy::move);
  if (!scant_ || before) return;
  checks_.slow_down(now, kScantRto);
  if (retry_at_ != kNever) retry_at_ += kScantRetry - kRetry;
}

void Agent::heard_otherwise(Time now, PairId id) {
  auto* pair = scant_ ? list_.find(id) : nullptr;
  if (pair == nullptr || !pair->valid()) return;
  pair->heard = now;
  pair->refresh = std::max(pair->refresh, now + kRefresh);
}

void Agent::refresh_previous(Time now) {
  if (!previous_) return;
  if (previous_->heard + kConsent <= now) {
    events_.push_back(event::Lost{previous_->way});
    previous_.reset();
    return;
  }
  if (previous_->refresh > now) return;
  previous_->refresh = now + jittered(kRefresh);
  Waiting waiting;
  waiting.id = rng_.array<12>();
  waiting.previous = true;
  waiting.purpose = Purpose::consent;
  waiting.role = config_.role;
  const Check check{config_.role, tie_breaker_, reflexive_priority(candidate_priority(Type::host, 0xffff)), false};
  waiting.out = outgoing(previous_->way.base, previous_->way.remote,
                         write_check(waiting.id, check, previous_->mine, previous_->theirs));
  waiting.when = stun::Retransmission(now, {config_.rto, 1, 8});
  if (const auto evicted = checks_.add(std::move(waiting))) on_given_up(*evicted);
}

void Agent::expire(Time now) {
  for (std::size_t i = 0; i < list_.pairs().size(); ++i) {
    auto& pair = list_.pairs()[i];
    if (!pair.valid() || pair.heard + kConsent > now) continue;
    lose(pair);
    fall_back(now);
  }
}

}  // namespace linnet::nat::ice
