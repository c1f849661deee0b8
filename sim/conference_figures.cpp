#include "sim/conference_figures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "sim/report.h"

namespace linnet::sim {
namespace {

nlohmann::ordered_json figure(const std::vector<double>& of, double share) {
  const auto v = percentile(of, share);
  if (!v) return nullptr;
  return std::round(*v * 1000.0) / 1000.0;
}

double share_of(const std::vector<double>& of, double share) { return percentile(of, share).value_or(0); }

template <class... Values>
std::string line_of(const char* format, Values... values) {
  char line[256];
  const int n = std::snprintf(line, sizeof line, format, values...);
  return std::string(line, std::min(static_cast<std::size_t>(std::max(n, 0)), sizeof line - 1)) + "\n";
}

unsigned long long whole(std::uint64_t v) { return v; }

}  // namespace

void add_to(nlohmann::ordered_json& j, const ElectionFigures& f) {
  j["elections"] = f.runs;
  j["election_members"] = f.members;
  j["elections_won"] = f.won;
  j["elections_clear"] = f.clear;
  j["elections_clear_won"] = f.clear_won;
  j["handed_over"] = f.handed_over;
  j["joins"] = f.agreed_ms.size();
  j["joins_late"] = f.joins_late;
  j["agreed_ms_p50"] = figure(f.agreed_ms, 0.5);
  j["agreed_ms_p95"] = figure(f.agreed_ms, 0.95);
  j["agreed_ms_max"] = figure(f.agreed_ms, 1);
  j["decided_ms_p50"] = figure(f.decided_ms, 0.5);
  j["decided_ms_max"] = figure(f.decided_ms, 1);
  j["apart_ms_p95"] = figure(f.apart_ms, 0.95);
  j["apart_ms_max"] = figure(f.apart_ms, 1);
}

void add_to(nlohmann::ordered_json& j, const CascadeFigures& f) {
  j["members"] = f.members;
  j["carries"] = f.carries;
  j["members_in"] = f.in;
  j["rosters_complete"] = f.complete;
  j["mixers"] = f.mixers;
  j["join_tries"] = f.tries;
  j["gathered_s"] = std::round(f.gathered_s * 1000) / 1000;
  j["came_in_ms_p50"] = figure(f.join_ms, 0.5);
  j["came_in_ms_p95"] = figure(f.join_ms, 0.95);
  j["heard"] = f.heard;
  j["stoi_min"] = figure(f.stoi, 0);
  j["stoi_p5"] = figure(f.stoi, 0.05);
  j["stoi_p50"] = figure(f.stoi, 0.5);
}

std::string to_text(const ElectionFigures& f) {
  return line_of("elections %llu, %llu members: right %llu; one clearly the strongest in %llu, and mixed in %llu",
                 whole(f.runs), whole(f.members), whole(f.won), whole(f.clear), whole(f.clear_won)) +
         line_of("all agree after a join p50 %.0f ms  p95 %.0f ms  most %.0f ms; later than a second %llu of %llu",
                 share_of(f.agreed_ms, 0.5), share_of(f.agreed_ms, 0.95), share_of(f.agreed_ms, 1), whole(f.joins_late),
                 whole(f.agreed_ms.size())) +
         line_of("the one who is to mix does after the last join p50 %.0f ms  most %.0f ms; %llu changes of the mixer",
                 share_of(f.decided_ms, 0.5), share_of(f.decided_ms, 1), whole(f.handed_over)) +
         line_of("without a join not of one mind p95 %.0f ms  most %.0f ms", share_of(f.apart_ms, 0.95),
                 share_of(f.apart_ms, 1));
}

std::string to_text(const CascadeFigures& f) {
  return line_of("%llu members, %llu in, %llu with all in the roster after %.1f s; %llu mixers", whole(f.members),
                 whole(f.in), whole(f.complete), f.gathered_s, whole(f.mixers)) +
         line_of("came in after p50 %.0f ms  p95 %.0f ms, %llu calls", share_of(f.join_ms, 0.5),
                 share_of(f.join_ms, 0.95), whole(f.tries)) +
         line_of("STOI of the speaker least %.3f  p5 %.3f  p50 %.3f; 0.9 or more at %llu of %llu", share_of(f.stoi, 0),
                 share_of(f.stoi, 0.05), share_of(f.stoi, 0.5), whole(f.heard), whole(f.stoi.size()));
}

}  // namespace linnet::sim
