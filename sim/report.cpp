#include "sim/report.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

namespace linnet::sim {
namespace {

nlohmann::ordered_json number(const std::optional<double>& v) {
  if (!v) return nullptr;
  return std::round(*v * 1000.0) / 1000.0;
}

std::string hex(std::uint64_t v) {
  char out[17];
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(v));
  return out;
}

std::optional<double> mean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double per_second(double n, double seconds) { return seconds > 0 ? n / seconds : 0; }

}  // namespace

std::optional<double> percentile(std::vector<double> values, double p) {
  if (values.empty()) return std::nullopt;
  const auto at = static_cast<std::ptrdiff_t>(
      std::min(p * static_cast<double>(values.size()), static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

std::string to_json(const Report& r) {
  nlohmann::ordered_json j;
  j["schema"] = 1;
  j["scenario"] = r.scenario;
  j["seed"] = r.seed;
  j["wire"] = r.wire;
  j["wire_checked_pct"] = number(r.wire_checked_pct);
  j["nodes"] = r.nodes;
  j["supernodes"] = r.supernodes;
  j["virtual_seconds"] = number(r.virtual_seconds);
  j["cpu_seconds"] = number(r.cpu_seconds);
  j["events"] = r.events;
  j["events_per_cpu_second"] = std::round(per_second(static_cast<double>(r.events), r.cpu_seconds));
  j["lookups"] = r.lookups;
  j["lookups_ok"] = r.lookups_ok;
  j["lookups_per_cpu_second"] = std::round(per_second(static_cast<double>(r.lookups), r.lookup_cpu_seconds));
  j["lookups_per_cpu_second_beside_upkeep"] =
      std::round(per_second(static_cast<double>(r.lookups), r.lookup_cpu_seconds - r.upkeep_cpu_seconds));
  j["wrong_keys"] = r.wrong_keys;
  j["lookup_ms_p50"] = number(percentile(r.lookup_ms, 0.5));
  j["lookup_ms_p99"] = number(percentile(r.lookup_ms, 0.99));
  j["rounds_p50"] = number(percentile(r.rounds, 0.5));
  j["rounds_p99"] = number(percentile(r.rounds, 0.99));
  j["messages_per_lookup"] = number(r.messages_per_lookup);
  j["bytes_per_leaf"] = std::round(r.bytes_per_leaf);
  j["bytes_per_supernode"] = std::round(r.bytes_per_supernode);
  j["bytes_records"] = std::round(r.bytes_records);
  j["bytes_contact_book"] = std::round(r.bytes_contact_book);
  j["bytes_host_cache"] = std::round(r.bytes_host_cache);
  j["upkeep_bps_leaf"] = number(r.upkeep_bps_leaf);
  j["upkeep_bps_supernode"] = number(r.upkeep_bps_supernode);
  j["publish_bps_supernode"] = number(r.publish_bps_supernode);
  j["peak_rss_mb"] = number(r.peak_rss_mb);
  j["trace_hash"] = hex(r.trace_hash);
  j["calls"] = r.calls;
  j["calls_ok"] = r.calls_ok;
  j["copies_mean"] = number(r.copies_mean);
  j["copies_max"] = r.copies_max;
  j["leaves_per_supernode"] = number(r.leaves_per_supernode);
  j["bytes_per_supernode_alone"] = std::round(r.bytes_per_supernode_alone);
  j["bytes_per_leaf_served"] = std::round(r.bytes_per_leaf_served);
  j["join_ms_p50"] = number(percentile(r.join_ms, 0.5));
  j["join_ms_p99"] = number(percentile(r.join_ms, 0.99));
  j["lives"] = r.lives;
  j["reattached_s"] = number(r.reattached_s);
  j["survivor_load"] = number(r.survivor_load);
  j["survivor_load_10s"] = number(r.survivor_load_10s);
  j["survivor_peak"] = number(r.survivor_peak);
  j["survivor_peak_10s"] = number(r.survivor_peak_10s);
  j["survivor_most_60s"] = number(r.survivor_most_60s);
  j["survivor_mean_60s"] = number(r.survivor_mean_60s);
  j["reachable_s"] = number(r.reachable_s);
  j["lookups_led_home"] = r.lookups_led_home;
  j["lookup_ms_p95"] = number(percentile(r.lookup_ms, 0.95));
  j["rounds_mean"] = number(mean(r.rounds));
  j["rtt_ms"] = number(r.rtt_ms);
  j["beyond_rtt_ms_p95"] = number(r.beyond_rtt_ms_p95);
  j["sent_bps_supernode"] = number(r.sent_bps_supernode);
  j["design"] = r.design;
  j["online_least_pct"] = number(r.online_least_pct);
  if (r.sybils > 0) {
    j["sybils"] = r.sybils;
    j["prefix_rule"] = r.prefix_rule;
    j["denied"] = r.denied;
    j["denied_pct"] = number(100 * per_second(static_cast<double>(r.denied), static_cast<double>(r.lookups)));
    j["hostile_homes"] = r.hostile_homes;
  }
  if (r.grown_s) {
    j["supernodes_by_minute"] = r.supernodes_by_minute;
    j["promotions"] = r.promotions;
    j["demotions"] = r.demotions;
    j["grown_s"] = number(r.grown_s);
    j["supernodes_grown"] = r.supernodes_grown;
    j["most_leaves"] = r.most_leaves;
    j["quiet_promotions"] = r.quiet_promotions;
    j["stepped_in"] = r.stepped_in;
  }
  if (r.elections) add_to(j, *r.elections);
  if (r.cascade) add_to(j, *r.cascade);
  j["broken"] = r.broken;
  return j.dump();
}

std::string to_text(const Report& r) {
  char line[256];
  std::string out;
  const auto add = [&out, &line](int n) {
    if (n > 0) out.append(line, std::min(static_cast<std::size_t>(n), sizeof line - 1)).append("\n");
  };
  const auto ms = [&r](double p) { return percentile(r.lookup_ms, p).value_or(0); };
  add(std::snprintf(line, sizeof line, "%s  seed %llu  wire %s  %llu nodes (%llu supernodes)", r.scenario.c_str(),
                    static_cast<unsigned long long>(r.seed), r.wire.c_str(), static_cast<unsigned long long>(r.nodes),
                    static_cast<unsigned long long>(r.supernodes)));
  add(std::snprintf(line, sizeof line, "%.0f virtual s in %.1f CPU s  %llu events, %.0f per CPU second  peak %.0f MB",
                    r.virtual_seconds, r.cpu_seconds, static_cast<unsigned long long>(r.events),
                    per_second(static_cast<double>(r.events), r.cpu_seconds), r.peak_rss_mb));
  if (r.lookups > 0) {
    add(std::snprintf(
        line, sizeof line, "lookups %llu of %llu found  p50 %.0f ms  p99 %.0f ms  rounds p50 %.0f  wrong keys %llu",
        static_cast<unsigned long long>(r.lookups_ok), static_cast<unsigned long long>(r.lookups), ms(0.5), ms(0.99),
        percentile(r.rounds, 0.5).value_or(0), static_cast<unsigned long long>(r.wrong_keys)));
    if (r.copies_max > 0)
      add(std::snprintf(line, sizeof line, "copies of a record: mean %.1f, most %llu", r.copies_mean,
                        static_cast<unsigned long long>(r.copies_max)));
  }
  if (r.lives > 0) {
    add(std::snprintf(line, sizeof line, "%llu lives  online after p50 %.0f ms  p99 %.0f ms",
                      static_cast<unsigned long long>(r.lives), percentile(r.join_ms, 0.5).value_or(0),
                      percentile(r.join_ms, 0.99).value_or(0)));
  }
  if (r.reattached_s)
    add(std::snprintf(line, sizeof line, "99 %% of leaves have a home again after %.0f s", *r.reattached_s));
  if (r.survivor_load) {
    add(std::snprintf(line, sizeof line,
                      "most load of a survivor: %.1f of its usual in a second, %.1f over ten seconds", *r.survivor_load,
                      r.survivor_load_10s.value_or(0)));
    add(std::snprintf(line, sizeof line, "its busiest second: %.1f of the busiest of the minute before",
                      r.survivor_peak.value_or(0)));
  }
  if (r.beyond_rtt_ms_p95)
    add(std::snprintf(line, sizeof line, "lookups p95 %.0f ms beyond a round trip of %.0f ms", *r.beyond_rtt_ms_p95,
                      r.rtt_ms.value_or(0)));
  if (r.sybils > 0)
    add(std::snprintf(line, sizeof line,
                      "%llu Sybils around one name, prefix rule %s: %llu lookups denied, %llu hostile homes",
                      static_cast<unsigned long long>(r.sybils), r.prefix_rule ? "on" : "off",
                      static_cast<unsigned long long>(r.denied), static_cast<unsigned long long>(r.hostile_homes)));
  if (r.grown_s) {
    add(std::snprintf(
        line, sizeof line, "grown after %.0f s to %llu supernodes of at most %llu leaves, %llu more in half an hour",
        *r.grown_s, static_cast<unsigned long long>(r.supernodes_grown), static_cast<unsigned long long>(r.most_leaves),
        static_cast<unsigned long long>(r.quiet_promotions)));
    add(std::snprintf(line, sizeof line, "%llu promotions, %llu demotions, %llu stepped in for those who died",
                      static_cast<unsigned long long>(r.promotions), static_cast<unsigned long long>(r.demotions),
                      static_cast<unsigned long long>(r.stepped_in)));
  }
  if (r.calls > 0) {
    add(std::snprintf(line, sizeof line, "calls %llu of %llu heard both ways",
                      static_cast<unsigned long long>(r.calls_ok), static_cast<unsigned long long>(r.calls)));
  }
  if (r.elections) out += to_text(*r.elections);
  if (r.cascade) out += to_text(*r.cascade);
  for (const auto& b : r.broken) out += "BROKEN  " + b + "\n";
  out += "trace " + hex(r.trace_hash) + "\n";
  return out;
}

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  const auto s = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return s(u.ru_utime) + s(u.ru_stime);
}

bool is_watched() { return isatty(STDERR_FILENO) == 1; }

double peak_rss_mb() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_maxrss) / 1024.0;
}

}  // namespace linnet::sim
