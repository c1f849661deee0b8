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
  std::uint32_t node = free_;
  if (node == kNone) {
    node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    free_ = nodes_[node].next;
  }
  const auto slot = slot_of(event.at) % kSlots;
  nodes_[node] = {event, heads_[slot]};
  heads_[slot] = node;
  taken_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  ++in_ring_;
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
  for (auto node = heads_[slot]; node != kNone;) {
    today_.push_back(nodes_[node].event);
    const auto next = nodes_[node].next;
    nodes_[node].next = free_;
    free_ = node;
    node = next;
  }
  heads_[slot] = kNone;
  taken_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  in_ring_ -= today_.size();
  size_ -= today_.size();
  std::sort(today_.begin(), today_.end(), std::greater<>());
  fetched_ = in_ring_ > 0 ? heads_[next_taken() % kSlots] : kNone;
}

}  // namespace linnet::sim
