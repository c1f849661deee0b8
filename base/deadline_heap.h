// Deadlines of many things, the earliest on top: a binary heap, and beside it where the entry of each thing stands, so
// that moving one deadline costs O(log n) and touches none of the things themselves. Equal deadlines go by id.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/heap.h"
#include "base/time.h"

namespace linnet {

class DeadlineHeap {
 public:
  // What a thing holds of its place here: numbers from 1, and kNone while it has no deadline.
  using Slot = std::uint32_t;
  static constexpr Slot kNone = 0;

  struct Entry {
    Time at;
    std::uint64_t id;
    Slot slot;
  };

  bool empty() const { return entries_.empty(); }
  const Entry& top() const { return entries_.front(); }
  std::size_t size() const { return entries_.size(); }
  std::size_t memory_bytes() const {
    return entries_.capacity() * sizeof(Entry) + places_.capacity() * sizeof(std::uint32_t);
  }

  // kNever takes it out.
  void set(Slot& slot, std::uint64_t id, Time at) {
    if (at == kNever) return remove(slot);
    if (slot == kNone) {
      slot = new_slot();
      entries_.push_back({at, id, slot});
      settle_at(entries_.size() - 1);
      return;
    }
    const std::size_t i = places_[slot - 1];
    if (entries_[i].at == at) return;
    entries_[i].at = at;
    settle_at(i);
  }

  void remove(Slot& slot) {
    if (slot == kNone) return;
    const std::size_t i = places_[slot - 1];
    const auto last = entries_.back();
    entries_.pop_back();
    if (i != entries_.size()) {
      entries_[i] = last;
      settle_at(i);
    }
    places_[slot - 1] = free_;
    free_ = std::exchange(slot, kNone);
    give_back();
  }

 private:
  static bool before(const Entry& a, const Entry& b) { return a.at != b.at ? a.at < b.at : a.id < b.id; }

  Slot new_slot() {
    if (free_ == kNone) {
      places_.push_back(0);
      return static_cast<Slot>(places_.size());
    }
    const auto out = free_;
    free_ = places_[out - 1];
    return out;
  }
  // A burst's memory, once an eighth of it is in use. Slots keep their numbers, so theirs goes with the last of them.
  void give_back() {
    if (entries_.empty()) {
      places_ = std::vector<std::uint32_t>();
      free_ = kNone;
    }
    if (entries_.capacity() < 8 || 8 * entries_.size() > entries_.capacity()) return;
    std::vector<Entry> less;
    less.reserve(2 * entries_.size());
    less.assign(entries_.begin(), entries_.end());
    entries_ = std::move(less);
  }
  void place(std::size_t i, const Entry& entry) {
    entries_[i] = entry;
    places_[entry.slot - 1] = static_cast<std::uint32_t>(i);
  }
  void settle_at(std::size_t i) {
    const auto earlier = [](const Entry& a, const Entry& b) { return before(a, b); };
    settle(entries_, i, earlier, [this](std::size_t at, const Entry& entry) { place(at, entry); });
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> places_;  // of slots: in entries_, or the next free slot
  Slot free_ = kNone;
};

}  // namespace linnet
