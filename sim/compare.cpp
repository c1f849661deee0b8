#include "sim/compare.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "sim/report.h"
#include "sim/report_runs.h"

namespace linnet::sim {
namespace {

using nlohmann::json;
using Value = std::optional<double>;

constexpr std::uint32_t kNodes = 500;
constexpr std::uint32_t kFewNodes = 200;

std::uint32_t nodes_of(const ComparePlan& plan) {
  if (plan.nodes != 0) return plan.nodes;
  return plan.quick ? kFewNodes : kNodes;
}

Value number_at(const json& line, const char* key) {
  const auto at = line.find(key);
  return at != line.end() && at->is_number() ? Value(at->get<double>()) : std::nullopt;
}

// Zero is what is told of a kind of node that a design does not have.
Value of_some(Value value) { return value && *value > 0 ? value : std::nullopt; }

Value found_pct(const json& line) {
  const auto all = of_some(number_at(line, "lookups"));
  const auto ok = number_at(line, "lookups_ok");
  return all && ok ? Value(100 * *ok / *all) : std::nullopt;
}

// What a node that serves holds, records, contact book and host cache included.
Value bytes_serving(const json& line) {
  double out = 0;
  for (const auto* key : {"bytes_per_supernode", "bytes_records", "bytes_contact_book", "bytes_host_cache"})
    out += number_at(line, key).value_or(0);
  return of_some(out);
}
Value bytes_leaf(const json& line) {
  const auto own = of_some(number_at(line, "bytes_per_leaf"));
  return own ? Value(*own + number_at(line, "bytes_host_cache").value_or(0)) : std::nullopt;
}
// Of all nodes, one with another.
Value quiet_bps(const json& line) {
  const auto nodes = of_some(number_at(line, "nodes"));
  const auto serving = number_at(line, "supernodes").value_or(0);
  if (!nodes) return std::nullopt;
  const auto leaves = *nodes - serving;
  return (serving * number_at(line, "upkeep_bps_supernode").value_or(0) +
          leaves * number_at(line, "upkeep_bps_leaf").value_or(0)) /
         *nodes;
}

struct Measure {
  const char* run;
  const char* what;
  const char* key;
  const char* unit;
  std::function<Value(const json&)> of;
};

std::function<Value(const json&)> plain(const char* key) {
  return [key](const json& line) { return number_at(line, key); };
}

std::vector<Measure> measures() {
  const auto some = [](const char* key) { return [key](const json& line) { return of_some(number_at(line, key)); }; };
  std::vector<Measure> out{
      {"quiet", "nodes that serve", "serving", "", plain("supernodes")},
      {"quiet", "found", "found_pct", "%", found_pct},
      {"quiet", "lookup p50", "lookup_ms_p50", "ms", plain("lookup_ms_p50")},
      {"quiet", "lookup p95", "lookup_ms_p95", "ms", plain("lookup_ms_p95")},
      {"quiet", "lookup p99", "lookup_ms_p99", "ms", plain("lookup_ms_p99")},
      {"quiet", "rounds, mean", "rounds_mean", "", plain("rounds_mean")},
      {"quiet", "rounds, p99", "rounds_p99", "", plain("rounds_p99")},
      {"quiet", "datagrams of a lookup", "messages_per_lookup", "", plain("messages_per_lookup")},
      {"quiet", "sent in a quiet minute by one that serves", "quiet_bps_serving", "B/s", plain("upkeep_bps_supernode")},
      {"quiet", "in a quiet minute by a leaf", "quiet_bps_leaf", "B/s", some("upkeep_bps_leaf")},
      {"quiet", "in a quiet minute by all, a node", "quiet_bps_node", "B/s", quiet_bps},
      {"quiet", "publication beside that, by one that serves", "publish_bps_serving", "B/s",
       some("publish_bps_supernode")},
      {"quiet", "memory of one that serves", "bytes_serving", "B", bytes_serving},
      {"quiet", "memory of a leaf", "bytes_leaf", "B", bytes_leaf},
      {"churn", "churn: found", "churn_found_pct", "%", found_pct},
      {"churn", "churn: lookup p99", "churn_lookup_ms_p99", "ms", plain("lookup_ms_p99")},
      {"churn", "churn: sent by one that serves", "churn_bps_serving", "B/s", plain("sent_bps_supernode")},
  };
  out.insert(
      out.end(),
      {
          {"at once 30", "30 % killed, at once: found", "killed30_found_pct", "%", found_pct},
          {"at once 30", "30 % killed, at once: lookup p95", "killed30_lookup_ms_p95", "ms", plain("lookup_ms_p95")},
          {"later 30", "30 % killed: think that they are online, at the worst second", "killed30_online_pct", "%",
           plain("online_least_pct")},
          {"later 30", "30 % killed: until 99 % of leaves have a home", "killed30_reattached_s", "s",
           plain("reattached_s")},
          {"later 30", "30 % killed, 60 s later: found", "killed30_later_found_pct", "%", found_pct},
          {"at once 50", "50 % killed, at once: found", "killed50_found_pct", "%", found_pct},
          {"at once 50", "50 % killed, at once: lookup p95", "killed50_lookup_ms_p95", "ms", plain("lookup_ms_p95")},
          {"later 50", "50 % killed: think that they are online, at the worst second", "killed50_online_pct", "%",
           plain("online_least_pct")},
          {"later 50", "50 % killed: until 99 % of leaves have a home", "killed50_reattached_s", "s",
           plain("reattached_s")},
          {"later 50", "50 % killed, 60 s later: found", "killed50_later_found_pct", "%", found_pct},
      });
  return out;
}

std::string cell_of(const Value& value) {
  if (!value) return "-";
  char out[32];
  const auto digits = *value >= 100 || *value == static_cast<double>(static_cast<long long>(*value)) ? 0 : 2;
  std::snprintf(out, sizeof out, "%.*f", digits, *value);
  return out;
}

// A design each row, a measure each column.
std::string table_of(const std::vector<CompareRow>& rows) {
  std::string out = "design";
  for (const auto& row : rows) out += "\t" + row.key;
  for (std::size_t d = 0; d < kCompared.size(); ++d) {
    out += "\n" + kCompared[d].label;
    for (const auto& row : rows) out += "\t" + cell_of(row.values[d]);
  }
  return out + "\n";
}

constexpr const char* kDesignsPlot = R"gp(# gnuplot designs.gp: designs.svg, of designs.tsv beside it.
set datafile missing "-"
set datafile separator "\t"
set terminal svg size 1100,720 font "sans,11" background "white"
set output "designs.svg"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 border lc rgb "white"
set linetype 1 lc rgb "#1b6ca8"
set linetype 2 lc rgb "#c8553d"
set linetype 3 lc rgb "#588157"
set linetype 4 lc rgb "#8d6a9f"
set grid ytics lc rgb "#dddddd"
set key below horizontal font "sans,9"
set xtics rotate by -30 font "sans,9" nomirror
set yrange [0:*]
table = "designs.tsv"
set multiplot layout 2,3
set title "lookup, ms"
plot table using "lookup_ms_p50":xtic(1) title "p50", "" using "lookup_ms_p99" title "p99"
set title "found after a kill, %"
set yrange [60:101]
plot table using "killed30_found_pct":xtic(1) title "30 %, at once", "" using "killed30_later_found_pct" title "60 s later", \
     "" using "killed50_found_pct" title "50 %, at once", "" using "killed50_later_found_pct" title "60 s later"
set title "lookup p95 just after a kill, ms"
set yrange [0:*]
plot table using "killed30_lookup_ms_p95":xtic(1) title "30 %", "" using "killed50_lookup_ms_p95" title "50 %"
set title "sent in a quiet minute, bytes/s"
set logscale y
set format y "%.0s%c"
set yrange [1:1e4]
plot table using "quiet_bps_serving":xtic(1) title "serves", "" using "quiet_bps_leaf" title "leaf", \
     "" using "quiet_bps_node" title "mean of all"
set title "memory, bytes"
set yrange [1e3:1e7]
plot table using "bytes_serving":xtic(1) title "serves", "" using "bytes_leaf" title "leaf"
unset logscale y
set format y "%g"
set yrange [90:101]
set title "found under churn, %"
plot table using "churn_found_pct":xtic(1) notitle
unset multiplot
)gp";

bool write_pictures(const std::string& directory, const std::vector<CompareRow>& rows) {
  std::ofstream(directory + "/designs.tsv") << table_of(rows);
  std::ofstream(directory + "/designs.gp") << kDesignsPlot;
  const auto plot = "command -v gnuplot >/dev/null && cd '" + directory + "' && gnuplot designs.gp";
  return std::system(plot.c_str()) == 0;
}

}  // namespace

