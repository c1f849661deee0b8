// What time it is for records and certificates: the median of what supernodes say, so that one's own clock may be wrong
// and one of three supernodes may lie (protocol.md section 2). Own wall time as long as fewer have spoken.
//
// A voice is what one supernode said of its own clock in answer to us. It is kept as the difference to the steady
// clock, so that our wall clock may be set meanwhile. One voice for each /24 or /48 of global addresses, for each key
// elsewhere.
#pragma once

#include <optional>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"
#include "crypto/suite.h"

namespace linnet::dht {

class NetworkClock {
 public:
  static constexpr std::size_t kQuorum = 3;
  static constexpr std::size_t kMostVoices = 9;                     // those who spoke first stay as long as they speak
  static constexpr Duration kFresh = std::chrono::hours(1);         // a voice that said nothing for so long gives way
  static constexpr std::chrono::seconds kJump{60};                  // a difference that is no matter of seconds
  static constexpr std::int64_t kMostWall = std::int64_t{1} << 40;  // nobody says a later time: sums never overflow

  // `own_counts`: this node is a supernode itself, its clock one of the voices.
  explicit NetworkClock(bool own_counts = false) : own_counts_(own_counts) {}

  // Our own wall clock. When it went another way than time passed it was set, or the machine slept: what was heard
  // before gives way to as many who speak again as make a quorum.
  void set(Time now, Wall own);
  void hear(Time now, const IpAddress& from, const crypto::SessionKey& who, Wall said);
  // This node was promoted or demoted: what was heard, and of our own clock, goes on here.
  void take_over(const NetworkClock& from);

  // By which records and certificates are judged and made. Nothing before our own clock was set.
  std::optional<Wall> at(Time now) const;
  std::optional<Wall> own_at(Time now) const;
  // By how much our own clock is ahead of the voices, however few. Nothing when there is none.
  std::optional<std::chrono::seconds> ahead() const;
  bool by_median() const { return median_.has_value(); }
  std::size_t voices() const { return voices_.size(); }
  // Grows when at() took a leap of more than kJump against the steady clock.
  std::uint32_t leaps() const { return leaps_; }

 private:
  struct Voice {
    std::uint64_t who = 0;
    Time heard{};
    std::int64_t offset = 0;  // microseconds from the steady clock to wall time
  };

  void forget(Time now);
  void judge();
  std::optional<std::int64_t> offset() const { return median_ ? median_ : own_; }

  bool own_counts_;
  std::optional<std::int64_t> own_;
  std::optional<std::int64_t> median_;
  std::optional<std::int64_t> leapt_;  // offset at the last leap
  std::vector<Voice> voices_;
  Time jumped_ = Time::min();
  std::uint32_t leaps_ = 0;
};

}  // namespace linnet::dht
