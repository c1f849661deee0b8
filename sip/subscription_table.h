// Every subscription of the node, found by its id and among those of its peer, which are few; the next deadline of all
// of them. Bounded by its owner.
#pragma once

#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sip/subscription.h"

namespace linnet::sip {

class SubscriptionTable {
 public:
  Subscription& add(Subscription subscription);
  void erase(SubscriptionId id);

  // What these hand out may be changed: settle() looks at its deadline again.
  Subscription* find(SubscriptionId id);
  template <class Fits>
  Subscription* find(const PeerId& peer, Fits fits) {
    const auto it = per_peer_.find(peer);
    if (it == per_peer_.end()) return nullptr;
    for (const auto id : it->second)
      if (auto& s = all_.at(id); fits(s)) return touch(s);
    return nullptr;
  }

  std::vector<SubscriptionId> of(const PeerId& peer) const;
  std::vector<SubscriptionId> of(const PeerId& peer, CallId call) const;
  std::size_t count(const PeerId& peer) const;
  std::size_t size() const { return all_.size(); }

  void settle();
  // True after settle().
  Time next_timeout() const { return due_.empty() ? kNever : due_.begin()->first; }
  std::vector<SubscriptionId> due(Time now);

 private:
  Subscription* touch(Subscription& subscription);

  std::unordered_map<SubscriptionId, Subscription> all_;
  std::unordered_map<PeerId, std::vector<SubscriptionId>> per_peer_;
  std::set<std::pair<Time, SubscriptionId>> due_;
  std::vector<SubscriptionId> touched_;
};

}  // namespace linnet::sip
