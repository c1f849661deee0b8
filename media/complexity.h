// How thoroughly to encode, by what encoding costs: Opus complexity (OPUS_SET_COMPLEXITY, 0..10) follows the CPU.
// The costs are measured by whoever drives the session and handed in. Down at once, since a late frame is heard and a
// coarser one hardly is; up one step after a long quiet, and only where the next step cannot cost too much.
#pragma once

#include <array>
#include <cstddef>

#include "base/time.h"

namespace linnet::media {

class Complexity {
 public:
  // Where it begins; it stays in 3..9, or goes from there into that range.
  explicit Complexity(int start);

  // Taking in sound of this length took this long. True when the level changed.
  bool spent(Duration cost, Duration sound);

  int level() const { return level_; }

  static constexpr int kLeast = 3, kMost = 9;
  static constexpr double kTooMuch = 0.15;                          // of the sound's time
  static constexpr double kRoom = 0.05;                             // from 3 to 9 the cost triples
  static constexpr Duration kStep = std::chrono::milliseconds(20);  // a frame, as calls mostly have it
  static constexpr std::size_t kWindow = 50;                        // steps
  static constexpr Duration kQuiet = std::chrono::seconds(10);      // within kRoom, for one level up

 private:
  static constexpr Duration share(double of) {
    return Duration{static_cast<std::int64_t>(of * static_cast<double>((kWindow * kStep).count()))};
  }
  void next_step();
  bool change(int level);

  int level_;
  std::array<Duration, kWindow> costs_{};  // a ring; `at_` is being filled
  std::size_t at_ = 0;
  Duration sum_{};     // of costs_
  Duration filled_{};  // sound in costs_[at_]
  Duration quiet_{};   // sound since the window was last over kRoom, or the level changed
};

}  // namespace linnet::media
