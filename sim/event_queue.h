// The events of a world, earliest first, and at one instant in the order in which they were queued. A calendar queue
// (Brown, 1988): a ring of slots of about eight milliseconds, each a list that is sorted when its time comes; what lies
// beyond the ring waits in a heap.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "base/time.h"

namespace linnet::sim {

struct Event {
  enum class Kind : std::uint8_t { datagram, deadline, wall, action };

  Time at;
  std::uint64_t order = 0;  // first queued goes first at one instant
  std::uint32_t ref = 0;    // host, flight or action
  Kind kind{};

  bool operator>(const Event& o) const { return at != o.at ? at > o.at : order > o.order; }
};

class EventQueue {
 public:
  EventQueue() : heads_(kSlots, kNone), taken_(kSlots / 64) {}

  // Not before the latest event that was taken.
  void push(Time at, Event::Kind kind, std::uint32_t ref);
  // Null when there is none.
  const Event* top() {
    if (today_.empty()) advance();
    return today_.empty() ? nullptr : &today_.back();
  }
  void pop() {
    today_.pop_back();
    if (fetched_ == kNone) return;
    fetched_ = nodes_[fetched_].next;
    if (fetched_ != kNone) __builtin_prefetch(&nodes_[fetched_]);
  }
  std::size_t size() const { return size_ + today_.size(); }

 private:
  static constexpr std::uint64_t kSlots = 1U << 14;
  static constexpr int kSlotBits = 13;  // of microseconds
  static constexpr std::uint32_t kNone = 0xffffffff;

  // Two of one slot, so that it fills a cache line. Which are free, and whether the first of a slot is full, is said
  // elsewhere: who queues an event writes to a node and never waits for what it holds.
  struct Node {
    Event events[2];
    std::uint32_t next;
  };
  static constexpr std::uint32_t kFull = 0x80000000;  // in heads_: the node has both

  static std::uint64_t slot_of(Time at) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count()) >> kSlotBits;
  }
  void place(const Event& event);
  void advance();
  std::uint64_t next_taken() const;

  std::uint64_t order_ = 0;
  std::uint64_t current_ = 0;  // slot whose events stand in today_
  std::size_t size_ = 0;       // beyond today_
  std::size_t in_ring_ = 0;
  std::vector<Event> today_;  // latest first
  std::vector<std::uint32_t> heads_;
  std::vector<std::uint64_t> taken_;  // a bit for each slot that is not empty
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> free_;
  std::uint32_t fetched_ = kNone;  // of the next slot's nodes, which come into the cache one by one meanwhile
  std::priority_queue<Event, std::vector<Event>, std::greater<>> far_;
};

}  // namespace linnet::sim
