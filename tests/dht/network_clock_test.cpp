// The median of supernodes' clocks: who may move it, and how far.
#include "dht/network_clock.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet::dht::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Wall kWall{1'750'000'000};
constexpr std::chrono::hours kDay{24};
const IpAddress kLan = IpAddress::v4(10, 0, 0, 1);

crypto::SessionKey key(std::uint8_t n) {
  crypto::SessionKey out;
  out.bytes.fill(n);
  return out;
}

TEST(NetworkClock, GoesByItsOwnClockUntilThreeSupernodesSpoke) {
  NetworkClock clock;
  EXPECT_FALSE(clock.at(Time{}));
  clock.set(Time{}, kWall + kDay);
  clock.hear(Time{}, kLan, key(1), kWall);
  clock.hear(Time{}, kLan, key(2), kWall);
  EXPECT_EQ(clock.at(Time{}), kWall + kDay);
  EXPECT_EQ(clock.ahead(), kDay);
  clock.hear(Time{}, kLan, key(3), kWall);
  EXPECT_EQ(clock.at(Time{}), kWall);
  EXPECT_EQ(clock.own_at(Time{}), kWall + kDay);
  EXPECT_EQ(clock.ahead(), kDay);
  EXPECT_EQ(clock.at(Time{minutes(90)}), kWall + minutes(90));
}

// Two programs on one machine: each tells whole seconds of the same clock, at different moments.
TEST(NetworkClock, IsRightWithinTheSecondsThatItIsToldIn) {
  NetworkClock clock;
  clock.set(Time{}, kWall);
  clock.hear(Time{std::chrono::milliseconds(990)}, kLan, key(1), kWall);
  EXPECT_EQ(clock.ahead(), seconds(0));
  NetworkClock late;
  late.set(Time{std::chrono::milliseconds(990)}, kWall);
  late.hear(Time{seconds(1)}, kLan, key(1), kWall + seconds(1));
  EXPECT_EQ(late.ahead(), seconds(0));
  NetworkClock wrong;
  wrong.set(Time{}, kWall - seconds(3));
  wrong.hear(Time{}, kLan, key(1), kWall);
  EXPECT_EQ(wrong.ahead(), seconds(-3));
}

TEST(NetworkClock, OfASupernodeIsAVoiceItself) {
  NetworkClock clock(true);
  clock.set(Time{}, kWall + kDay);
  clock.hear(Time{}, kLan, key(1), kWall);
  EXPECT_EQ(clock.at(Time{}), kWall + kDay);
  clock.hear(Time{}, kLan, key(2), kWall + seconds(4));
  EXPECT_EQ(clock.at(Time{}), kWall + seconds(4));
}

TEST(NetworkClock, IsMovedByOneLiarOfThreeNoFurtherThanTheHonestTwoAreApart) {
  SeededRng rng(5);
  for (int round = 0; round < 1000; ++round) {
    NetworkClock clock;
    clock.set(Time{}, kWall - kDay);
    const auto low = kWall + seconds(rng.below(300));
    const auto high = low + seconds(rng.below(300));
    const Wall lie{static_cast<std::int64_t>(rng.below(std::uint64_t{1} << 40))};
    std::array<Wall, 3> said{low, high, lie};
    std::swap(said[2], said[rng.below(3)]);
    for (std::uint8_t i = 0; i < 3; ++i) clock.hear(Time{}, kLan, key(i), said[i]);
    EXPECT_GE(*clock.at(Time{}), low) << round;
    EXPECT_LE(*clock.at(Time{}), high) << round;
  }
}

TEST(NetworkClock, TakesOneVoiceOfAPrefixOfGlobalAddresses) {
  NetworkClock clock;
  clock.set(Time{}, kWall);
  for (std::uint8_t i = 1; i < 100; ++i) clock.hear(Time{}, IpAddress::v4(8, 8, 8, i), key(i), kWall + kDay);
  EXPECT_EQ(clock.voices(), 1U);
  EXPECT_EQ(clock.at(Time{}), kWall);
}

TEST(NetworkClock, LetsNoNewcomersOutnumberThoseWhoStillSpeak) {
  NetworkClock clock;
  Time now{};
  clock.set(now, kWall);
  for (std::uint8_t i = 1; i <= NetworkClock::kMostVoices; ++i) clock.hear(now, kLan, key(i), kWall);
  for (int round = 0; round < 20; ++round) {
    now += minutes(30);
    for (std::uint8_t i = 100; i < 200; ++i) clock.hear(now, kLan, key(i), kWall + kDay);
    for (std::uint8_t i = 1; i <= NetworkClock::kMostVoices; ++i)
      clock.hear(now, kLan, key(i), kWall + std::chrono::floor<seconds>(now - Time{}));
  }
  EXPECT_EQ(clock.voices(), NetworkClock::kMostVoices);
  EXPECT_EQ(clock.at(now), kWall + hours(10));
}

TEST(NetworkClock, ForgetsWhoWasSilentForAnHourWhenOthersSpeak) {
  NetworkClock clock;
  clock.set(Time{}, kWall);
  for (std::uint8_t i = 1; i <= 3; ++i) clock.hear(Time{}, kLan, key(i), kWall + kDay);
  const auto later = Time{hours(2)};
  EXPECT_EQ(clock.at(later), kWall + kDay + hours(2));  // nobody said anything else
  clock.hear(later, kLan, key(4), kWall + hours(2));
  EXPECT_EQ(clock.voices(), 1U);
  EXPECT_EQ(clock.at(later), kWall + hours(2));
}

// The steady clock stands still while a machine sleeps.
TEST(NetworkClock, TakesThreeFreshVoicesForAllOldOnesAfterASleep) {
  NetworkClock clock;
  clock.set(Time{}, kWall);
  for (std::uint8_t i = 1; i <= 8; ++i) clock.hear(Time{}, kLan, key(i), kWall);
  const auto woken = kWall + hours(8);
  clock.set(Time{seconds(1)}, woken);
  for (std::uint8_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(clock.at(Time{seconds(1)}), kWall + seconds(1));
    clock.hear(Time{seconds(1)}, kLan, key(i), woken);
  }
  EXPECT_EQ(clock.at(Time{seconds(1)}), woken);
  EXPECT_EQ(clock.voices(), 3U);
}

TEST(NetworkClock, CountsALeapOnlyWhenItIsAnotherTime) {
  NetworkClock clock;
  clock.set(Time{}, kWall);
  EXPECT_EQ(clock.leaps(), 0U);
  clock.set(Time{seconds(10)}, kWall + seconds(11));
  for (std::uint8_t i = 1; i <= 3; ++i) clock.hear(Time{}, kLan, key(i), kWall + seconds(5 * i));
  EXPECT_EQ(clock.leaps(), 0U);
  clock.set(Time{seconds(20)}, kWall + kDay);
  EXPECT_EQ(clock.leaps(), 0U);  // the others hold it
  for (std::uint8_t i = 1; i <= 2; ++i) clock.hear(Time{seconds(30)}, kLan, key(i), kWall + kDay);
  EXPECT_EQ(clock.leaps(), 1U);
}

}  // namespace
}  // namespace linnet::dht::test
