// Whether a device that mixes keeps up: each frame of 20 ms is due at a time, begins when the device comes to it, and
// has left when the last member's packet was sent. What comes too late is a hole at everybody, so something is left out
// before: of the three who are heard at once one, then another (with the encoders of those who spoke of late), and in
// the end members, by claiming no more than can be carried (node/conference_roster.h elects another then).
//
// Without I/O and without a clock: the driver says how late a frame began and how long it took.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace linnet::node {

enum class Deadline : std::uint8_t {
  fine,   // three are heard
  tight,  // fewer are
  over,   // ... and still frames leave too late: too many members
};
std::string_view to_string(Deadline verdict);

class DeadlineMeter {
 public:
  static constexpr Duration kFrame = std::chrono::milliseconds(20);
  static constexpr Duration kSlow = std::chrono::milliseconds(14);  // from due to sent: 70 % of a frame
  static constexpr std::size_t kHeard = 3;                          // at once, while all is fine
  static constexpr int kWindow = 50;                                // frames that are judged together: a second
  static constexpr int kManySlow = 10;                              // of a window: it is judged at once
  static constexpr int kFewSlow = 1;                                // of a window that is calm
  // Windows with many slow frames, with one heard, until members are too many. One stall of a machine is none of these.
  static constexpr int kOverAfter = 4;
  static constexpr int kCalm = 5;  // windows on end, until one more is heard; doubled with each relapse, up to
  static constexpr int kCalmMost = 160;
  static constexpr int kMostAtOnce = 5;  // frames that one stall may count for
  // How long a claim that fell stays down, from when it fell last.
  static constexpr Duration kHumble = std::chrono::minutes(10);

  // One frame for so many members. `late`: how long after it was due it began. `took`: until all of it was sent.
  void frame(Time now, std::size_t members, Duration late, Duration took);
  // Nothing is mixed any more: what was seen is over, but for what can be carried.
  void idle();
  // A claim that fell has been down for long enough. True: it was put right.
  bool handle_timeout(Time now);
  Time next_timeout() const { return humble_until_; }

  Deadline verdict() const;
  // How many may be heard at once: 1 to kHeard.
  std::size_t heard() const { return heard_; }
  // For how many this device can mix, as was seen; nothing while it was never too many.
  std::optional<std::uint32_t> carries() const { return carries_; }

 private:
  void judge(Time now, std::size_t members);
  void shed(Time now, std::size_t members);
  void relax();

  std::size_t heard_ = kHeard;
  bool over_ = false;
  int frames_ = 0, slow_ = 0;  // of this window
  Duration spent_{};           // from due to sent, of this window
  int bad_ = 0;                // windows on end, with one heard
  int calm_ = 0;               // windows on end
  int calm_needed_ = kCalm;
  bool relaxed_ = false;  // the last change was for the better
  std::optional<std::uint32_t> carries_;
  Time humble_until_ = kNever;
};

}  // namespace linnet::node
