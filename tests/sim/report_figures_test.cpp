#include "sim/report_figures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sim/report.h"

namespace linnet::sim {
namespace {

std::vector<std::string> cells(const std::string& row) {
  std::vector<std::string> out(1);
  for (const char c : row) c == '\t' ? (void)out.emplace_back() : out.back().push_back(c);
  return out;
}

TEST(Figures, EveryRunNamesItsSeedAndIsRunOnce) {
  for (const bool quick : {true, false}) {
    std::set<std::string> commands;
    for (const auto& run : figure_runs({"", quick, 0, 7})) {
      EXPECT_NE(run.command.find("--seed 7 "), std::string::npos) << run.command;
      EXPECT_TRUE(commands.insert(run.command).second) << run.command;
    }
    for (const auto* scenario : {"lookup", "churn", "malicious"}) {
      EXPECT_TRUE(std::any_of(commands.begin(), commands.end(),
                              [&](const auto& command) { return command.starts_with(scenario); }));
    }
  }
}

TEST(Figures, NoRunHasMoreNodesThanAreAllowed) {
  const auto runs = figure_runs({"", false, 5000, 1});
  const auto most = std::max_element(runs.begin(), runs.end(), [](const auto& a, const auto& b) {
    return (a.axis == "nodes" ? a.x : 0) < (b.axis == "nodes" ? b.x : 0);
  });
  EXPECT_EQ(most->x, 5000);
  EXPECT_LT(runs.size(), figure_runs({"", false, 0, 1}).size());
}

TEST(Figures, ARowHasAValueForEachColumnAndADashForWhatIsNotKnown) {
  Report r;
  r.nodes = 1000;
  r.lookups = 200;
  r.lookups_ok = 199;
  r.lookup_ms = {100, 200, 300};
  r.peak_rss_mb = 10;
  const auto row = cells(figure_row(1000, to_json(r)));
  EXPECT_EQ(row.size(), cells(kFigureColumns).size());
  EXPECT_EQ(row[0], "1000");
  EXPECT_EQ(row[1], "200.0");
  EXPECT_EQ(row[3], "-") << "nobody told how many rounds";
  EXPECT_EQ(row[5], "99.5");
  EXPECT_EQ(row[10], "1.049e+04");
}

TEST(Figures, WhatIsNoReportHasNoRow) { EXPECT_EQ(figure_row(1, "it crashed"), ""); }

}  // namespace
}  // namespace linnet::sim
