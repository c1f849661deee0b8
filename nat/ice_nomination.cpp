// Which pair is used (RFC 8445, section 8), and what happens when it is lost.
#include <algorithm>

#include "nat/ice_agent.h"

namespace linnet::nat::ice {

// Direct before relayed, a circuit before a TURN server. Among direct ones the priority decides, among relayed ones the
// round trip, by a margin.
bool Agent::better(const Pair& a, const Pair& b) const {
  const bool relayed = list_.relayed(a);
  if (relayed != list_.relayed(b)) return !relayed;
  const bool circuit = local_[a.local].circuit != 0;
  if (circuit != (local_[b.local].circuit != 0)) return circuit;
  if (relayed && a.rtt && b.rtt && config_.policy == Policy::move) {
    constexpr Duration kMargin = std::chrono::milliseconds(1);
    if (*a.rtt * 5 / 4 + kMargin < *b.rtt) return true;
    if (*b.rtt * 5 / 4 + kMargin < *a.rtt) return false;
  }
  return a.priority > b.priority;
}

Pair* Agent::best_valid(Time heard_since) {
  Pair* out = nullptr;
  for (auto& p : list_.pairs()) {
    if (p.valid() && p.heard >= heard_since && (out == nullptr || better(p, *out))) out = &p;
  }
  return out;
}

Time Agent::nominate_at() const {
  if (config_.role != Role::controlling || config_.policy != Policy::once || selected_ || first_valid_ == kNever)
    return kNever;
  const Pair* best = nullptr;
  for (const auto& p : list_.pairs()) {
    if (p.to_nominate) return kNever;
    if (p.valid() && (best == nullptr || better(p, *best))) best = &p;
  }
  if (best == nullptr) return kNever;
  return first_valid_ + (list_.relayed(*best) ? 2 : 1) * config_.patience;
}

void Agent::nominate(Time now) {
  if (config_.role != Role::controlling || !theirs_) return;
  auto& pairs = list_.pairs();
  auto* best = best_valid();
  if (best == nullptr || selected_ == best->id || best->to_nominate) return;
  if (config_.policy == Policy::once) {
    if (selected_) return;
    const bool better_may_come = std::any_of(pairs.begin(), pairs.end(), [&](const Pair& p) {
      return p.priority > best->priority && !p.valid() && p.state != State::failed;
    });
    if (now < nominate_at() && (better_may_come || !remote_done_)) return;
    if (std::any_of(pairs.begin(), pairs.end(), [](const Pair& p) { return p.to_nominate; })) return;
  } else if (const auto* current = selected_ ? list_.find(*selected_) : nullptr; current != nullptr) {
    if (!better(*best, *current)) return;
  }
  for (auto& p : pairs) p.to_nominate = false;
  best->to_nominate = true;
  if (config_.policy == Policy::move) checks_.stop_nominating_others(now, best->id);
  list_.trigger(*best);
}

bool Agent::nominating() const {
  const auto& pairs = list_.pairs();
  return std::any_of(pairs.begin(), pairs.end(), [](const Pair& p) { return p.to_nominate; });
}

// Controlled: a nomination by a slow pair may come after a newer one by a fast pair. When each was sent is told by half
// of its pair's round trip; where that misleads, the controlling side's repetition puts it right.
bool Agent::outdated(const Pair& pair) const {
  const auto* current = selected_ ? list_.find(*selected_) : nullptr;
  if (config_.policy != Policy::move || current == nullptr || current->id == pair.id) return false;
  return pair.asked - pair.rtt.value_or(pair.longest) / 2 < current->asked - current->rtt.value_or(Duration{}) / 2;
}

Duration Agent::slowest() const {
  Duration out{};
  for (const auto& p : list_.pairs()) {
    if (p.valid()) out = std::max(out, p.rtt.value_or(p.longest));
  }
  return out;
}

void Agent::select(Time now, Pair& pair) {
  pair.nominated = true;
  pair.to_nominate = false;
  const auto* current = selected_ ? list_.find(*selected_) : nullptr;
  if (current != nullptr && current->id == pair.id) return;
  // An agent of RFC 5245 nominates as it goes: the best of what it nominates counts.
  if (current != nullptr && config_.policy == Policy::once && current->priority > pair.priority) return;
  selected_ = pair.id;
  // Said again when whatever was sent before has arrived.
  const bool again = config_.policy == Policy::move && config_.role == Role::controlling;
  pair.refresh = now + (again ? std::max(slowest(), config_.pace) : jittered(kRefresh));
  previous_.reset();
  events_.push_back(event::Selected{way_of(pair)});
  if (config_.policy == Policy::move) return;
  losers_until_ = now + kLosers;
  concluded_ = false;
  const auto id = pair.id;
  const auto priority = pair.priority;
  checks_.stop_sending_others(now, id);
  list_.drop_unbegun(config_.role == Role::controlling ? std::nullopt : std::optional(priority));
}

void Agent::lose(Pair& pair) {
  pair.state = State::failed;
  pair.nominated = pair.to_nominate = false;
  pair.asked = {};
  pair.refresh = kNever;
  events_.push_back(event::Lost{way_of(pair)});
  if (selected_ == pair.id) selected_.reset();
}

// The controlling side nominates the next best one in settle(); the other uses it until it is told.
void Agent::fall_back(Time now, Time heard_since) {
  if (selected_ || config_.policy != Policy::move || config_.role == Role::controlling) return;
  if (auto* next = best_valid(heard_since)) select(now, *next);
}

void Agent::suspect(Time now) {
  const auto* current = selected_ ? list_.find(*selected_) : nullptr;
  if (current == nullptr || !theirs_ || doubt_until_ != kNever) return;
  constexpr Duration kLeast = std::chrono::milliseconds(100);
  doubt_since_ = now;
  doubt_until_ = now + std::max(kLeast, 3 * current->rtt.value_or(Duration{}));
  for (auto& pair : list_.pairs()) {
    if (pair.valid()) send_check(now, pair, Purpose::consent);
  }
  settle(now);
}

void Agent::end_doubt(Time now) {
  constexpr Duration kMost = std::chrono::seconds(1);
  constexpr Duration kAgain = std::chrono::milliseconds(20);
  const auto since = doubt_since_;
  auto* current = selected_ ? list_.find(*selected_) : nullptr;
  auto* spare = best_valid(since);
  const bool answered = current == nullptr || current->heard >= since;
  // Spares may be farther away than what they stand in for.
  if (!answered && spare == nullptr && now < since + kMost) {
    doubt_until_ = now + kAgain;
    return;
  }
  doubt_since_ = doubt_until_ = kNever;
  if (answered || spare == nullptr) return;
  // What would be preferred and has not answered either may be nominated again when it does.
  for (auto& pair : list_.pairs()) {
    if (pair.valid() && pair.heard < since && (pair.id == current->id || better(pair, *spare))) lose(pair);
  }
  fall_back(now, since);
}

void Agent::change_role(Role role) {
  config_.role = role;
  list_.prioritise(role);
  for (auto& pair : list_.pairs()) {
    pair.to_nominate = false;
    pair.asked = {};
  }
}

}  // namespace linnet::nat::ice
