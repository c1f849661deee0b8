// A timer set: an enum of deadlines and an array. No heap, no callbacks.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/time.h"

namespace linnet {

// E is an enum class whose last enumerator is `count_`.
template <class E>
class Timers {
 public:
  Timers() { at_.fill(kNever); }

  void set(E which, Time at) { at_[index(which)] = at; }
  void stop(E which) { at_[index(which)] = kNever; }
  bool running(E which) const { return at_[index(which)] != kNever; }
  Time at(E which) const { return at_[index(which)]; }
  Time next() const { return *std::min_element(at_.begin(), at_.end()); }

  // True once when the deadline has passed; the timer is then stopped.
  bool expired(E which, Time now) {
    if (at_[index(which)] > now) return false;
    stop(which);
    return true;
  }

 private:
  static constexpr std::size_t index(E which) { return static_cast<std::size_t>(which); }

  std::array<Time, static_cast<std::size_t>(E::count_)> at_;
};

}  // namespace linnet
