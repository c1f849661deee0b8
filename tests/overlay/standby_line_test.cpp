#include "overlay/standby_line.h"

#include <gtest/gtest.h>

#include <map>

namespace linnet::overlay {
namespace {

using namespace std::chrono_literals;

IpAddress own_network(std::size_t i) {
  return IpAddress::v4(44, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i % 256), 1);
}

dht::Id place(std::uint64_t i) {
  dht::Id out;
  out.bytes[31] = static_cast<std::uint8_t>(i);
  out.bytes[30] = static_cast<std::uint8_t>(i >> 8);
  return out;
}

struct Standbys : ::testing::Test {
  SeededRng rng{1};
  StandbyLine line;
  Time now{};

  bool offer(std::uint64_t i) { return line.offer(now, SessionId{i}, own_network(i), place(i)); }
  std::optional<std::uint64_t> call(const std::optional<StandbyLine::Near>& near = std::nullopt) {
    const auto out = line.call(now, rng, near);
    return out ? std::optional(static_cast<std::uint64_t>(*out)) : std::nullopt;
  }
  void three() {
    for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(offer(i));
  }
};

TEST_F(Standbys, WhoAskedFirstIsCalledFirst) {
  three();
  EXPECT_EQ(call(), 1U);
}

TEST_F(Standbys, WhoAsksAgainKeepsItsPlace) {
  three();
  EXPECT_TRUE(offer(1));
  EXPECT_EQ(line.size(), 3U);
  EXPECT_EQ(call(), 1U);
}

TEST_F(Standbys, NobodyIsCalledWithinHalfAMinuteOfAnother) {
  three();
  EXPECT_EQ(call(), 1U);
  line.withdraw(SessionId{1});
  now += StandbyLine::kPause - 1ms;
  EXPECT_EQ(call(), std::nullopt);
  now += StandbyLine::kPause / 2 + 1ms;
  EXPECT_EQ(call(), 2U);
}

TEST_F(Standbys, WhoWasCalledAndDidNotFollowComesAfterTheOthers) {
  three();
  std::vector<std::uint64_t> called;
  for (int i = 0; i < 4; ++i, now += StandbyLine::kPause * 3 / 2) called.push_back(*call());
  EXPECT_EQ(called, (std::vector<std::uint64_t>{1, 2, 3, 1}));
}

TEST_F(Standbys, ThePauseGrowsWithEachThatFollowedAndIsShortAgainOnceThereWasNoNeed) {
  for (std::uint64_t i = 0; i < 12; ++i) ASSERT_TRUE(offer(i));
  EXPECT_EQ(call(), 0U);
  Duration pause = StandbyLine::kPause;
  for (std::uint64_t i = 1; i < 8; ++i) {
    line.withdraw(SessionId{i - 1});  // a supernode now
    const auto from = now;
    while (call() != i) now += 1s;
    EXPECT_GE(now - from, std::min(pause, StandbyLine::kMostPause)) << i;
    EXPECT_LE(now - from, std::min(pause, StandbyLine::kMostPause) * 3 / 2 + 1s) << i;
    pause *= 2;
  }
  line.no_need();
  now += StandbyLine::kMostPause * 3 / 2;
  ASSERT_TRUE(call());
  const auto from = now;
  while (!call()) now += 1s;
  EXPECT_LE(now - from, StandbyLine::kPause * 3 / 2 + 1s);
}

TEST_F(Standbys, WhereLeavesAreToBeTakenOffWhoStandsNearestIsCalled) {
  for (const auto i : {9, 200, 12, 40}) ASSERT_TRUE(offer(static_cast<std::uint64_t>(i)));
  std::vector<std::uint64_t> called;
  for (int i = 0; i < 5; ++i, now += StandbyLine::kPause * 3 / 2)
    called.push_back(*call(StandbyLine::Near{place(13), std::nullopt}));
  EXPECT_EQ(called, (std::vector<std::uint64_t>{12, 9, 40, 200, 12})) << "12 xor 13 is 1, 9 xor 13 is 4";
}

TEST_F(Standbys, NobodyIsCalledWhoStandsTooFarAwayToTakeAny) {
  for (const auto i : {200, 40}) ASSERT_TRUE(offer(static_cast<std::uint64_t>(i)));
  EXPECT_EQ(call(StandbyLine::Near{place(13), place(8)}), std::nullopt);
  ASSERT_TRUE(offer(12));
  EXPECT_EQ(call(StandbyLine::Near{place(13), place(8)}), 12U);
}

TEST_F(Standbys, NobodyIsCalledWhereNobodyStands) {
  EXPECT_EQ(call(), std::nullopt);
  three();
  for (std::uint64_t i = 1; i <= 3; ++i) line.withdraw(SessionId{i});
  EXPECT_EQ(call(), std::nullopt);
  EXPECT_EQ(line.size(), 0U);
}

TEST_F(Standbys, OneNetworkHasTwoPlacesAndAPrivateOneAsManyAsThereAre) {
  for (std::uint8_t i = 1; i <= 100; ++i) line.offer(now, SessionId{i}, IpAddress::v4(44, 1, 1, i), place(i));
  EXPECT_EQ(line.size(), StandbyLine::kOfPrefix);
  const auto six = *IpAddress::parse("2a00:1::1");
  for (std::uint64_t i = 0; i < 100; ++i) {
    auto from = six;
    from.bytes[15] = static_cast<std::uint8_t>(i);
    line.offer(now, SessionId{200 + i}, from, place(i));
  }
  EXPECT_EQ(line.size(), 2 * StandbyLine::kOfPrefix);
  for (std::uint8_t i = 1; i <= 10; ++i)
    EXPECT_TRUE(line.offer(now, SessionId{300U + i}, IpAddress::v4(10, 0, 0, i), place(i)));
}

TEST_F(Standbys, TheLineIsBoundedAndWhoStandsInItIsNotDrivenOut) {
  for (std::uint64_t i = 0; i < 1000; ++i) offer(i);
  EXPECT_EQ(line.size(), StandbyLine::kMost);
  EXPECT_EQ(call(), 0U);
  line.withdraw(SessionId{0});
  EXPECT_TRUE(offer(5000)) << "a place became free";
}

TEST_F(Standbys, WhoWasCalledTwiceInVainLosesItsPlaceToOthers) {
  for (std::uint64_t i = 0; i < StandbyLine::kMost; ++i) offer(i);
  EXPECT_FALSE(offer(5000)) << "the line is full of those that never follow";
  for (std::uint64_t i = 0; i < 2 * StandbyLine::kMost; ++i, now += 2 * StandbyLine::kPause) EXPECT_TRUE(call());
  EXPECT_EQ(call(), std::nullopt);
  EXPECT_TRUE(offer(5000));
  now += 2 * StandbyLine::kPause;
  EXPECT_EQ(call(), 5000U);
}

TEST_F(Standbys, WhoWasCalledInVainMayOfferItselfAgainAfterARest) {
  ASSERT_TRUE(offer(1));
  for (int i = 0; i < 2; ++i, now += 2 * StandbyLine::kPause) EXPECT_EQ(call(), 1U);
  EXPECT_EQ(call(), std::nullopt);
  const auto dropped = now;
  EXPECT_FALSE(offer(1)) << "it would be called for ever";
  now = dropped + StandbyLine::kVainRest;
  EXPECT_TRUE(offer(1));
  EXPECT_EQ(call(), 1U);
}

TEST_F(Standbys, EveryHistoryKeepsOnePlaceForEachAndTheBounds) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRng chance(seed);
    StandbyLine one;
    std::map<std::uint64_t, unsigned> offered;  // and how often it was called
    Time at{};
    for (int i = 0; i < 200; ++i) {
      const auto who = chance.below(100);
      switch (chance.below(4)) {
        case 0:
        case 1:
          if (one.offer(at, SessionId{who}, own_network(who % 40), place(who))) offered.try_emplace(who);
          break;
        case 2:
          one.withdraw(SessionId{who});
          offered.erase(who);
          break;
        default:
          at += std::chrono::seconds(chance.below(100));
          const auto called = one.call(at, chance);
          if (one.size() < offered.size())
            std::erase_if(offered, [](const auto& s) { return s.second >= StandbyLine::kCallsInVain; });
          if (!called) break;
          ASSERT_TRUE(offered.contains(static_cast<std::uint64_t>(*called)));
          ++offered[static_cast<std::uint64_t>(*called)];
      }
      ASSERT_EQ(one.size(), offered.size()) << seed;
      ASSERT_LE(one.size(), StandbyLine::kMost);
    }
  }
}

}  // namespace
}  // namespace linnet::overlay
