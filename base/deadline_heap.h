// Deadlines of many things, the earliest on top: a binary heap whose entries know their owners' slots, so that moving
// one deadline costs O(log n). Equal deadlines go by id: the order never depends on addresses.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"

namespace linnet {

class DeadlineHeap {
 public:
  static constexpr std::size_t kNone = 0;  // slot of something that is not in the heap; slots count from 1

  struct Entry {
    Time at;
    std::uint64_t id;
    std::size_t* slot;
  };

  bool empty() const { return entries_.empty(); }
  const Entry& top() const { return entries_.front(); }
  std::size_t size() const { return entries_.size(); }
  std::size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry); }

  // kNever takes it out.
  void set(std::size_t& slot, std::uint64_t id, Time at) {
    if (at == kNever) return remove(slot);
    if (slot == kNone) {
      entries_.push_back({at, id, &slot});
      slot = entries_.size();
      up(entries_.size() - 1);
      return;
    }
    const auto i = slot - 1;
    if (entries_[i].at == at) return;
    entries_[i].at = at;
    down(up(i));
  }

  void remove(std::size_t& slot) {
    if (slot == kNone) return;
    const auto i = slot - 1;
    slot = kNone;
    const auto last = entries_.back();
    entries_.pop_back();
    if (i != entries_.size()) {
      place(i, last);
      down(up(i));
    }
    give_back();
  }

 private:
  bool before(std::size_t a, std::size_t b) const {
    return std::pair(entries_[a].at, entries_[a].id) < std::pair(entries_[b].at, entries_[b].id);
  }
  // A burst's memory, once an eighth of it is in use.
  void give_back() {
    if (entries_.capacity() < 8 || 8 * entries_.size() > entries_.capacity()) return;
    std::vector<Entry> less;
    less.reserve(2 * entries_.size());
    less.assign(entries_.begin(), entries_.end());
    entries_ = std::move(less);
  }
  void place(std::size_t i, const Entry& entry) {
    entries_[i] = entry;
    *entry.slot = i + 1;
  }
  void swap(std::size_t a, std::size_t b) {
    const auto entry = entries_[a];
    place(a, entries_[b]);
    place(b, entry);
  }
  std::size_t up(std::size_t i) {
    for (; i > 0 && before(i, (i - 1) / 2); i = (i - 1) / 2) swap(i, (i - 1) / 2);
    return i;
  }
  void down(std::size_t i) {
    for (;;) {
      auto least = i;
      for (const auto child : {2 * i + 1, 2 * i + 2}) {
        if (child < entries_.size() && before(child, least)) least = child;
      }
      if (least == i) return;
      swap(i, least);
      i = least;
    }
  }

  std::vector<Entry> entries_;
};

}  // namespace linnet
