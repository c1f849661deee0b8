#include "node/stranger_gate.h"

#include <algorithm>

namespace linnet::node {

void StrangerGate::refill(Bucket& bucket, Time now, std::size_t burst, Duration interval) {
  const auto passed = static_cast<std::size_t>((now - bucket.since) / interval);
  if (bucket.left + passed >= burst) {
    bucket.left = burst;
    bucket.since = now;
  } else {
    bucket.left += passed;
    bucket.since += static_cast<Duration::rep>(passed) * interval;
  }
}

StrangerGate::Bucket& StrangerGate::of(const PersonKey& key, Time now) {
  const auto found = keys_.find(key);
  if (found != keys_.end()) return found->second;
  if (keys_.size() >= kKeys) {
    const auto oldest = std::min_element(keys_.begin(), keys_.end(),
                                         [](const auto& a, const auto& b) { return a.second.since < b.second.since; });
    keys_.erase(oldest);
  }
  return keys_.emplace(key, Bucket{kKeyBurst, now}).first->second;
}

// The cheapest look first; a refusal at one costs nothing at the others.
bool StrangerGate::let_in(Time now, const PersonKey& key, const IpAddress& via, std::size_t ringing,
                          std::size_t ringing_same) {
  auto& own = of(key, now);
  refill(own, now, kKeyBurst, kKeyInterval);
  refill(all_, now, kBurst, kInterval);
  const bool room = ringing < kRinging && ringing_same == 0 && own.left > 0 && all_.left > 0;
  if (!room || !prefixes_.allow(now, via)) {
    ++refused_;
    return false;
  }
  --own.left;
  --all_.left;
  return true;
}

}  // namespace linnet::node
