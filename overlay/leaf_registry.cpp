#include "overlay/leaf_registry.h"

namespace linnet::overlay {

Result<Leaf*> LeafRegistry::attach(Time now, const crypto::Suite& suite, Rng& rng, const crypto::SessionKey& key,
                                   SessionId session, const Endpoint& endpoint) {
  forget_gone(now);
  if (const auto it = by_key_.find(key); it != by_key_.end()) {
    auto& leaf = **it;
    unplace(leaf);
    place(leaf, session, endpoint);
    return &leaf;
  }
  make_room(now);
  if (leaves_.size() >= capacity_) return fail(Fault::full);
  std::uint64_t tag = 0;
  do {
    tag = rng.u64();
  } while (tag == 0 || leaves_.contains(tag));
  auto leaf = std::unique_ptr<Leaf>(new Leaf{tag, key, crypto::Mac1(suite, key), std::nullopt, {}, endpoint, nullptr});
  auto* out = leaf.get();
  leaves_[tag] = std::move(leaf);
  by_key_.insert(out);
  place(*out, session, endpoint);
  return out;
}

void LeafRegistry::place(Leaf& leaf, SessionId session, const Endpoint& endpoint) {
  leaf.session = session;
  leaf.endpoint = endpoint;
  by_session_[session] = &leaf;
  // Two may come from one place; who came last is asked.
  if (const auto it = by_endpoint_.find(endpoint); it != by_endpoint_.end()) by_endpoint_.erase(it);
  by_endpoint_.insert(&leaf);
}

void LeafRegistry::unplace(Leaf& leaf) {
  if (!leaf.session) return;
  by_session_.erase(*leaf.session);
  leaf.session.reset();
  if (const auto it = by_endpoint_.find(leaf.endpoint); it != by_endpoint_.end() && *it == &leaf)
    by_endpoint_.erase(it);
}

void LeafRegistry::detach(Time now, SessionId session) {
  auto* leaf = by_session(session);
  if (leaf == nullptr) return;
  leaf->gone = now;
  gone_.emplace_back(now, leaf->tag);
  unplace(*leaf);
  forget_gone(now);
}

void LeafRegistry::forget_gone(Time now) {
  while (!gone_.empty() && (gone_.front().first + kTagKept <= now || gone_.size() > capacity_)) forget_oldest_gone();
}

void LeafRegistry::make_room(Time now) {
  while (leaves_.size() >= capacity_ && !gone_.empty() && gone_.front().first + kPlaceKept <= now) forget_oldest_gone();
}

// Not one that came back since, also if it went again.
void LeafRegistry::forget_oldest_gone() {
  const auto [since, tag] = gone_.take();
  auto* leaf = by_tag(tag);
  if (leaf == nullptr || leaf->session || leaf->gone != since) return;
  by_key_.erase(leaf);
  leaves_.erase(tag);
}

void LeafRegistry::moved(SessionId session, const Endpoint& endpoint) {
  auto* leaf = by_session(session);
  if (!leaf) return;
  unplace(*leaf);
  place(*leaf, session, endpoint);
}

Leaf* LeafRegistry::by_tag(std::uint64_t tag) {
  const auto* at = leaves_.find(tag);
  return at == nullptr ? nullptr : at->get();
}

Leaf* LeafRegistry::by_session(SessionId session) {
  auto* const* at = by_session_.find(session);
  return at == nullptr ? nullptr : *at;
}

Leaf* LeafRegistry::by_endpoint(const Endpoint& endpoint) {
  const auto it = by_endpoint_.find(endpoint);
  return it == by_endpoint_.end() ? nullptr : *it;
}

const Leaf* LeafRegistry::by_key(const crypto::SessionKey& key) const {
  const auto it = by_key_.find(key);
  return it == by_key_.end() ? nullptr : *it;
}

}  // namespace linnet::overlay
