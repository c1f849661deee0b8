#include "overlay/circuit.h"

#include <gtest/gtest.h>

namespace linnet::overlay {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Endpoint host(std::uint8_t n) { return {IpAddress::v4(10, 0, n, 1), 4400, Transport::udp}; }
CircuitTable::End end(std::uint8_t n) { return {SessionId{n}, host(n)}; }
control::PairNonce nonce(std::uint8_t n) {
  control::PairNonce out;
  out.fill(n);
  return out;
}

// A packet of voice on this circuit.
Bytes packet(std::uint64_t id, std::size_t size) {
  auto out = write_tagged(ForwardKind::circuit, id, Bytes(size - kCircuitHeader, 0x80));
  return out;
}
std::optional<Forward> pass(CircuitTable& table, Time now, const Endpoint& from, std::uint64_t id, std::size_t size) {
  auto bytes = packet(id, size);
  const auto on = table.forward(now, from, bytes);
  return on && !on->dropped ? on : std::nullopt;
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
  EXPECT_EQ(pass(table, now, host(1), id, 100)->to, host(2));
  EXPECT_EQ(pass(table, now, host(2), id, 100)->to, host(1));
}

TEST_F(Circuits, CarryFramesVoiceAndChecksAndNoHandshakes) {
  const auto id = standing(table, 1, 2);
  for (int first = 0; first < 256; ++first) {
    auto bytes = packet(id, 100);
    bytes[kCircuitHeader] = static_cast<std::uint8_t>(first);
    const bool wanted = first <= 3 || first == 8 || (first >= 128 && first <= 191);
    EXPECT_EQ(table.forward(now, host(1), bytes).has_value(), wanted) << first;
  }
}

TEST_F(Circuits, ForwardNothingBeforeTheCalledEndAccepts) {
  const auto id = table.open(now, rng, end(1), end(2), nonce(1));
  ASSERT_TRUE(id);
  EXPECT_FALSE(pass(table, now, host(1), *id, 100));
  EXPECT_EQ(table.accept(now, *id, SessionId{2}, nonce(9)).error(), Fault::mismatch);
  EXPECT_EQ(table.accept(now, *id, SessionId{3}, nonce(1)).error(), Fault::mismatch);
  EXPECT_EQ(table.accept(now, *id, SessionId{1}, nonce(1)).error(), Fault::mismatch);
  EXPECT_FALSE(pass(table, now, host(1), *id, 100));
  EXPECT_EQ(*table.accept(now, *id, SessionId{2}, nonce(1)), SessionId{1});
  EXPECT_TRUE(pass(table, now, host(1), *id, 100));
}

TEST_F(Circuits, TellAnEndWhereTheOtherIsSeenAndNobodyElse) {
  const auto id = standing(table, 1, 2);
  const auto showing = table.show(id, SessionId{2});
  ASSERT_TRUE(showing);
  EXPECT_EQ(showing->to, SessionId{1});
  EXPECT_EQ(showing->seen, host(2));
  EXPECT_FALSE(table.show(id, SessionId{3}));
  EXPECT_FALSE(table.show(id + 1, SessionId{2}));
  table.moved(SessionId{2}, host(9));
  EXPECT_EQ(table.show(id, SessionId{2})->seen, host(9));
}

TEST_F(Circuits, SayNothingOfWhoHasNotAccepted) {
  const auto id = table.open(now, rng, end(1), end(2), nonce(1));
  EXPECT_FALSE(table.show(*id, SessionId{1}));
}

TEST_F(Circuits, ReachNobodyButTheirEnds) {
  const auto id = standing(table, 1, 2);
  EXPECT_FALSE(pass(table, now, host(3), id, 100));
  auto other_port = host(1);
  other_port.port = 4401;
  EXPECT_FALSE(pass(table, now, other_port, id, 100));
  EXPECT_EQ(table.counters().foreign, 2U);
  EXPECT_FALSE(pass(table, now, host(1), id + 1, 100));
  EXPECT_EQ(table.counters().unknown, 1U);
}

TEST_F(Circuits, DoNotJoinASessionToItself) {
  EXPECT_EQ(table.open(now, rng, end(1), end(1), nonce(1)).error(), Fault::refused);
}

TEST_F(Circuits, FollowAnEndThatMoves) {
  const auto id = standing(table, 1, 2);
  table.moved(SessionId{2}, host(9));
  EXPECT_EQ(pass(table, now, host(1), id, 100)->to, host(9));
  EXPECT_FALSE(pass(table, now, host(2), id, 100));
  EXPECT_EQ(pass(table, now, host(9), id, 100)->to, host(1));
}

// Beside a naive twin: a list of who is joined to whom, and where everybody is.
TEST_F(Circuits, AreFoundByTheirSessionsThroughAnyHistory) {
  struct Joined {
    std::uint8_t caller, called;
    control::PairNonce nonce;
  };
  std::map<std::uint64_t, Joined> twin;
  std::map<std::uint8_t, std::uint8_t> at;  // session -> host
  for (std::uint8_t s = 1; s <= 8; ++s) at[s] = s;
  const auto place = [](std::uint8_t n) { return Endpoint{IpAddress::v4(198, 51, n, 1), 4400, Transport::udp}; };
  const auto drawn = [&] { return static_cast<std::uint8_t>(1 + rng.below(8)); };
  for (int step = 0; step < 4000; ++step, now += seconds(1)) {
    const auto one = drawn(), other = drawn();
    switch (rng.below(5)) {
      case 0:
      case 1:
        if (one == other) break;
        if (const auto id = table.open(now, rng, {SessionId{one}, place(at[one])}, {SessionId{other}, place(at[other])},
                                       nonce(static_cast<std::uint8_t>(step)))) {
          ASSERT_TRUE(table.accept(now, *id, SessionId{other}, nonce(static_cast<std::uint8_t>(step))));
          twin[*id] = {one, other, nonce(static_cast<std::uint8_t>(step))};
        }
        break;
      case 2:
        at[one] = static_cast<std::uint8_t>(10 + 30 * rng.below(2) + one);
        table.moved(SessionId{one}, place(at[one]));
        break;
      case 3: {
        if (rng.below(4) != 0) break;
        std::size_t gone =
            std::erase_if(twin, [&](auto& t) { return t.second.caller == one || t.second.called == one; });
        ASSERT_EQ(table.close_session(SessionId{one}).size(), gone);
        break;
      }
      default: {
        if (twin.empty()) break;
        const auto& [id, joined] = *std::next(twin.begin(), static_cast<std::ptrdiff_t>(rng.below(twin.size())));
        ASSERT_TRUE(table.close(SessionId{joined.caller}, joined.nonce)) << "it, or another of the same nonce";
        std::erase_if(twin, [&](auto& t) { return !table.stands(t.first); });
      }
    }
    ASSERT_EQ(table.size(), twin.size()) << step;
    std::map<std::uint8_t, std::size_t> held;
    for (const auto& [id, joined] : twin) {
      ++held[joined.caller];
      ++held[joined.called];
      const auto on = pass(table, now, place(at[joined.caller]), id, 20);
      ASSERT_TRUE(on && on->to == place(at[joined.called])) << step;
    }
    for (std::uint8_t s = 1; s <= 8; ++s) ASSERT_EQ(table.held_by(SessionId{s}), held[s]) << step;
  }
}

TEST_F(Circuits, KeepTheirRateWithinFivePercent) {
  const auto id = standing(table, 1, 2);
  std::size_t passed = 0;
  const std::size_t size = 160;
  for (int i = 0; i < 10'000; ++i) {  // 10 s of 1.28 Mbit/s, ten times the cap
    now += milliseconds(1);
    if (pass(table, now, host(1), id, size)) passed += size;
  }
  const double rate = static_cast<double>(limits.bits_per_second) / 8;
  EXPECT_LE(static_cast<double>(passed), 10 * rate * 1.05);
  EXPECT_GE(static_cast<double>(passed), 10 * rate * 0.95);
  EXPECT_GT(table.counters().capped, 0U);
}

TEST_F(Circuits, OneOverItsCapHarmsNoOther) {
  const auto greedy = standing(table, 1, 2);
  const auto modest = standing(table, 3, 4);
  int lost = 0;
  for (int i = 0; i < 5000; ++i) {
    now += milliseconds(1);
    (void)pass(table, now, host(1), greedy, 1000);
    if (i % 20 == 0 && !pass(table, now, host(3), modest, 160)) ++lost;
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

TEST_F(Circuits, EndWhenWhoAskedForThemSaysSo) {
  const auto id = standing(table, 1, 2);
  EXPECT_FALSE(table.close(SessionId{3}, nonce(1))) << "somebody else's";
  EXPECT_FALSE(table.close(SessionId{2}, nonce(1))) << "he was asked";
  EXPECT_FALSE(table.close(SessionId{1}, nonce(2))) << "another one";
  ASSERT_TRUE(table.stands(id));
  EXPECT_EQ(table.close(SessionId{1}, nonce(1)), SessionId{2});
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.held_by(SessionId{1}) + table.held_by(SessionId{2}), 0U);
  EXPECT_FALSE(table.close(SessionId{1}, nonce(1)));
}

TEST_F(Circuits, EndWithEitherSession) {
  const auto id = standing(table, 1, 2);
  standing(table, 3, 4);
  const auto closed = table.close_session(SessionId{2});
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].nonce, nonce(1));
  EXPECT_FALSE(pass(table, now, host(1), id, 10));
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(Circuits, ExpireWhenIdleAndSoonerWhenNeverAccepted) {
  const auto used = standing(table, 1, 2);
  standing(table, 3, 4);
  ASSERT_TRUE(table.open(now, rng, end(5), end(6), nonce(5)));
  now += limits.opening + milliseconds(1);
  EXPECT_EQ(table.expire(now).size(), 1U);
  now = Time{} + limits.idle;
  ASSERT_TRUE(pass(table, now, host(1), used, 10));
  EXPECT_TRUE(table.expire(now).empty());
  now += seconds(1);
  EXPECT_EQ(table.expire(now).size(), 1U);
  EXPECT_TRUE(pass(table, now, host(1), used, 10));
}

// The caps of security.md, check 20. One circuit is raised far over the cap that is tried.
struct Caps : Circuits {
  // Bytes a second of what `from` sends in ten seconds on these, ten times what is allowed in all.
  double rate_of(CircuitTable& t, const Endpoint& from, const std::vector<std::uint64_t>& ids, double allowed) {
    constexpr std::size_t kSize = 200;
    double passed = 0, owed = 0;
    std::size_t turn = 0;
    for (int ms = 0; ms < 10'000; ++ms) {
      now += milliseconds(1);
      for (owed += allowed / 100; owed >= kSize; owed -= kSize)
        if (pass(t, now, from, ids[turn++ % ids.size()], kSize)) passed += kSize;
    }
    return passed / 10;
  }
};

TEST_F(Caps, OfAPeerHoldOverAllItsCircuits) {
  limits.peer_bits_per_second = 256'000;
  CircuitTable capped(limits);
  std::vector<std::uint64_t> ids;
  for (std::uint8_t other = 2; other < 8; ++other) {
    const auto id = capped.open(now, rng, end(1), end(other), nonce(other));
    ASSERT_TRUE(capped.accept(now, *id, SessionId{other}, nonce(other)));
    ids.push_back(*id);
  }
  const auto other = standing(capped, 20, 21);
  EXPECT_NEAR(rate_of(capped, host(1), ids, 32'000), 32'000, 32'000 * 0.05);
  EXPECT_GT(capped.counters().over_peer, 0U);
  EXPECT_TRUE(pass(capped, now, host(20), other, 1000)) << "others are unharmed";
}

TEST_F(Caps, OfAPrefixHoldOverAllItsPeers) {
  limits.prefix_bits_per_second = 512'000;
  CircuitTable capped(limits);
  const auto global = [](std::uint8_t net, std::uint8_t n) {
    return CircuitTable::End{SessionId{net * 256ULL + n}, {IpAddress::v4(198, 51, net, n), 4400, Transport::udp}};
  };
  std::vector<std::pair<Endpoint, std::uint64_t>> crowd;
  for (std::uint8_t n = 1; n <= 20; ++n) {
    const auto id = capped.open(now, rng, global(100, n), global(200, n), nonce(n));
    ASSERT_TRUE(capped.accept(now, *id, global(200, n).session, nonce(n)));
    crowd.emplace_back(global(100, n).endpoint, *id);
  }
  const auto apart = capped.open(now, rng, global(7, 1), global(8, 1), nonce(99));
  ASSERT_TRUE(capped.accept(now, *apart, global(8, 1).session, nonce(99)));
  double passed = 0;
  int lost_apart = 0;
  for (int ms = 0; ms < 10'000; ++ms) {
    now += milliseconds(1);
    for (const auto& [from, id] : crowd) passed += ms % 20 == 0 && pass(capped, now, from, id, 300) ? 300 : 0;
    if (ms % 20 == 0 && !pass(capped, now, global(7, 1).endpoint, *apart, 160)) ++lost_apart;
  }
  EXPECT_NEAR(passed / 10, 64'000, 64'000 * 0.05);
  EXPECT_GT(capped.counters().over_prefix, 0U);
  EXPECT_EQ(lost_apart, 0);
}

TEST_F(Caps, OfAMonthHoldOverRestartsAndEndWithIt) {
  limits.month_bytes = 10'000;
  const Wall may{1'747'000'000}, june{1'749'000'000};
  CircuitTable before(limits);
  before.handle_wall(now, may, true);
  const auto id = standing(before, 1, 2);
  int passed = 0;
  for (int i = 0; i < 100; ++i, now += milliseconds(100)) passed += pass(before, now, host(1), id, 200) ? 1 : 0;
  EXPECT_EQ(passed, 50);
  EXPECT_EQ(before.counters().over_month, 50U);

  CircuitTable after(limits, before.month());
  after.handle_wall(now, may, true);
  EXPECT_EQ(after.open(now, rng, end(1), end(2), nonce(1)).error(), Fault::too_big);
  EXPECT_EQ(after.counters().refused_month, 1U);
  after.handle_wall(now, june, true);
  const auto again = standing(after, 1, 2);
  EXPECT_TRUE(pass(after, now, host(1), again, 200));
  after.handle_wall(now, may, true);  // a clock that was set back gives nothing away
  EXPECT_EQ(after.month(), (RelayedMonth{month_of(may), before.month().bytes + 200}));
}

TEST_F(Caps, OfAMonthOutliveAClockThatWasTenYearsAhead) {
  limits.month_bytes = 10'000;
  const Wall may{1'747'000'000}, june{1'749'000'000}, ahead{2'078'000'000};
  CircuitTable before(limits);
  before.handle_wall(now, ahead, false);
  const auto id = standing(before, 1, 2);
  for (int i = 0; i < 100; ++i, now += milliseconds(100)) (void)pass(before, now, host(1), id, 200);

  CircuitTable after(limits, before.month());  // it was saved
  after.handle_wall(now, may, true);
  EXPECT_EQ(after.month(), (RelayedMonth{month_of(may), 10'000})) << "the count stays";
  EXPECT_EQ(after.open(now, rng, end(1), end(2), nonce(1)).error(), Fault::too_big);
  after.handle_wall(now, june, true);
  EXPECT_TRUE(pass(after, now, host(1), standing(after, 1, 2), 200)) << "the next month begins anew";
}

TEST_F(Caps, OfAMonthGoBackByOurOwnClockAloneAfterADay) {
  const Wall nought{0}, may{1'747'000'000}, june{1'749'000'000};
  const RelayedMonth saved{month_of(june), 5000};
  CircuitTable t(limits, saved);
  t.handle_wall(now, nought, false);  // a clock without a battery
  EXPECT_EQ(t.month(), saved);
  t.handle_wall(now += hours(23), june, false);
  EXPECT_EQ(t.month(), saved) << "it was set";
  t.handle_wall(now, may, false);
  t.handle_wall(now += hours(23), may, false);
  EXPECT_EQ(t.month(), saved);
  t.handle_wall(now += hours(1), may, false);
  EXPECT_EQ(t.month(), (RelayedMonth{month_of(may), 5000}));
}

TEST_F(Caps, OfAMonthCountWhatIsRelayedOtherwise) {
  limits.month_bytes = 1000;
  CircuitTable t(limits);
  const auto id = standing(t, 1, 2);
  t.count_beside(700);
  EXPECT_TRUE(pass(t, now, host(1), id, 200));
  EXPECT_FALSE(pass(t, now, host(1), id, 200));
  EXPECT_EQ(t.month().bytes, 900U);
  t.count_beside(100);
  EXPECT_EQ(t.open(now, rng, end(3), end(4), nonce(3)).error(), Fault::too_big);
}

TEST_F(Circuits, CountMonthsByTheCalendar) {
  EXPECT_EQ(month_of(Wall{0}), 1970 * 12);
  EXPECT_EQ(month_of(Wall{951'782'399}), 2000 * 12 + 1);  // 28 February 2000, 23:59:59
  EXPECT_EQ(month_of(Wall{951'868'800}), 2000 * 12 + 2);
}

TEST_F(Circuits, LeaveThePacketAsItIs) {
  const auto id = standing(table, 1, 2);
  auto bytes = packet(id, 300);
  const auto before = bytes;
  ASSERT_TRUE(table.forward(now, host(1), bytes));
  EXPECT_EQ(bytes, before);
  EXPECT_EQ(table.forward(now, host(1), bytes)->mark, Mark::expedited);
}

TEST_F(Circuits, TakeHalfAKilobyteEachAtMost) {
  limits.total = 10'000;
  CircuitTable full(limits);
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const auto address = [&](std::uint64_t n) {
      return Endpoint{IpAddress::v4(static_cast<std::uint32_t>(0x0b000000 + n * 256)), 4400, Transport::udp};
    };
    const CircuitTable::End caller{SessionId{2 * i + 1}, address(2 * i)},
        called{SessionId{2 * i + 2}, address(2 * i + 1)};
    ASSERT_TRUE(full.open(now, rng, caller, called, nonce(1)));
  }
  EXPECT_LE(full.memory_bytes() / full.size(), 512U);
}

}  // namespace
}  // namespace linnet::overlay
