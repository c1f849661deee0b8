// The delays of the last packets, sorted: quantiles of their histogram without bins. Old packets leave, so that a bad
// spell is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"

namespace linnet::media {

class DelayWindow {
 public:
  // At most `capacity` values, none older than `span` unless there are fewer than `least`.
  explicit DelayWindow(std::size_t capacity, Duration span = Duration::max(), std::size_t least = 0)
      : capacity_(capacity), span_(span), least_(least) {}

  void add(Time now, std::int64_t value);
  // The value below which the fraction q of the window lies; the window must not be empty.
  std::int64_t quantile(double q) const;
  // The least value of those that came at `since` or later; nothing when there are fewer than `enough`.
  std::optional<std::int64_t> least_since(Time since, std::size_t enough) const;
  std::size_t size() const { return sorted_.size(); }
  bool empty() const { return sorted_.empty(); }
  void clear();
  void set_span(Duration span) { span_ = span; }

 private:
  struct Entry {
    Time at{};
    std::int64_t value = 0;
  };
  void forget_oldest();
  std::size_t place(std::size_t n) const {  // of the n-th oldest; no division, it is asked often
    return first_ + n < capacity_ ? first_ + n : first_ + n - capacity_;
  }
  const Entry& entry(std::size_t n) const { return ring_[place(n)]; }

  std::size_t capacity_;
  Duration span_;
  std::size_t least_;
  std::vector<Entry> ring_;  // in order of arrival from first_ on; `capacity_` places once one is used
  std::size_t first_ = 0;
  std::vector<std::int64_t> sorted_;  // the same values
};

}  // namespace linnet::media
