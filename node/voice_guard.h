// Watches how a call's voice comes, and asks for it two ways at once ("protect mode") when it does not come as it
// should: at once when it stops, and while packets are missing on a relayed path, until none are on either way. A core
// of its own: what is heard goes in, what to ask the peer for comes out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/time.h"
#include "overlay/path.h"

namespace linnet::node {

class VoiceGuard {
 public:
  // Voice that stops for longer than this, or three frames, and what its jitter explains, has stopped.
  static constexpr Duration kSilence = std::chrono::milliseconds(120);
  static constexpr Duration kMostSilence = std::chrono::milliseconds(600);
  static constexpr Duration kSlowSilence = std::chrono::milliseconds(1200);
  // Until so many packets came nothing is known of their pace: a line may be filling up.
  static constexpr int kYoung = 10;
  static constexpr Duration kLease = std::chrono::milliseconds(2500);  // of one asking
  static constexpr Duration kAgain = std::chrono::seconds(1);
  static constexpr Duration kSoon = std::chrono::milliseconds(60);  // the first of them may be lost too
  static constexpr int kSoonTimes = 4;
  // Of the newest 128 packets, those that the next 12 have not overtaken are judged: entered with 2 of 100 missing,
  // left after 250 of which fewer than 2 were missing on either way.
  static constexpr int kRemembered = 128, kJudgedAfter = 12, kEnter = 2, kJudged = 100, kLeaveAfter = 250;

  struct Ask {
    Duration lease{};
    bool urgent = false;
  };

  // How the voice should come: frame and jitter of what is heard. Not expected: on hold.
  // On a slow path a queue that drains, and what waits in it, is as long a silence (kSlowSilence); it is asked seldom,
  // and not for loss: there is no room for two ways.
  void expect(Time now, bool expected, Duration frame, std::optional<double> jitter_ms, bool slow = false);
  // The way our own voice goes, and whether a supernode is on it: only there is a second way asked for on loss.
  void uses(const overlay::Path& path);
  // Voice of the peer: the first of its number that came, or again by another way.
  void heard(Time now, const overlay::Path& by, std::uint16_t sequence, bool first);
  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<Ask> poll() { return std::exchange(ask_, std::nullopt); }

  // Asked for, at present; and ever.
  bool protecting(Time now) const { return now < asked_until_; }
  bool protected_once() const { return protected_once_; }

 private:
  static constexpr std::size_t kWays = 2;
  struct Slot {
    std::int64_t number = -1;
    std::array<bool, kWays> by{};
  };

  std::size_t way_of(Time now, const overlay::Path& path);
  void judge(Time now);
  bool relayed_loss() const;
  void ask(Time now, bool urgent);
  Time silent_at() const;

  bool expected_ = false;
  bool slow_ = false;
  Duration silence_ = kSilence;
  std::optional<overlay::Path> used_;
  std::array<std::optional<overlay::Path>, kWays> ways_;
  std::array<Time, kWays> way_heard_{};
  std::optional<Time> last_;  // new voice
  int came_ = 0;              // of it, up to kYoung
  std::int64_t highest_ = -1;
  std::int64_t judged_ = -1;  // the last that was
  std::array<Slot, kRemembered> slots_{};
  std::uint64_t missing_ = 0;  // bits of the judged ones, newest lowest: 128 would be more than is asked for
  std::uint64_t missing_before_ = 0;
  int since_clean_ = 0;  // judged since one was missing on one of the ways
  int judged_count_ = 0;
  bool lossy_ = false;  // asks go on until it is clean
  Time ask_at_ = kNever;
  int soon_ = 0;
  Time asked_until_ = Time::min();
  bool protected_once_ = false;
  std::optional<Ask> ask_;
};

}  // namespace linnet::node
