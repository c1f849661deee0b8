// A queue in one block that is allocated on use: an idle one costs no memory beside itself (an empty std::deque holds
// more than half a kilobyte), and a busy one writes to the same few cache lines again and again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace linnet {

template <class T>
class Fifo {
 public:
  using const_iterator = typename std::vector<T>::const_iterator;

  bool empty() const { return head_ == items_.size(); }
  std::size_t size() const { return items_.size() - head_; }
  T& front() { return items_[head_]; }
  const T& front() const { return items_[head_]; }
  T& back() { return items_.back(); }

  void push_back(T value) {
    make_room();
    items_.push_back(std::move(value));
  }
  template <class... Args>
  T& emplace_back(Args&&... args) {
    make_room();
    return items_.emplace_back(std::forward<Args>(args)...);
  }
  void pop_front() { (void)take(); }
  // Not when it is empty.
  T take() {
    T out(std::move(items_[head_]));
    ++head_;
    if (head_ == items_.size()) clear();
    return out;
  }
  // A burst's memory is given back; that of a few entries is kept for the next ones.
  void clear() {
    if (items_.capacity() * sizeof(T) > kKeptBytes) {
      items_ = std::vector<T>();
    } else {
      items_.clear();
    }
    head_ = 0;
  }

  const_iterator begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(head_); }
  const_iterator end() const { return items_.end(); }
  std::size_t memory_bytes() const { return items_.capacity() * sizeof(T); }

 private:
  static constexpr std::size_t kKeptBytes = 128;

  // What was taken makes room once it is half of what is held, so that each entry is moved once on average.
  void make_room() {
    if (items_.size() < items_.capacity() || 2 * head_ < items_.size()) return;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }

  std::vector<T> items_;
  std::size_t head_ = 0;
};

}  // namespace linnet
