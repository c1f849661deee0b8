#include "sim/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/report.h"

namespace linnet::sim {
namespace {

std::string line_of(std::uint64_t lookups_ok, double ms, std::uint64_t supernodes) {
  Report r;
  r.nodes = 100;
  r.supernodes = supernodes;
  r.lookups = 100;
  r.lookups_ok = lookups_ok;
  r.lookup_ms = {ms};
  r.upkeep_bps_supernode = 10;
  r.upkeep_bps_leaf = supernodes < 100 ? 2 : 0;
  return to_json(r);
}

const CompareRow& row_of(const std::vector<CompareRow>& rows, const std::string& key) {
  return *std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.key == key; });
}

TEST(Compare, EveryDesignIsPutThroughTheSameWithTheSameSeeds) {
  const auto runs = compare_runs({"", true, 0, 7, 2});
  std::set<std::string> commands;
  std::map<std::string, std::multiset<std::string>> of_design;
  for (const auto& run : runs) {
    EXPECT_TRUE(commands.insert(run.command).second) << run.command;
    const auto seed = run.command.substr(run.command.find("--seed "), 8);
    of_design[run.design].insert(run.what + " " + seed);
  }
  ASSERT_EQ(of_design.size(), kCompared.size());
  for (const auto& [design, what] : of_design) EXPECT_EQ(what, of_design.begin()->second) << design;
  EXPECT_EQ(of_design.begin()->second.size(), 2 * 6U);
}

TEST(Compare, ToldAreMediansOverTheSeeds) {
  const std::vector<CompareRun> runs{{"servers", "quiet", ""},
                                     {"servers", "quiet", ""},
                                     {"servers", "quiet", ""},
                                     {"everybody", "quiet", ""},
                                     {"servers", "churn", ""}};
  const auto rows = compare_rows(
      runs, {line_of(90, 30, 4), line_of(99, 10, 4), line_of(95, 20, 4), line_of(100, 50, 100), line_of(50, 1, 4)});
  const auto column = [](const std::string& label) {
    return static_cast<std::size_t>(
        std::find_if(kCompared.begin(), kCompared.end(), [&](const auto& c) { return c.label == label; }) -
        kCompared.begin());
  };
  EXPECT_EQ(row_of(rows, "found_pct").values[column("servers")], 95);
  EXPECT_EQ(row_of(rows, "lookup_ms_p50").values[column("servers")], 20);
  EXPECT_EQ(row_of(rows, "churn_found_pct").values[column("servers")], 50);
  EXPECT_EQ(row_of(rows, "found_pct").values[column("everybody")], 100);
  EXPECT_NEAR(row_of(rows, "quiet_bps_node").values[column("servers")].value_or(0), (4 * 10 + 96 * 2) / 100.0, 1e-9);
  EXPECT_FALSE(row_of(rows, "quiet_bps_leaf").values[column("everybody")]) << "there is no leaf";
  EXPECT_FALSE(row_of(rows, "found_pct").values[column("supernodes")]) << "no run told";
}

TEST(Compare, TheTableAndTheJsonHaveEveryDesignAndEveryValue) {
  const ComparePlan plan{"", true, 0, 1, 1};
  const auto runs = compare_runs(plan);
  std::vector<std::string> lines(runs.size(), "it crashed");
  lines[0] = line_of(97, 20, 10);
  const auto rows = compare_rows(runs, lines);
  const auto text = compare_text(plan, rows);
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')), rows.size() + 4);
  EXPECT_NE(text.find("| found, % | 97 |"), std::string::npos) << text;
  const auto json = nlohmann::json::parse(compare_json(plan, rows));
  ASSERT_EQ(json["designs"].size(), kCompared.size());
  EXPECT_EQ(json["designs"][0]["found_pct"], 97);
  for (const auto& design : json["designs"]) EXPECT_EQ(design.size(), rows.size() + 1);
  EXPECT_TRUE(json["designs"][1]["found_pct"].is_null());
}

}  // namespace
}  // namespace linnet::sim
