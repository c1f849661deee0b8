#include "sim/event_queue.h"

#include <bit>

namespace linnet::sim {

void EventQueue::push(Time at, Event::Kind kind, std::uint32_t ref) {
  const Event event{at, order_++, ref, kind};
  const auto slot = slot_of(at);
  if (slot <= current_) {
    today_.insert(std::lower_bound(today_.begin(), today_.end(), event, std::greater<>()), event);
    return;
  }
  ++size_;
  if (slot < current_ + kSlots) return place(event);
  far_.push(event);
}

void EventQueue::place(const Event& event) {
  const auto slot = slot_of(event.at) % kSlots;
  auto& head = heads_[slot];
  ++in_ring_;
  if (head != kNone && (head & kFull) == 0) {
    nodes_[head].events[1] = event;
    head |= kFull;
    return;
  }
  std::uint32_t node;
  if (free_.empty()) {
    node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    node = free_.back();
    free_.pop_back();
  }
  nodes_[node].events[0] = event;
  nodes_[node].next = head == kNone ? kNone : head & ~kFull;  // those behind the first are full
  head = node;
  taken_[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

// The next slot that is not empty. The ring holds something.
std::uint64_t EventQueue::next_taken() const {
  const auto first = (current_ + 1) % kSlots;
  auto word = first / 64;
  auto bits = taken_[word] & (~std::uint64_t{0} << (first % 64));
  while (bits == 0) {
    word = (word + 1) % taken_.size();
    bits = taken_[word];
  }
  const auto slot = word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
  return current_ + 1 + (slot + kSlots - first) % kSlots;
}

void EventQueue::advance() {
  if (size_ == 0) return;
  current_ = in_ring_ > 0 ? next_taken() : slot_of(far_.top().at);
  while (!far_.empty() && slot_of(far_.top().at) < current_ + kSlots) {
    place(far_.top());
    far_.pop();
  }
  const auto slot = current_ % kSlots;
  const auto head = heads_[slot];
  bool full = head != kNone && (head & kFull) != 0;
  for (auto at = head == kNone ? kNone : head & ~kFull; at != kNone; at = nodes_[at].next, full = true) {
    today_.push_back(nodes_[at].events[0]);
    if (full) today_.push_back(nodes_[at].events[1]);
    free_.push_back(at);
  }
  heads_[slot] = kNone;
  taken_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  in_ring_ -= today_.size();
  size_ -= today_.size();
  std::sort(today_.begin(), today_.end(), std::greater<>());
  fetched_ = in_ring_ > 0 ? heads_[next_taken() % kSlots] & ~kFull : kNone;
}

}  // namespace linnet::sim
