#include "crypto/replay.h"

#include <algorithm>

namespace linnet::crypto {

bool ReplayWindow::would_accept(std::uint64_t counter) const {
  if (!any_ || counter > last_) return true;
  if (last_ - counter >= kSize) return false;
  return (bits_[counter / 64 % kWords] >> (counter % 64) & 1) == 0;
}

bool ReplayWindow::accept(std::uint64_t counter) {
  if (!would_accept(counter)) return false;
  if (!any_ || counter > last_) {
    // Words between the old and the new head hold counters of a lap ago.
    const std::uint64_t from = last_ / 64;
    const std::uint64_t steps = std::min(counter / 64 - from, kWords);
    for (std::uint64_t i = 1; i <= steps; ++i) bits_[(from + i) % kWords] = 0;
    last_ = counter;
    any_ = true;
  }
  bits_[counter / 64 % kWords] |= std::uint64_t{1} << (counter % 64);
  return true;
}

}  // namespace linnet::crypto