const std::vector<Compared> kCompared{{"supernodes", "--design supernodes"},
                                      {"everybody", "--design everybody"},
                                      {"register", "--design register"},
                                      {"register, 6 copies", "--design register --copies 6"},
                                      {"servers", "--design servers"}};

std::vector<CompareRun> compare_runs(const ComparePlan& plan) {
  const std::vector<std::pair<std::string, std::string>> scenarios{{"quiet", "lookup --supernodes 5"},
                                                                   {"churn", "churn --session-median 10"},
                                                                   {"at once 30", "massacre --killed 30 --at-once"},
                                                                   {"later 30", "massacre --killed 30"},
                                                                   {"at once 50", "massacre --killed 50 --at-once"},
                                                                   {"later 50", "massacre --killed 50"}};
  std::vector<CompareRun> out;
  for (std::uint64_t seed = plan.seed; seed < plan.seed + plan.seeds; ++seed) {
    for (const auto& [what, scenario] : scenarios) {
      for (const auto& design : kCompared)
        out.push_back({design.label, what,
                       scenario + " " + design.options + " --nodes " + std::to_string(nodes_of(plan)) + " --seed " +
                           std::to_string(seed) + " --wire typed --json"});
    }
  }
  return out;
}

std::vector<CompareRow> compare_rows(const std::vector<CompareRun>& runs, const std::vector<std::string>& lines) {
  std::vector<json> parsed;
  for (const auto& line : lines) parsed.push_back(json::parse(line, nullptr, false));
  std::vector<CompareRow> out;
  for (const auto& measure : measures()) {
    CompareRow row{measure.what, measure.key, measure.unit, {}};
    for (const auto& design : kCompared) {
      std::vector<double> seeds;
      for (std::size_t i = 0; i < std::min(runs.size(), parsed.size()); ++i) {
        if (runs[i].design != design.label || runs[i].what != measure.run || !parsed[i].is_object()) continue;
        if (const auto value = measure.of(parsed[i])) seeds.push_back(*value);
      }
      row.values.push_back(percentile(std::move(seeds), 0.5));
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::string compare_text(const ComparePlan& plan, const std::vector<CompareRow>& rows) {
  std::string out = std::to_string(nodes_of(plan)) + " nodes, medians of " + std::to_string(plan.seeds) +
                    " seeds from " + std::to_string(plan.seed) + "\n\n| |";
  for (const auto& design : kCompared) out += " " + design.label + " |";
  out += "\n| --- |";
  for (std::size_t d = 0; d < kCompared.size(); ++d) out += " --- |";
  for (const auto& row : rows) {
    out += "\n| " + row.what + (row.unit.empty() ? "" : ", " + row.unit) + " |";
    for (const auto& value : row.values) out += " " + cell_of(value) + " |";
  }
  return out + "\n";
}

std::string compare_json(const ComparePlan& plan, const std::vector<CompareRow>& rows) {
  nlohmann::ordered_json out;
  out["schema"] = 1;
  out["nodes"] = nodes_of(plan);
  out["seed"] = plan.seed;
  out["seeds"] = plan.seeds;
  auto& designs = out["designs"] = nlohmann::ordered_json::array();
  for (std::size_t d = 0; d < kCompared.size(); ++d) {
    nlohmann::ordered_json one;
    one["design"] = kCompared[d].label;
    for (const auto& row : rows) {
      if (row.values[d]) {
        one[row.key] = *row.values[d];
      } else {
        one[row.key] = nullptr;
      }
    }
    designs.push_back(std::move(one));
  }
  return out.dump();
}

int make_comparison(const ComparePlan& plan, bool json) {
  RunLog log(plan.directory.empty() ? "" : plan.directory + "/results.jsonl");
  if (!log.writable()) {
    std::fprintf(stderr, "%s: not a directory that can be written to\n", plan.directory.c_str());
    return 2;
  }
  const auto runs = compare_runs(plan);
  std::vector<std::string> lines;
  bool whole = true;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    lines.push_back(log.line_of(runs[i].command, number_of(i, runs.size())));
    whole = whole && !lines.back().empty();
  }
  const auto rows = compare_rows(runs, lines);
  if (!plan.directory.empty() && !write_pictures(plan.directory, rows))
    std::fprintf(stderr, "no picture: gnuplot is not installed, or failed\n");
  std::printf("%s", json ? (compare_json(plan, rows) + "\n").c_str() : compare_text(plan, rows).c_str());
  return whole ? 0 : 1;
}

}  // namespace linnet::sim
