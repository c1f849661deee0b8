#include "overlay/bootstrap.h"

#include <algorithm>

namespace linnet::overlay {

std::vector<Bootstrap::Candidate> Bootstrap::candidates(const Context& c, const HostCache& cache) const {
  std::vector<Candidate> out;
  const auto known = [&](const Endpoint& e) {
    const auto& own = c.config.listen;
    return std::find(own.begin(), own.end(), e) != own.end() ||
           std::any_of(out.begin(), out.end(), [&](const Candidate& x) { return x.endpoint == e; });
  };
  const auto hosts = cache.candidates(kFromCache, c.rng);
  const bool by_key = rounds_ % 2 == 1;
  if (by_key || c.config.bootstrap.empty()) {
    for (const auto& h : hosts) {
      if (!known(h.contact.endpoint)) out.push_back({h.contact.endpoint, h.contact.session});
    }
  }
  for (const auto& e : c.config.bootstrap) {
    if (out.size() < kFromCache + kFromConfig && !known(e)) out.push_back({e, std::nullopt});
  }
  if (!by_key) {
    for (const auto& h : hosts) {
      if (!known(h.contact.endpoint)) out.push_back({h.contact.endpoint, h.contact.session});
    }
  }
  return out;
}

void Bootstrap::connected(const Context& c, bool any_up, bool any_connecting) {
  if (any_up) {
    lonely_since_.reset();
    ask_at_ = kNever;
    rounds_ = 0;
    return;
  }
  if (!lonely_since_) lonely_since_ = c.now;
  if (any_connecting || ask_at_ != kNever) return;
  const auto pause =
      std::min<Duration>(std::chrono::milliseconds(500) * (1LL << std::min(rounds_, 6U)), std::chrono::seconds(30));
  ask_at_ = rounds_ == 0 ? c.now : c.now + c.jittered(pause);
}

bool Bootstrap::due(const Context& c) {
  if (lonely_since_ && c.now - *lonely_since_ >= kPatience) noticed_ = true;
  if (!lonely_since_) noticed_ = false;
  if (ask_at_ > c.now) return false;
  ask_at_ = kNever;
  ++rounds_;
  return true;
}

Time Bootstrap::next_timeout() const {
  if (!lonely_since_ || noticed_) return ask_at_;
  return std::min(ask_at_, *lonely_since_ + kPatience);
}

}  // namespace linnet::overlay
