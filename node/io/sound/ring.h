// A ring between exactly one writing and one reading thread, without locks: the sound card's callback must never wait.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <span>

namespace linnet::io {

template <class T, std::size_t Capacity>
class Ring {
  static_assert((Capacity & (Capacity - 1)) == 0, "a power of two, so that indices may wrap");

 public:
  // Writer's thread. Returns how many fitted.
  std::size_t write(std::span<const T> in) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    const std::size_t n = std::min(in.size(), Capacity - (tail - head_.load(std::memory_order_acquire)));
    for (std::size_t i = 0; i < n; ++i) items_[(tail + i) & (Capacity - 1)] = in[i];
    tail_.store(tail + n, std::memory_order_release);
    return n;
  }

  // Reader's thread. Returns how many there were.
  std::size_t read(std::span<T> out) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    const std::size_t n = std::min(out.size(), tail_.load(std::memory_order_acquire) - head);
    for (std::size_t i = 0; i < n; ++i) out[i] = items_[(head + i) & (Capacity - 1)];
    head_.store(head + n, std::memory_order_release);
    return n;
  }

  // Either thread; the other side may have moved on since.
  std::size_t size() const { return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire); }

 private:
  std::array<T, Capacity> items_{};
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace linnet::io
