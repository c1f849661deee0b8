#include "sip/subscription_table.h"

namespace linnet::sip {

Subscription* SubscriptionTable::touch(Subscription& subscription) {
  if (!std::exchange(subscription.touched, true)) touched_.push_back(subscription.id);
  return &subscription;
}

Subscription& SubscriptionTable::add(Subscription subscription) {
  per_peer_[subscription.peer].push_back(subscription.id);
  const auto id = subscription.id;
  return *touch(all_.emplace(id, std::move(subscription)).first->second);
}

void SubscriptionTable::erase(SubscriptionId id) {
  const auto it = all_.find(id);
  if (it == all_.end()) return;
  due_.erase({it->second.due, id});
  if (const auto of_peer = per_peer_.find(it->second.peer); of_peer != per_peer_.end()) {
    std::erase(of_peer->second, id);
    if (of_peer->second.empty()) per_peer_.erase(of_peer);
  }
  all_.erase(it);
}

Subscription* SubscriptionTable::find(SubscriptionId id) {
  const auto it = all_.find(id);
  return it == all_.end() ? nullptr : touch(it->second);
}

std::vector<SubscriptionId> SubscriptionTable::of(const PeerId& peer) const {
  const auto it = per_peer_.find(peer);
  return it == per_peer_.end() ? std::vector<SubscriptionId>{} : it->second;
}

std::vector<SubscriptionId> SubscriptionTable::of(const PeerId& peer, CallId call) const {
  auto out = of(peer);
  std::erase_if(out, [&](SubscriptionId id) { return all_.at(id).call != call; });
  return out;
}

std::size_t SubscriptionTable::count(const PeerId& peer) const {
  const auto it = per_peer_.find(peer);
  return it == per_peer_.end() ? 0 : it->second.size();
}

void SubscriptionTable::settle() {
  for (const auto id : touched_) {
    const auto it = all_.find(id);
    if (it == all_.end()) continue;
    auto& s = it->second;
    s.touched = false;
    const auto next = s.next_timeout();
    if (next == s.due) continue;
    due_.erase({s.due, id});
    s.due = next;
    if (next != kNever) due_.insert({next, id});
  }
  touched_.clear();
}

std::vector<SubscriptionId> SubscriptionTable::due(Time now) {
  settle();
  std::vector<SubscriptionId> out;
  for (auto it = due_.begin(); it != due_.end() && it->first <= now; ++it) out.push_back(it->second);
  return out;
}

}  // namespace linnet::sip
