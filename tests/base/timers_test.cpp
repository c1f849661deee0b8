#include "base/timers.h"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"

namespace linnet {
namespace {

enum class Deadline { probe, expiry, rekey, count_ };

constexpr Time at(int seconds) { return Time(std::chrono::seconds(seconds)); }

TEST(Timers, NeverRingUntilSet) {
  Timers<Deadline> timers;
  EXPECT_EQ(timers.next(), kNever);
  EXPECT_FALSE(timers.running(Deadline::probe));
  EXPECT_FALSE(timers.expired(Deadline::probe, at(1'000'000)));
}

TEST(Timers, TheNextIsTheEarliest) {
  Timers<Deadline> timers;
  timers.set(Deadline::expiry, at(30));
  timers.set(Deadline::probe, at(10));
  EXPECT_EQ(timers.next(), at(10));
  timers.stop(Deadline::probe);
  EXPECT_EQ(timers.next(), at(30));
  timers.set(Deadline::expiry, at(50));
  EXPECT_EQ(timers.next(), at(50));
}

TEST(Timers, RingOnceAtTheirTime) {
  Timers<Deadline> timers;
  timers.set(Deadline::probe, at(10));
  EXPECT_FALSE(timers.expired(Deadline::probe, at(9)));
  EXPECT_TRUE(timers.running(Deadline::probe));
  EXPECT_TRUE(timers.expired(Deadline::probe, at(10)));
  EXPECT_FALSE(timers.expired(Deadline::probe, at(11)));
  EXPECT_EQ(timers.next(), kNever);
}

TEST(Timers, AgreeWithANaiveMap) {
  SeededRng rng(5);
  Timers<Deadline> timers;
  std::map<Deadline, Time> naive;
  for (int i = 0; i < 20'000; ++i) {
    const auto which = static_cast<Deadline>(rng.below(3));
    const auto when = at(static_cast<int>(rng.below(100)));
    switch (rng.below(3)) {
      case 0:
        timers.set(which, when);
        naive[which] = when;
        break;
      case 1:
        timers.stop(which);
        naive.erase(which);
        break;
      default: {
        const bool rings = naive.count(which) != 0 && naive[which] <= when;
        if (rings) naive.erase(which);
        ASSERT_EQ(timers.expired(which, when), rings);
      }
    }
    auto next = kNever;
    for (const auto& [deadline, time] : naive) next = std::min(next, time);
    ASSERT_EQ(timers.next(), next);
  }
}

TEST(WallTime, CountsSeconds) {
  constexpr Wall noon{43'200};
  EXPECT_EQ(seconds(noon + std::chrono::minutes(1)), 43'260);
  EXPECT_EQ(noon + std::chrono::hours(1) - noon, std::chrono::hours(1));
  EXPECT_EQ(millis(std::chrono::microseconds(1500)), 1.5);
}

}  // namespace
}  // namespace linnet
