// The delays of the last packets, sorted: quantiles of their histogram without bins. Old packets leave, so that a bad
// spell is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
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
  std::size_t size() const { return ring_.size(); }
  bool empty() const { return ring_.empty(); }
  void clear();
  void set_span(Duration span) { span_ = span; }

 private:
  struct Entry {
    Time at{};
    std::int64_t value = 0;
  };
  void forget_oldest();

  std::size_t capacity_;
  Duration span_;
  std::size_t least_;
  std::deque<Entry> ring_;            // in order of arrival
  std::vector<std::int64_t> sorted_;  // the same values
};

}  // namespace linnet::media
