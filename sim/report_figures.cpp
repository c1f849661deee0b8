#include "sim/report_figures.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "sim/report_runs.h"

namespace linnet::sim {
namespace {

using nlohmann::json;

// One panel a quantity; how the axis goes is set before.
constexpr const char* kPlots = R"gp(# gnuplot figures.gp: one SVG for each axis, of the tables beside it.
set datafile missing "-"
set datafile separator "\t"
set grid lc rgb "#dddddd"
set style line 1 lc rgb "#1b6ca8" lw 2 pt 7 ps 0.5
set style line 2 lc rgb "#c8553d" lw 2 pt 5 ps 0.5
set style line 3 lc rgb "#588157" lw 2 pt 9 ps 0.6
set style data linespoints
do for [axis in "nodes churn malicious"] {
  table = axis.".tsv"
  if (system("test -s ".table." && echo yes") eq "yes") {
    set terminal svg size 960,560 font "sans,11" background "white"
    set output axis.".svg"
    unset logscale
    if (axis eq "nodes") { set logscale x; set xlabel "nodes"; set format x "%.0s%c" }
    if (axis eq "churn") { set logscale x; set xlabel "median session, minutes"; set format x "%g" }
    if (axis eq "malicious") { set xlabel "supernodes that lie, %"; set format x "%g" }
    set multiplot layout 2,3
    set key top left
    set yrange [0:*]
    set title "lookup, ms"
    plot table using 1:2 ls 1 title "p50", "" using 1:3 ls 2 title "p99"
    set title "rounds (hops of questions)"
    plot table using 1:4 ls 1 title "mean", "" using 1:5 ls 2 title "p99"
    set title "found, %"
    set yrange [95:100.2]
    plot table using 1:6 ls 1 notitle
    set yrange [0:*]
    set title "a supernode sends, bytes/s"
    plot table using 1:7 ls 1 notitle
    set title "datagrams of the DHT, a lookup"
    if (axis ne "churn") { plot table using 1:8 ls 1 notitle }
    set title "memory, KB"
    set key bottom right
    if (axis eq "nodes") {
      set logscale y
      set yrange [1:*]
      plot table using 1:($9/1e3) ls 1 title "a leaf", "" using 1:($10/1e3) ls 2 title "a supernode", "" using 1:($11/1e3) ls 3 title "process / nodes"
      unset logscale y
    } else {
      plot table using 1:($11/1e3) ls 3 title "process / nodes"
    }
    unset multiplot
    unset output
  }
}
)gp";

std::string cell(const json& of, const char* key) {
  const auto at = of.find(key);
  return at == of.end() || at->is_null() ? "-" : at->dump();
}

std::string cell(bool known, double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.4g", value);
  return known ? out : "-";
}

}  // namespace

const char* const kFigureColumns =
    "x\tp50_ms\tp99_ms\trounds_mean\trounds_p99\tfound_pct\tsent_bps\tmessages\tleaf\tsupernode\tprocess_per_node";

std::vector<FigureRun> figure_runs(const FigurePlan& plan) {
  const bool quick = plan.quick;
  using List = std::vector<double>;
  std::vector<FigureRun> out;
  const auto add = [&](const char* axis, double x, const std::string& scenario, std::uint32_t nodes) {
    out.push_back({axis, x,
                   scenario + " --nodes " + std::to_string(nodes) + " --seed " + std::to_string(plan.seed) +
                       " --wire typed --json"});
  };
  const auto text = [](double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%g", value);
    return std::string(digits);
  };
  const std::uint32_t crowd = quick ? 300 : 2000;
  for (const auto percent : quick ? List{0, 20} : List{0, 5, 10, 20, 30})
    add("malicious", percent, "malicious --malicious " + text(percent), crowd);
  for (const auto median : quick ? List{1.4, 5} : List{1.4, 3, 5, 10, 20})
    add("churn", median, "churn --session-median " + text(median), crowd);
  for (const auto nodes : quick ? List{100, 300, 1000} : List{1000, 2000, 5000, 10'000, 20'000, 50'000, 100'000})
    if (plan.nodes == 0 || nodes <= plan.nodes) add("nodes", nodes, "lookup", static_cast<std::uint32_t>(nodes));
  return out;
}

std::string figure_row(double x, const std::string& line) {
  const auto of = json::parse(line, nullptr, false);
  if (!of.is_object()) return {};
  const auto value = [&](const char* key) { return of.value(key, json(0)).is_number() ? of.value(key, 0.0) : 0.0; };
  // What goes on all the time, or what was sent while peers looked up.
  const bool crowd = of.contains("sent_bps_supernode") && !of["sent_bps_supernode"].is_null();
  std::string out = cell(true, x);
  for (const auto* key : {"lookup_ms_p50", "lookup_ms_p99", "rounds_mean", "rounds_p99"}) out += "\t" + cell(of, key);
  out += "\t" + cell(value("lookups") > 0, 100 * value("lookups_ok") / std::max(1.0, value("lookups")));
  out += "\t" + cell(of, crowd ? "sent_bps_supernode" : "upkeep_bps_supernode");
  out += "\t" + cell(value("messages_per_lookup") > 0, value("messages_per_lookup"));
  out += "\t" + cell(value("bytes_per_leaf") > 0, value("bytes_per_leaf"));
  out += "\t" + cell(value("bytes_per_supernode") > 0, value("bytes_per_supernode"));
  return out + "\t" + cell(value("nodes") > 0, value("peak_rss_mb") * 1048576 / std::max(1.0, value("nodes")));
}

int make_figures(const FigurePlan& plan) {
  const auto& directory = plan.directory;
  const auto path = [&](const std::string& name) { return directory + "/" + name; };
  RunLog log(path("results.jsonl"));
  if (!log.writable()) {
    std::fprintf(stderr, "%s: not a directory that can be written to\n", directory.c_str());
    return 2;
  }
  const auto runs = figure_runs(plan);
  std::map<std::string, std::string> tables;
  bool whole = true;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto line = log.line_of(runs[i].command, number_of(i, runs.size()));
    whole = whole && !line.empty();
    if (!line.empty()) tables[runs[i].axis] += figure_row(runs[i].x, line) + "\n";
  }
  for (const auto& [axis, rows] : tables) std::ofstream(path(axis + ".tsv")) << "# " << kFigureColumns << "\n" << rows;
  std::ofstream(path("figures.gp")) << kPlots;
  const auto plot = "command -v gnuplot >/dev/null && cd '" + directory + "' && gnuplot figures.gp";
  if (std::system(plot.c_str()) != 0) std::fprintf(stderr, "no plots: gnuplot is not installed, or failed\n");
  return whole ? 0 : 1;
}

}  // namespace linnet::sim
