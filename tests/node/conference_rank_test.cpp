// Who mixes follows from the roster alone.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "node/conference_roster.h"

namespace linnet::node::conference {
namespace {

struct ConferenceRank : ::testing::Test {
  Roster roster;
  std::uint8_t next = 1;

  crypto::DeviceKey add(std::uint32_t mixes, std::uint32_t uplink = 0, bool reachable = false, bool mains = false) {
    Member m;
    auto& c = m.claim.claim;
    c.certificate.device.bytes[0] = next++;
    c.mixes = mixes;
    c.uplink_kbps = uplink;
    c.reachable = reachable;
    c.mains = mains;
    roster.members.emplace(c.device(), m);
    return c.device();
  }
};

TEST_F(ConferenceRank, TheOneWhoCouldMixForMostComesFirst) {
  add(50);
  const auto strong = add(400);
  add(100);
  EXPECT_EQ(rank(roster).front(), strong);
  EXPECT_EQ(elect(roster), strong);
}

TEST_F(ConferenceRank, AnUplinkIsABound) {
  for (int i = 0; i < 15; ++i) add(900, 1'000);
  const auto wide = add(100, 20'000);
  EXPECT_EQ(elect(roster), wide);
}

TEST_F(ConferenceRank, TiesGoToWhoIsReachableThenToMainsThenToTheIncumbent) {
  const auto plain = add(100);
  const auto incumbent = add(100);
  roster.head.mixer = incumbent;
  EXPECT_EQ(rank(roster).front(), incumbent);
  const auto mains = add(100, 0, false, true);
  EXPECT_EQ(rank(roster).front(), mains);
  const auto reachable = add(100, 0, true, false);
  EXPECT_EQ(rank(roster).front(), reachable);
  EXPECT_EQ(rank(roster).back(), plain);
}

TEST_F(ConferenceRank, TheIncumbentStaysUntilAnotherIsWorthHalfAsMuchAgain) {
  roster.head.mixer = add(100);
  add(149);
  EXPECT_EQ(elect(roster), roster.head.mixer);
  const auto better = add(150);
  EXPECT_EQ(elect(roster), better);
}

TEST_F(ConferenceRank, AnIncumbentWhoCannotCarryTheRoomGivesWayToAnybodyBetter) {
  roster.head.mixer = add(3);
  add(2);
  add(2);
  EXPECT_EQ(elect(roster), roster.head.mixer);
  const auto other = add(4);
  EXPECT_EQ(elect(roster), other) << "four members, and a mixer for three";
}

TEST_F(ConferenceRank, WhereTheFounderAloneMayMixNobodyElseIsElected) {
  roster.head.founder = add(10);
  add(400);
  roster.head.founder_only = true;
  EXPECT_EQ(elect(roster), roster.head.founder);
  EXPECT_EQ(rank(roster).size(), 1u);
}

TEST_F(ConferenceRank, NobodyGainsByClaimingTheImpossible) {
  const auto a = add(2000);
  const auto b = add(0xffffffff);
  roster.head.mixer = a;
  EXPECT_EQ(worth(roster.members.at(b).claim.claim), worth(roster.members.at(a).claim.claim));
  EXPECT_EQ(elect(roster), a);
}

// A pure function of roster and incumbent: the order in which members came does not matter.
TEST_F(ConferenceRank, AllWhoHaveTheSameRosterAgree) {
  SeededRng rng(4);
  for (int run = 0; run < 200; ++run) {
    roster = {};
    next = 1;
    std::vector<Member> members;
    for (std::uint64_t n = 2 + rng.below(20); n > 0; --n)
      (void)add(static_cast<std::uint32_t>(rng.below(5)), static_cast<std::uint32_t>(rng.below(3) * 100),
                rng.below(2) == 1, rng.below(2) == 1);
    for (const auto& entry : roster.members) members.push_back(entry.second);
    Roster other;
    other.head = roster.head;
    for (auto it = members.rbegin(); it != members.rend(); ++it) other.members.emplace(it->claim.claim.device(), *it);
    ASSERT_EQ(rank(roster), rank(other));
    ASSERT_EQ(elect(roster), elect(other));
    ASSERT_EQ(roster.hash(), other.hash());
  }
}

}  // namespace
}  // namespace linnet::node::conference
