#include "nat/ice_checks.h"

#include <algorithm>

namespace linnet::nat::ice {

std::optional<Waiting> Checks::add(Waiting check) {
  std::optional<Waiting> out;
  if (waiting_.size() >= kMax) {
    const auto oldest = std::max_element(waiting_.begin(), waiting_.end(), [](const Waiting& a, const Waiting& b) {
      return a.when.sent() < b.when.sent();
    });
    out = std::move(*oldest);
    waiting_.erase(oldest);
  }
  waiting_.push_back(std::move(check));
  return out;
}

const Waiting* Checks::find(const stun::TransactionId& id) const {
  const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return w.id == id; });
  return at == waiting_.end() ? nullptr : &*at;
}

std::optional<Waiting> Checks::take(const stun::TransactionId& id) {
  const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return w.id == id; });
  if (at == waiting_.end()) return std::nullopt;
  auto out = std::move(*at);
  waiting_.erase(at);
  return out;
}

std::vector<Waiting> Checks::handle_timeout(Time now, std::vector<Outgoing>& out) {
  std::vector<Waiting> given_up;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->when.over(now)) {
      given_up.push_back(std::move(*it));
      it = waiting_.erase(it);
      continue;
    }
    if (it->when.due(now)) out.push_back(it->out);
    ++it;
  }
  return given_up;
}

Time Checks::next_timeout() const {
  Time next = kNever;
  for (const auto& w : waiting_) next = std::min(next, w.when.next());
  return next;
}

bool Checks::on(PairId pair) const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [pair](const Waiting& w) { return w.pair == pair && w.purpose == Purpose::check; });
}

void Checks::drop(PairId pair) {
  std::erase_if(waiting_, [pair](const Waiting& w) { return !w.previous && w.pair == pair; });
}

void Checks::stop_sending(Time now, PairId pair) {
  for (auto& w : waiting_) {
    if (w.pair == pair && w.purpose == Purpose::check) w.when.stop_sending(now);
  }
}

void Checks::stop_sending_others(Time now, PairId pair) {
  for (auto& w : waiting_) {
    if (w.pair != pair && w.purpose == Purpose::check) w.when.stop_sending(now);
  }
}

void Checks::stop_nominating_others(Time now, PairId pair) {
  for (auto& w : waiting_) {
    if (w.pair != pair && w.use_candidate) w.when.stop_sending(now);
  }
}

void Checks::slow_down(Time now, Duration rto) {
  for (auto& w : waiting_) w.when.slow_down(now, rto);
}

}  // namespace linnet::nat::ice
