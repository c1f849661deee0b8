#include "crypto/replay.h"

#include <algorithm>

namespace linnet::crypto {

bool ReplayWindow::would_accept(std::uint64_t counter) const {
  if (recent_ == 0 || counter > last_) return true;
  const auto age = last_ - counter;
  if (age < kRecent) return (recent_ >> age & 1) == 0;
  if (age >= kSize || !older_) return false;
  return ((*older_)[counter / 64 % older_->size()] >> (counter % 64) & 1) == 0;
}

bool ReplayWindow::accept(std::uint64_t counter) {
  if (!would_accept(counter)) return false;
  if (recent_ == 0) {
    first(counter);
  } else if (counter > last_) {
    advance(counter);
  } else if (last_ - counter < kRecent) {
    recent_ |= std::uint64_t{1} << (last_ - counter);
  } else {
    (*older_)[counter / 64 % older_->size()] |= std::uint64_t{1} << (counter % 64);
  }
  return true;
}

// Nothing below it was seen yet.
void ReplayWindow::first(std::uint64_t counter) {
  last_ = counter;
  recent_ = 1;
  if (counter < kRecent - 1) recent_ |= ~std::uint64_t{0} << (counter + 1);
  if (counter < kRecent) return;
  older_ = std::make_unique<Bits>();
  newest_hole_ = counter - kRecent;
}

void ReplayWindow::advance(std::uint64_t to) {
  const auto steps = to - last_;
  const bool all_seen = steps < kRecent && ~recent_ >> (kRecent - steps) == 0;
  if ((older_ || !all_seen) && to >= kRecent) {
    const auto oldest = last_ < kRecent ? 0 : last_ - kRecent + 1;
    const auto end = to - kRecent + 1;
    for (auto c = std::max(oldest, end - std::min(end, kSize - kRecent)); c < end; ++c) {
      leave_recent(c, c <= last_ && (recent_ >> (last_ - c) & 1) != 0);
    }
  }
  recent_ = (steps < kRecent ? recent_ << steps : 0) | 1;
  last_ = to;
  if (older_ && last_ - newest_hole_ >= kSize) older_.reset();
}

void ReplayWindow::leave_recent(std::uint64_t counter, bool seen) {
  if (!older_) {
    if (seen) return;
    older_ = std::make_unique<Bits>();
    older_->fill(~std::uint64_t{0});
  }
  auto& word = (*older_)[counter / 64 % older_->size()];
  const auto bit = std::uint64_t{1} << (counter % 64);
  word = seen ? word | bit : word & ~bit;
  if (!seen) newest_hole_ = counter;
}

}  // namespace linnet::crypto
