// `linnet-sim report`: many scenarios, one after another in processes of their own, and what came out as curves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linnet::sim {

struct FigureRun {
  std::string axis;     // nodes, churn, malicious
  double x = 0;         // on it
  std::string command;  // of linnet-sim, which names the seed
};

struct FigurePlan {
  std::string directory;
  bool quick = false;       // few and small ones
  std::uint32_t nodes = 0;  // at most; 0: all
  std::uint64_t seed = 1;
};

// Large ones last.
std::vector<FigureRun> figure_runs(const FigurePlan& plan);

// The row of a curve, of the JSON line of a run: x and what kColumns names, tabs between; "-" where it is unknown.
std::string figure_row(double x, const std::string& json);
extern const char* const kFigureColumns;

// Runs what results.jsonl of the directory does not have yet, and writes there that file, a table for each axis,
// figures.gp and, where gnuplot is installed, one SVG for each axis. The exit status of the program.
int make_figures(const FigurePlan& plan);

}  // namespace linnet::sim
