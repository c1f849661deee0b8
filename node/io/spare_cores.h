// How many cores this machine has for a mixer, looked at again and again: what it was doing when it was looked at first
// (it booted, or a dozen programs began at once) may be over a moment later. Without I/O and without a clock.
#pragma once

#include <optional>

#include "base/time.h"

namespace linnet::io {

class SpareCores {
 public:
  static constexpr Duration kFirst = std::chrono::seconds(2);    // of the first look; each one is twice as long,
  static constexpr Duration kLongest = std::chrono::minutes(5);  // ... up to about that
  static constexpr Duration kSure = std::chrono::seconds(10);    // of looks, before less is believed than at first
  static constexpr double kQuiet = 0.9;  // of what it could have at the most: nothing is in the way

  // `seen` just now, of `most` that there could be: one core is all that a mixer uses. `before`: what was believed.
  SpareCores(double seen, double most, std::optional<double> before = std::nullopt);

  // The next look is to be so long; nothing: it is known well enough.
  std::optional<Duration> next() const;
  // One of that length found so many.
  void look(double seen);
  double believed() const { return believed_; }

 private:
  double most_, seen_, believed_;
  Duration length_ = kFirst, looked_{};
};

// Of one core, what a quota that is nowhere to be read leaves a program that was given so much of it. Whoever was given
// less than it wanted though cores stood idle is held back; with none idle it waited for others, who may end soon.
double left_by_quota(double given, double spare_meanwhile);

}  // namespace linnet::io
