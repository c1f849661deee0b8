#include "overlay/circuit.h"

#include <gtest/gtest.h>

namespace linnet::overlay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Endpoint host(std::uint8_t n) { return {IpAddress::v4(10, 0, n, 1), 4400, Transport::udp}; }
CircuitTable::End end(std::uint8_t n) { return {SessionId{n}, host(n)}; }
control::PairNonce nonce(std::uint8_t n) {
  control::PairNonce out;
  out.fill(n);
  return out;
}

struct Fixture : ::testing::Test {
  CircuitLimits limits;
  SeededRng rng{1};
  CircuitTable table{limits};
  Time now{};

  std::uint64_t standing(CircuitTable& t, std::uint8_t a, std::uint8_t b) {
    const auto id = t.open(now, rng, end(a), end(b), nonce(a));
    EXPECT_TRUE(t.accept(now, *id, SessionId{b}, nonce(a)));
    return *id;
  }
};
using Circuits = Fixture;

TEST_F(Circuits, JoinTheirTwoEndsInBothDirections) {
  const auto id = standing(table, 1, 2);
  EXPECT_LT(id, 1ULL << 48);
  EXPECT_EQ(table.forward(now, host(1), id, 100)->to, host(2));
  EXPECT_EQ(table.forward(now, host(2), id, 100)->to, host(1));
}

TEST_F(Circuits, ForwardNothingBeforeTheCalledEndAccepts) {
  const auto id = table.open(now, rng, end(1), end(2), nonce(1));
  ASSERT_TRUE(id);
  EXPECT_FALSE(table.forward(now, host(1), *id, 100));
  EXPECT_EQ(table.accept(now, *id, SessionId{2}, nonce(9)).error(), Fault::mismatch);
  EXPECT_EQ(table.accept(now, *id, SessionId{3}, nonce(1)).error(), Fault::mismatch);
  EXPECT_EQ(table.accept(now, *id, SessionId{1}, nonce(1)).error(), Fault::mismatch);
  EXPECT_FALSE(table.forward(now, host(1), *id, 100));
  EXPECT_EQ(*table.accept(now, *id, SessionId{2}, nonce(1)), SessionId{1});
  EXPECT_TRUE(table.forward(now, host(1), *id, 100));
}

TEST_F(Circuits, ReachNobodyButTheirEnds) {
  const auto id = standing(table, 1, 2);
  EXPECT_FALSE(table.forward(now, host(3), id, 100));
  auto other_port = host(1);
  other_port.port = 4401;
  EXPECT_FALSE(table.forward(now, other_port, id, 100));
  EXPECT_EQ(table.counters().foreign, 2U);
  EXPECT_FALSE(table.forward(now, host(1), id + 1, 100));
  EXPECT_EQ(table.counters().unknown, 1U);
}

TEST_F(Circuits, DoNotJoinASessionToItself) {
  EXPECT_EQ(table.open(now, rng, end(1), end(1), nonce(1)).error(), Fault::refused);
}

TEST_F(Circuits, FollowAnEndThatMoves) {
  const auto id = standing(table, 1, 2);
  table.moved(SessionId{2}, host(9));
  EXPECT_EQ(table.forward(now, host(1), id, 100)->to, host(9));
  EXPECT_FALSE(table.forward(now, host(2), id, 100));
  EXPECT_EQ(table.forward(now, host(9), id, 100)->to, host(1));
}

TEST_F(Circuits, KeepTheirRateWithinFivePercent) {
  const auto id = standing(table, 1, 2);
  std::size_t passed = 0;
  const std::size_t size = 160;
  for (int i = 0; i < 10'000; ++i) {  // 10 s of 1.28 Mbit/s, ten times the cap
    now += milliseconds(1);
    if (table.forward(now, host(1), id, size)) passed += size;
  }
  const double rate = static_cast<double>(limits.bits_per_second) / 8;
  EXPECT_LE(static_cast<double>(passed), 11 * rate * 1.05);  // ten seconds and the burst of one
  EXPECT_GE(static_cast<double>(passed), 10 * rate * 0.95);
  EXPECT_GT(table.counters().capped, 0U);
}

TEST_F(Circuits, OneOverItsCapHarmsNoOther) {
  const auto greedy = standing(table, 1, 2);
  const auto modest = standing(table, 3, 4);
  int lost = 0;
  for (int i = 0; i < 5000; ++i) {
    now += milliseconds(1);
    (void)table.forward(now, host(1), greedy, 1000);
    if (i % 20 == 0 && !table.forward(now, host(3), modest, 160)) ++lost;
  }
  EXPECT_EQ(lost, 0);
}

TEST_F(Circuits, AreBoundedInAllAndPerSession) {
  limits.total = 10;
  limits.per_session = 3;
  CircuitTable small(limits);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(small.open(now, rng, end(1), end(2), nonce(1)));
  EXPECT_EQ(small.open(now, rng, end(1), end(3), nonce(1)).error(), Fault::full);
  EXPECT_EQ(small.open(now, rng, end(3), end(2), nonce(1)).error(), Fault::full);
  for (std::uint8_t i = 10; i < 17; ++i)
    EXPECT_TRUE(small.open(now, rng, end(i), end(static_cast<std::uint8_t>(i + 50)), nonce(1)));
  EXPECT_EQ(small.size(), 10U);
  EXPECT_EQ(small.open(now, rng, end(90), end(91), nonce(1)).error(), Fault::full);
  EXPECT_EQ(small.size(), 10U);
}

TEST_F(Circuits, EndWithEitherSession) {
  const auto id = standing(table, 1, 2);
  standing(table, 3, 4);
  const auto closed = table.close_session(SessionId{2});
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].nonce, nonce(1));
  EXPECT_FALSE(table.forward(now, host(1), id, 1));
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(Circuits, ExpireWhenIdleAndSoonerWhenNeverAccepted) {
  const auto used = standing(table, 1, 2);
  standing(table, 3, 4);
  ASSERT_TRUE(table.open(now, rng, end(5), end(6), nonce(5)));
  now += limits.opening + milliseconds(1);
  EXPECT_EQ(table.expire(now).size(), 1U);
  now = Time{} + limits.idle;
  ASSERT_TRUE(table.forward(now, host(1), used, 10));
  EXPECT_TRUE(table.expire(now).empty());
  now += seconds(1);
  EXPECT_EQ(table.expire(now).size(), 1U);
  EXPECT_TRUE(table.forward(now, host(1), used, 10));
}

}  // namespace
}  // namespace linnet::overlay
