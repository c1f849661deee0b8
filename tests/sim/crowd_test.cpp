#include <gtest/gtest.h>

#include "sim/scenario.h"
#include "tests/sim/broken.h"

namespace linnet::sim {
namespace {

ScenarioConfig crowd_of(std::uint32_t nodes, std::uint64_t seed) {
  ScenarioConfig c;
  c.nodes = nodes;
  c.seed = seed;
  c.minutes = 1;
  return c;
}

double found(const Report& r) {
  return static_cast<double>(r.lookups_ok) / static_cast<double>(std::max<std::uint64_t>(1, r.lookups));
}

TEST(JoinStorm, WhoCameInOneSecondIsFoundAsSoonAsOnline) {
  const auto r = run_joinstorm(crowd_of(200, 1));
  EXPECT_EQ(broken(r), "");
  EXPECT_GE(r.lookups, 150U);
  EXPECT_EQ(r.lives, 200U);
  EXPECT_EQ(r.join_ms.size(), 200U);
}

TEST(Massacre, LeavesFindHomesAgainAndAreFoundWhenHalfOfTheSupernodesDied) {
  const auto r = run_massacre(crowd_of(200, 1));
  EXPECT_EQ(broken(r), "");
  ASSERT_TRUE(r.reattached_s);
  EXPECT_LE(*r.reattached_s, 60);
  EXPECT_GT(r.survivor_load.value_or(0), 0);
  EXPECT_GE(r.survivor_load_10s.value_or(0), r.survivor_most_60s.value_or(99)) << "of longer times the busiest is less";
  EXPECT_GE(r.survivor_most_60s.value_or(0), r.survivor_mean_60s.value_or(99));
  EXPECT_GE(r.lookups, 150U);
  EXPECT_LE(r.lookups_led_home, r.lookups_ok);
  EXPECT_GE(static_cast<double>(r.lookups_led_home), 0.98 * static_cast<double>(r.lookups_ok));
}

TEST(Massacre, ANetworkInUseBearsLessBesideWhatItBearsAnyway) {
  auto config = crowd_of(200, 3);
  const auto idle = run_massacre(config);
  config.in_use = true;
  const auto used = run_massacre(config);
  EXPECT_EQ(broken(used), "");
  EXPECT_GE(used.lookups, idle.lookups + 300) << "a question a peer in the minute before and after";
  EXPECT_LT(used.survivor_mean_60s.value_or(99), idle.survivor_mean_60s.value_or(0));
}

TEST(Massacre, SoManyDieAsAreAskedFor) {
  auto config = crowd_of(200, 2);
  config.killed = 30;
  const auto some = run_massacre(config);
  config.killed = 0;
  const auto nobody = run_massacre(config);
  EXPECT_EQ(broken(some), "");
  EXPECT_EQ(broken(nobody), "");
  EXPECT_EQ(nobody.reattached_s, 1);  // the first second in which it is looked at: nobody had lost his home
  EXPECT_LT(nobody.survivor_load.value_or(99), some.survivor_load.value_or(0));
}

TEST(Massacre, WhoAsksAtOnceWaitsLongerThanARoundTrip) {
  auto config = crowd_of(200, 1);
  config.killed = 30;
  config.at_once = true;
  const auto r = run_massacre(config);
  EXPECT_EQ(broken(r), "");
  EXPECT_GE(found(r), 0.99);
  EXPECT_LE(r.reachable_s.value_or(99), 30);
  EXPECT_GT(r.rtt_ms.value_or(0), 20);
  EXPECT_GT(r.beyond_rtt_ms_p95.value_or(0), 0);
  EXPECT_FALSE(r.survivor_load) << "the load is told of a massacre that is left alone";
}

TEST(Partition, TwoHalvesAreOneNetworkAgainAMinuteAfterItHeals) {
  const auto r = run_partition(crowd_of(120, 1));
  EXPECT_EQ(broken(r), "");
  EXPECT_GE(r.lookups, 80U);
}

// Silent, denying, misrouting and poisoning; as homes they throw away what they are given to store.
TEST(Malicious, AFifthOfTheSupernodesLieAndHonestPeersFindOneAnother) {
  auto config = crowd_of(400, 3);
  config.malicious = 20;
  const auto lied_to = run_malicious(config);
  EXPECT_EQ(broken(lied_to), "");  // 99 % found, no wrong key
  EXPECT_GE(lied_to.lookups, 350U);
  config.malicious = 0;
  const auto honest = run_malicious(config);
  EXPECT_EQ(broken(honest), "");
  EXPECT_LE(lied_to.messages_per_lookup, 3 * honest.messages_per_lookup);
  EXPECT_NE(lied_to.trace_hash, honest.trace_hash);
}

TEST(Churn, NearlyEverybodyIsFoundWhileHalfStayForLessThanTwoMinutes) {
  auto config = crowd_of(200, 1);
  config.session_median = 1.4;
  config.minutes = 2;
  const auto r = run_churn(config);
  EXPECT_GE(found(r), 0.98);
  EXPECT_EQ(r.wrong_keys, 0U);
  EXPECT_GT(r.lives, 300U);  // many came back
  EXPECT_EQ(r.trace_hash, run_churn(config).trace_hash);
}

}  // namespace
}  // namespace linnet::sim
