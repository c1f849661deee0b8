#include "media/complexity.h"

#include <algorithm>

namespace linnet::media {

Complexity::Complexity(int start) : level_(std::clamp(start, 0, 10)) {}

bool Complexity::spent(Duration cost, Duration sound) {
  costs_[at_] += cost;
  sum_ += cost;
  // The time of the whole window is the budget, however much of it has passed: a burst is not waited out.
  if (sum_ > share(kTooMuch)) return change(std::min(level_, std::max(level_ - 1, kLeast)));
  quiet_ = sum_ > share(kRoom) ? Duration{} : quiet_ + sound;
  filled_ += sound;
  while (filled_ >= kStep) next_step();
  return quiet_ >= kQuiet && change(std::max(level_, std::min(level_ + 1, kMost)));
}

void Complexity::next_step() {
  filled_ -= kStep;
  at_ = (at_ + 1) % kWindow;
  sum_ -= costs_[at_];
  costs_[at_] = {};
}

// What the old level cost says nothing of the new one.
bool Complexity::change(int level) {
  costs_.fill({});
  sum_ = filled_ = quiet_ = {};
  const bool other = level != level_;
  level_ = level;
  return other;
}

}  // namespace linnet::media
