#include "media/delay_window.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {

void DelayWindow::forget_oldest() {
  sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), entry(0).value));
  first_ = place(1);
}

void DelayWindow::add(Time now, std::int64_t value) {
  if (ring_.empty()) {
    ring_.resize(capacity_);
    sorted_.reserve(capacity_);
  }
  if (size() == capacity_) forget_oldest();
  ring_[place(size())] = {now, value};
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), value), value);
  while (size() > std::max<std::size_t>(least_, 1) && now - entry(0).at > span_) forget_oldest();
}

std::int64_t DelayWindow::quantile(double q) const {
  const auto last = static_cast<double>(sorted_.size() - 1);
  return sorted_[static_cast<std::size_t>(std::floor(std::clamp(q, 0.0, 1.0) * last))];
}

std::optional<std::int64_t> DelayWindow::least_since(Time since, std::size_t enough) const {
  std::optional<std::int64_t> out;
  std::size_t count = 0;
  for (; count < size() && entry(size() - 1 - count).at >= since; ++count) {
    const auto value = entry(size() - 1 - count).value;
    out = std::min(out.value_or(value), value);
  }
  return count >= enough ? out : std::nullopt;
}

void DelayWindow::clear() {
  sorted_.clear();
  first_ = 0;
}

}  // namespace linnet::media
