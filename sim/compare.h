// `linnet-sim compare`: the designs (designs.h) side by side. Each is put through the same scenarios with the same
// seeds, in processes of their own; told are medians over the seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linnet::sim {

struct ComparePlan {
  std::string directory;  // of results.jsonl, designs.tsv, designs.gp and designs.svg; empty: nothing is written
  bool quick = false;     // 200 nodes instead of 500
  std::uint32_t nodes = 0;
  std::uint64_t seed = 1;
  std::uint32_t seeds = 3;  // from that one on
};

struct CompareRun {
  std::string design;  // its label
  std::string what;    // quiet, churn, at once 30, later 30, ...
  std::string command;
};
std::vector<CompareRun> compare_runs(const ComparePlan& plan);

// A column of the table.
struct Compared {
  std::string label;
  std::string options;
};
extern const std::vector<Compared> kCompared;

// One line of the table: a value for each design; nothing where the design has no such thing, or no run told.
struct CompareRow {
  std::string what;
  std::string key;   // in JSON
  std::string unit;  // "": a number
  std::vector<std::optional<double>> values;
};
// `lines`: what the runs printed, in their order.
std::vector<CompareRow> compare_rows(const std::vector<CompareRun>& runs, const std::vector<std::string>& lines);

std::string compare_text(const ComparePlan& plan, const std::vector<CompareRow>& rows);  // a table in Markdown
std::string compare_json(const ComparePlan& plan, const std::vector<CompareRow>& rows);

// Runs what is not known yet and prints the table. The exit status of the program.
int make_comparison(const ComparePlan& plan, bool json);

}  // namespace linnet::sim
