#include "media/jitter_buffer.h"

#include <algorithm>
#include <cassert>

namespace linnet::media {

namespace {
constexpr auto kSpan = static_cast<std::int64_t>(JitterBuffer::kCapacity);
}

Admission JitterBuffer::insert(const BufferedPacket& meta, ByteView payload) {
  const std::int64_t sequence = meta.sequence;
  if (!started_) {
    started_ = true;
    // Packets that were overtaken by the very first one are still welcome.
    next_ = sequence - 4;
    highest_ = sequence;
  }
  if (seen(sequence)) return Admission::duplicate;
  if (sequence < next_) return Admission::late;
  if (sequence >= next_ + kSpan) {
    if (waiting_ != 0) return Admission::overflow;
    next_ = sequence - 4;  // nothing waits: the window may follow
  }
  Slot& s = slot(sequence);
  assert(!s.waiting);
  Bytes buffer = std::move(s.packet.payload);
  buffer.assign(payload.begin(), payload.end());
  s.packet = meta;
  s.packet.payload = std::move(buffer);
  s.waiting = s.used = true;
  ++waiting_;
  highest_ = std::max(highest_, sequence);
  return Admission::accepted;
}

std::int64_t JitterBuffer::first_waiting() const {
  std::int64_t sequence = next_;
  while (!holds(sequence)) ++sequence;
  return sequence;
}

const BufferedPacket* JitterBuffer::front() const { return waiting_ == 0 ? nullptr : &slot(first_waiting()).packet; }

const BufferedPacket& JitterBuffer::pop() {
  assert(waiting_ > 0);
  const std::int64_t sequence = first_waiting();
  Slot& s = slot(sequence);
  s.waiting = false;
  --waiting_;
  next_ = sequence + 1;
  return s.packet;
}

const BufferedPacket* JitterBuffer::played(std::int64_t sequence) const {
  return seen(sequence) && !holds(sequence) ? &slot(sequence).packet : nullptr;
}

std::int64_t JitterBuffer::span() const {
  if (waiting_ == 0) return 0;
  std::int64_t last = highest_;
  while (!holds(last)) --last;
  const auto& end = slot(last).packet;
  return end.position + static_cast<std::int64_t>(end.duration) - front()->position;
}

bool JitterBuffer::holds(std::int64_t sequence) const {
  const Slot& s = slot(sequence);
  return s.waiting && s.packet.sequence == sequence;
}

bool JitterBuffer::seen(std::int64_t sequence) const {
  const Slot& s = slot(sequence);
  return s.used && s.packet.sequence == sequence;
}

void JitterBuffer::clear() {
  for (auto& s : slots_) s.waiting = s.used = false;
  waiting_ = 0;
  started_ = false;
}

}  // namespace linnet::media
