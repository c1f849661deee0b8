#include "media/delay_window.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {

void DelayWindow::add(std::int64_t value) {
  if (ring_.size() == capacity_) {
    sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), ring_[oldest_]));
    ring_[oldest_] = value;
    oldest_ = (oldest_ + 1) % capacity_;
  } else {
    ring_.push_back(value);
  }
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), value), value);
}

std::int64_t DelayWindow::quantile(double q) const {
  const auto last = static_cast<double>(sorted_.size() - 1);
  return sorted_[static_cast<std::size_t>(std::floor(std::clamp(q, 0.0, 1.0) * last))];
}

void DelayWindow::clear() {
  ring_.clear();
  sorted_.clear();
  oldest_ = 0;
}

}  // namespace linnet::media
