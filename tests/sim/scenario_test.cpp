#include "sim/scenario.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/sim/broken.h"

namespace linnet::sim {
namespace {

ScenarioConfig lookup(std::uint32_t nodes, std::uint64_t seed, Wire wire) {
  ScenarioConfig c;
  c.scenario = "lookup";
  c.nodes = nodes;
  c.seed = seed;
  c.wire = wire;
  return c;
}

constexpr double kMessagesPerLookup = 30;

TEST(LookupScenario, EverybodyIsFoundByEverybodyElse) {
  const auto r = run_lookup(lookup(400, 1, Wire::typed));
  EXPECT_EQ(broken(r), "");
  EXPECT_EQ(r.wrong_keys, 0U);
  EXPECT_GE(static_cast<double>(r.lookups_ok), 0.999 * static_cast<double>(r.lookups));
  EXPECT_GT(r.lookups, 0U);
}

// What a lookup costs when nothing is wrong with it: three paths of four supernodes each, asked and answered, and a few
// more where a path is late. Asking in another order, or more than needed, shows here.
TEST(LookupScenario, ALookupCostsWhatItIsKnownToCost) {
  const auto r = run_lookup(lookup(400, 1, Wire::typed));
  EXPECT_LE(r.messages_per_lookup, kMessagesPerLookup);
  EXPECT_GE(r.messages_per_lookup, 8);
  EXPECT_LE(percentile(r.rounds, 0.5).value_or(99), 1);
  EXPECT_LE(percentile(r.rounds, 0.99).value_or(99), 2);
  EXPECT_GT(r.publish_bps_supernode.value_or(0), 0);
}

TEST(LookupScenario, OneSeedReplaysBitForBit) {
  const auto a = run_lookup(lookup(120, 7, Wire::typed));
  const auto b = run_lookup(lookup(120, 7, Wire::typed));
  EXPECT_EQ(a.trace_hash, b.trace_hash);
  EXPECT_EQ(a.events, b.events);
  EXPECT_NE(a.trace_hash, run_lookup(lookup(120, 8, Wire::typed)).trace_hash);
}

TEST(LookupScenario, TheTypedWireTakesTheDecisionsOfTheShippedOne) {
  const auto typed = run_lookup(lookup(80, 3, Wire::typed));
  const auto full = run_lookup(lookup(80, 3, Wire::full));
  EXPECT_EQ(typed.trace_hash, full.trace_hash);
  EXPECT_EQ(typed.events, full.events);
  EXPECT_EQ(typed.lookups_ok, full.lookups_ok);
  EXPECT_EQ(full.wire_checked_pct, 100);
  EXPECT_GE(typed.wire_checked_pct, 1) << "some go through the shipped codec too, and must read the same";
  EXPECT_EQ(broken(typed), "");
}

TEST(CallsScenario, WholeNodesBehindNatsHearEachOtherUnderFivePercentLoss) {
  ScenarioConfig c;
  c.scenario = "calls";
  c.nodes = 40;
  c.seed = 1;
  const auto r = run_calls(c);
  EXPECT_EQ(broken(r), "");
  EXPECT_EQ(r.calls_ok, r.calls);
  EXPECT_EQ(r.calls, 18U);
}

TEST(CallsScenario, OneSeedReplaysBitForBit) {
  ScenarioConfig c;
  c.scenario = "calls";
  c.nodes = 12;
  c.seed = 5;
  EXPECT_EQ(run_calls(c).trace_hash, run_calls(c).trace_hash);
}

ScenarioConfig faults(std::uint64_t seed, Wire wire) {
  ScenarioConfig c;
  c.scenario = "faults";
  c.seed = seed;
  c.wire = wire;
  return c;
}

// scripts/seeds runs thousands.
TEST(FaultsScenario, AnOverlayThatWentThroughFaultsIsWholeAgain) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto r = run_faults(faults(seed, Wire::typed));
    EXPECT_EQ(broken(r), "") << "seed " << seed;
    EXPECT_GT(r.lookups, 0U);
  }
}

TEST(FaultsScenario, AnySeedReplaysBitForBitOnBothWires) {
  for (std::uint64_t seed = 41; seed <= 43; ++seed) {
    const auto typed = run_faults(faults(seed, Wire::typed));
    EXPECT_EQ(typed.trace_hash, run_faults(faults(seed, Wire::typed)).trace_hash);
    EXPECT_EQ(typed.trace_hash, run_faults(faults(seed, Wire::full)).trace_hash) << "seed " << seed;
  }
}

TEST(Report, TheJsonLineHasTheKeysThatScriptsRelyOn) {
  Report r;
  r.scenario = "lookup";
  const auto j = nlohmann::json::parse(to_json(r));
  for (const auto* key : {"schema",
                          "scenario",
                          "seed",
                          "wire",
                          "wire_checked_pct",
                          "nodes",
                          "supernodes",
                          "virtual_seconds",
                          "cpu_seconds",
                          "events",
                          "events_per_cpu_second",
                          "lookups",
                          "lookups_ok",
                          "lookups_per_cpu_second",
                          "wrong_keys",
                          "lookup_ms_p50",
                          "lookup_ms_p99",
                          "rounds_p50",
                          "rounds_p99",
                          "messages_per_lookup",
                          "bytes_per_leaf",
                          "bytes_per_supernode",
                          "bytes_records",
                          "bytes_contact_book",
                          "bytes_host_cache",
                          "leaves_per_supernode",
                          "bytes_per_supernode_alone",
                          "bytes_per_leaf_served",
                          "lookups_per_cpu_second_beside_upkeep",
                          "upkeep_bps_leaf",
                          "upkeep_bps_supernode",
                          "publish_bps_supernode",
                          "peak_rss_mb",
                          "trace_hash"}) {
    EXPECT_TRUE(j.contains(key)) << key;
  }
  EXPECT_TRUE(j["lookup_ms_p50"].is_null()) << "an unknown value is null, never a default";
}

TEST(Percentile, PicksTheValueAtTheShare) {
  EXPECT_EQ(percentile({}, 0.5), std::nullopt);
  EXPECT_EQ(percentile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(percentile({3, 1, 2}, 1.0), 3);
  EXPECT_EQ(percentile({3, 1, 2}, 0.0), 1);
}

}  // namespace
}  // namespace linnet::sim
