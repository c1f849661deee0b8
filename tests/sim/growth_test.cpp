#include <gtest/gtest.h>

#include "sim/scenario.h"
#include "tests/sim/broken.h"

namespace linnet::sim {
namespace {

ScenarioConfig growth_of(std::uint32_t nodes, std::uint64_t seed) {
  ScenarioConfig c;
  c.scenario = "growth";
  c.nodes = nodes;
  c.seed = seed;
  return c;
}

// Invariants of the scenario: nobody serves who is not fit, nobody is demoted who is, somebody steps in for those who
// died, who loses what made it fit is a leaf within half a minute, 99.9 % are found throughout, also during each drain.
TEST(Growth, ANetworkOfTwoSupernodesGetsThoseItNeedsAndKeepsThem) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto r = run_growth(growth_of(200, seed));
    EXPECT_EQ(broken(r), "") << "seed " << seed;
    EXPECT_LE(r.most_leaves, 80U) << "seed " << seed;
    EXPECT_GE(r.supernodes_grown, 8U);
    EXPECT_LE(r.supernodes_grown, 40U) << "of sixty that could";
    EXPECT_LE(r.quiet_promotions, 2U) << "seed " << seed;
    EXPECT_GT(r.demotions, 0U);
    EXPECT_GT(r.lookups, 400U);
    EXPECT_EQ(r.wrong_keys, 0U);
  }
}

TEST(Growth, OneSeedReplaysBitForBit) {
  const auto a = run_growth(growth_of(60, 5));
  EXPECT_EQ(broken(a), "");
  EXPECT_EQ(a.trace_hash, run_growth(growth_of(60, 5)).trace_hash);
}

}  // namespace
}  // namespace linnet::sim
