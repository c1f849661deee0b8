// A map from small integers that are never 0 (indexes, session ids, tags): open addressing with linear probing in one
// block, at most three quarters full, so that a search touches one cache line and an entry costs its own size and a
// third. Entries move when others come or go: hold no pointers to them. Keys must not be of a stranger's choice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace linnet {

template <class K, class V>
class FlatMap {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  V* find(K key) {
    const auto at = place_of(key);
    return at == kNowhere ? nullptr : &slots_[at].value;
  }
  const V* find(K key) const { return const_cast<FlatMap*>(this)->find(key); }
  bool contains(K key) const { return find(key) != nullptr; }

  V& operator[](K key) {
    if (auto* known = find(key)) return *known;
    if (4 * (size_ + 1) > 3 * slots_.size()) resize(slots_.empty() ? 4 : 2 * slots_.size());
    auto& slot = slots_[free_for(key)];
    slot.key = key;
    ++size_;
    return slot.value;
  }

  bool erase(K key) {
    auto hole = place_of(key);
    if (hole == kNowhere) return false;
    // Those behind it move up, so that no search meets a gap before what it looks for.
    const auto mask = slots_.size() - 1;
    for (auto i = (hole + 1) & mask; slots_[i].key != K{}; i = (i + 1) & mask) {
      const auto home = hash(slots_[i].key) & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      slots_[hole] = std::move(slots_[i]);
      hole = i;
    }
    slots_[hole] = Slot{};
    --size_;
    if (slots_.size() > 8 && 8 * size_ < slots_.size()) resize(slots_.size() / 4);
    return true;
  }

  // In no order that means anything, but the same for the same history.
  template <class F>
  void each(F f) const {
    for (const auto& slot : slots_) {
      if (slot.key != K{}) f(slot.key, slot.value);
    }
  }

  std::size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  struct Slot {
    K key{};
    V value{};
  };

  static std::size_t hash(K key) {
    const auto mixed = static_cast<std::uint64_t>(key) * 0x9e3779b97f4a7c15U;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32));
  }
  std::size_t place_of(K key) const {
    if (slots_.empty()) return kNowhere;
    const auto mask = slots_.size() - 1;
    for (auto i = hash(key) & mask; slots_[i].key != K{}; i = (i + 1) & mask) {
      if (slots_[i].key == key) return i;
    }
    return kNowhere;
  }
  std::size_t free_for(K key) const {
    const auto mask = slots_.size() - 1;
    auto i = hash(key) & mask;
    while (slots_[i].key != K{}) i = (i + 1) & mask;
    return i;
  }
  void resize(std::size_t slots) {
    auto old = std::exchange(slots_, std::vector<Slot>(slots));
    for (auto& slot : old) {
      if (slot.key != K{}) slots_[free_for(slot.key)] = std::move(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, or none
  std::size_t size_ = 0;
};

}  // namespace linnet
