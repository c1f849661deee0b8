#include "node/stranger_gate.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

using std::chrono::seconds;

PersonKey nth_key(std::uint32_t n) {
  PersonKey out;
  for (int i = 0; i < 4; ++i) out.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(n >> (8 * i));
  return out;
}
IpAddress via(std::uint32_t prefix) { return IpAddress::v4(prefix << 8 | 1); }

struct Gate : testing::Test {
  StrangerGate gate;
  Time now{seconds(1000)};
  // How many of `n` calls, each by the given nth_key through the given prefix, a second apart, get in.
  template <class Key, class Via>
  std::size_t admitted(std::uint32_t n, Key by, Via through, Duration apart = seconds(1)) {
    std::size_t out = 0;
    for (std::uint32_t i = 0; i < n; ++i, now += apart)
      out += gate.let_in(now, nth_key(by(i)), via(through(i)), 0, 0) ? 1 : 0;
    return out;
  }
};

TEST_F(Gate, LetsOneKeyInThreeTimesAndThenOnceAMinute) {
  const auto one = [](std::uint32_t) { return 7U; };
  const auto many = [](std::uint32_t i) { return 100 + i; };
  EXPECT_EQ(admitted(30, one, many), StrangerGate::kKeyBurst);
  EXPECT_EQ(admitted(600, one, many), 10U);
}

TEST_F(Gate, KeepsOnePrefixFromUsingUpEverything) {
  const auto each = [](std::uint32_t i) { return i; };
  const auto one = [](std::uint32_t) { return 7U; };
  const auto through_one = admitted(100, each, one, std::chrono::milliseconds(10));
  EXPECT_EQ(through_one, static_cast<std::size_t>(StrangerGate::kPrefixBurst));
  EXPECT_TRUE(gate.let_in(now, nth_key(5000), via(8), 0, 0)) << "others still ring";
}

TEST_F(Gate, BoundsAllOfThemTogether) {
  const auto each = [](std::uint32_t i) { return i; };
  EXPECT_EQ(admitted(1000, each, each, std::chrono::milliseconds(1)), StrangerGate::kBurst);
  EXPECT_EQ(gate.refused(), 1000 - StrangerGate::kBurst);
  EXPECT_EQ(admitted(150, each, each), 10U) << "one more in fifteen seconds";
}

TEST_F(Gate, CountsWhoRingsNow) {
  EXPECT_FALSE(gate.let_in(now, nth_key(1), via(1), StrangerGate::kRinging, 0));
  EXPECT_FALSE(gate.let_in(now, nth_key(1), via(1), 1, 1)) << "one call of a nth_key at a time";
  EXPECT_TRUE(gate.let_in(now, nth_key(1), via(1), StrangerGate::kRinging - 1, 0));
}

TEST_F(Gate, TakesNothingFromTheOthersForWhatItRefuses) {
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(gate.let_in(now, nth_key(1), via(1), StrangerGate::kRinging, 0));
  const auto each = [](std::uint32_t i) { return i; };
  EXPECT_EQ(admitted(20, each, each, Duration(0)), StrangerGate::kBurst);
}

}  // namespace
}  // namespace linnet::node
