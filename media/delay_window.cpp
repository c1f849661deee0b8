#include "media/delay_window.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {

void DelayWindow::forget_oldest() {
  sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), ring_.front().value));
  ring_.pop_front();
}

void DelayWindow::add(Time now, std::int64_t value) {
  if (ring_.size() == capacity_) forget_oldest();
  ring_.push_back({now, value});
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), value), value);
  while (ring_.size() > std::max<std::size_t>(least_, 1) && now - ring_.front().at > span_) forget_oldest();
}

std::int64_t DelayWindow::quantile(double q) const {
  const auto last = static_cast<double>(sorted_.size() - 1);
  return sorted_[static_cast<std::size_t>(std::floor(std::clamp(q, 0.0, 1.0) * last))];
}

std::optional<std::int64_t> DelayWindow::least_since(Time since, std::size_t enough) const {
  std::optional<std::int64_t> out;
  std::size_t count = 0;
  for (auto it = ring_.rbegin(); it != ring_.rend() && it->at >= since; ++it, ++count)
    out = std::min(out.value_or(it->value), it->value);
  return count >= enough ? out : std::nullopt;
}

void DelayWindow::clear() {
  ring_.clear();
  sorted_.clear();
}

}  // namespace linnet::media
