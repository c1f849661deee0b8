// The leaves for which a supernode answers, by tag, by session and by key.
#pragma once

#include <memory>
#include <unordered_set>

#include "base/fifo.h"
#include "base/flat_map.h"
#include "overlay/forward.h"
#include "overlay/sessions.h"

namespace linnet::overlay {

struct Leaf {
  std::uint64_t tag = 0;
  crypto::SessionKey key;
  crypto::Mac1 mac1;
  std::optional<SessionId> session;  // none: gone a moment ago; its tag waits for it
  Time gone{};                       // then: since
  Endpoint endpoint;
  std::unique_ptr<SourceTable> sources;  // since somebody asked for it

  SourceTable& asked() {
    if (!sources) sources = std::make_unique<SourceTable>();
    return *sources;
  }
};

class LeafRegistry {
 public:
  // A leaf that comes back within this time finds its tag, so that its record stays true.
  static constexpr Duration kTagKept = std::chrono::minutes(5);
  // Where all are taken, a newcomer is given the place of one that went this long ago, the oldest first.
  static constexpr Duration kPlaceKept = std::chrono::seconds(10);

  explicit LeafRegistry(std::size_t capacity) : capacity_(capacity) {}

  void set_capacity(std::size_t capacity) { capacity_ = capacity; }
  // Fault::full. A leaf we have is never dropped for a new one.
  Result<Leaf*> attach(Time now, const crypto::Suite& suite, Rng& rng, const crypto::SessionKey& key, SessionId session,
                       const Endpoint& endpoint);
  void detach(Time now, SessionId session);
  void moved(SessionId session, const Endpoint& endpoint);

  Leaf* by_tag(std::uint64_t tag);
  Leaf* by_session(SessionId session);
  Leaf* by_endpoint(const Endpoint& endpoint);
  const Leaf* by_key(const crypto::SessionKey& key) const;
  bool serves(SessionId session) const { return by_session_.contains(session); }
  std::size_t size() const { return by_session_.size(); }  // attached now

 private:
  // Leaves by something that they hold themselves.
  template <class Key, Key Leaf::*kKey>
  struct By {
    using is_transparent = void;
    static const Key& of(const Key& key) { return key; }
    static const Key& of(const Leaf* leaf) { return leaf->*kKey; }
    template <class T>
    std::size_t operator()(const T& a) const noexcept {
      return std::hash<Key>{}(of(a));
    }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return of(a) == of(b);
    }
  };
  template <class Key, Key Leaf::*kKey>
  using Index = std::unordered_set<Leaf*, By<Key, kKey>, By<Key, kKey>>;

  void forget_gone(Time now);
  void make_room(Time now);
  void forget_oldest_gone();
  void place(Leaf& leaf, SessionId session, const Endpoint& endpoint);
  void unplace(Leaf& leaf);

  std::size_t capacity_;
  FlatMap<std::uint64_t, std::unique_ptr<Leaf>> leaves_;  // by tag
  FlatMap<SessionId, Leaf*> by_session_;
  Index<crypto::SessionKey, &Leaf::key> by_key_;
  Index<Endpoint, &Leaf::endpoint> by_endpoint_;
  Fifo<std::pair<Time, std::uint64_t>> gone_;  // since, and the tag; of some that came back
};

}  // namespace linnet::overlay
