// The delays of the last packets, sorted: quantiles of their histogram without bins. Old packets leave, so that a bad
// spell is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace linnet::media {

class DelayWindow {
 public:
  explicit DelayWindow(std::size_t capacity) : capacity_(capacity) {}

  void add(std::int64_t value);
  // The value below which the fraction q of the window lies; the window must not be empty.
  std::int64_t quantile(double q) const;
  std::size_t size() const { return ring_.size(); }
  bool empty() const { return ring_.empty(); }
  void clear();

 private:
  std::size_t capacity_;
  std::vector<std::int64_t> ring_;    // in order of arrival
  std::vector<std::int64_t> sorted_;  // the same values
  std::size_t oldest_ = 0;
};

}  // namespace linnet::media
