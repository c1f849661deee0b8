// linnet-sim: the overlay and whole nodes in a virtual world. `linnet-sim lookup --nodes 10000 --seed 1 --wire typed
// --json`.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "sim/arena.h"
#include "sim/compare.h"
#include "sim/designs.h"
#include "sim/report_figures.h"
#include "sim/scenario.h"

// What one host allocates lies together and is counted. The sanitizers bring operators of their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if !defined(__has_feature)
#define LINNET_ARENA 1
#elif !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#define LINNET_ARENA 1
#endif
#endif
#ifdef LINNET_ARENA
void* operator new(std::size_t size) { return linnet::sim::arena::allocate(size); }
void* operator new[](std::size_t size) { return linnet::sim::arena::allocate(size); }
void operator delete(void* p) noexcept { linnet::sim::arena::release(p); }
void operator delete[](void* p) noexcept { linnet::sim::arena::release(p); }
void operator delete(void* p, std::size_t size) noexcept { linnet::sim::arena::release(p, size); }
void operator delete[](void* p, std::size_t size) noexcept { linnet::sim::arena::release(p, size); }
#endif

namespace {

using namespace linnet::sim;

struct Known {
  const char* name;
  Report (*run)(const ScenarioConfig&);
};
constexpr Known kScenarios[] = {
    {"lookup", run_lookup},       {"calls", run_calls},          {"faults", run_faults},
    {"churn", run_churn},         {"massacre", run_massacre},    {"partition", run_partition},
    {"joinstorm", run_joinstorm}, {"malicious", run_malicious},  {"sybil", run_sybil},
    {"growth", run_growth},       {"conference", run_conference}};

constexpr std::string_view kOfDesigns = "lookup churn massacre partition joinstorm";

// Options that mean nothing in others.
constexpr std::pair<const char*, std::string_view> kOptionsOf[] = {
    {"--malicious", "malicious"}, {"--session-median", "churn"}, {"--killed", "massacre"},
    {"--at-once", "massacre"},    {"--sybils", "sybil"},         {"--around", "sybil"},
    {"--prefixes", "sybil"},      {"--prefix-rule", "sybil"},    {"--prefix-choice", "sybil"},
    {"--out", "report compare"},  {"--quick", "report compare"}, {"--design", kOfDesigns},
    {"--refresh", kOfDesigns},    {"--copies", kOfDesigns},      {"--seeds", "compare"},
    {"--stood", "massacre"},      {"--in-use", "massacre"},      {"--members", "conference"},
    {"--carries", "conference"},  {"--elections", "conference"}, {"--speech", "conference"}};

bool names(std::string_view scenarios, std::string_view one) {
  const auto padded = " " + std::string(scenarios) + " ";
  return padded.find(" " + std::string(one) + " ") != std::string::npos;
}

Report run_one(const ScenarioConfig& config) {
  return std::find_if(std::begin(kScenarios), std::end(kScenarios),
                      [&](const Known& k) { return k.name == config.scenario; })
      ->run(config);
}

std::vector<std::string> scenario_names() {
  std::vector<std::string> out;
  for (const auto& known : kScenarios) out.emplace_back(known.name);
  out.emplace_back("report");
  out.emplace_back("compare");
  return out;
}

// One line at a terminal, written over; nothing in a log.
void live_line(const Progress& p) {
  const double cpu = cpu_seconds();
  std::fprintf(stderr, "\r\033[K%.*s  %.0f virtual s in %.0f CPU s  %.0f events/s  %llu online",
               static_cast<int>(p.phase.size()), p.phase.data(), p.virtual_seconds, cpu,
               cpu > 0 ? static_cast<double>(p.events) / cpu : 0, static_cast<unsigned long long>(p.online));
}

// Each seed twice. A seed that fails is named, with what it broke; it is all that is needed to see it again.
int run_seeds(ScenarioConfig config, std::uint64_t runs, bool live) {
  std::uint64_t failed = 0;
  const auto first = config.seed;
  for (; config.seed < first + runs; ++config.seed) {
    auto report = run_one(config);
    if (run_one(config).trace_hash != report.trace_hash) report.broken.push_back("it does not replay");
    for (const auto& what : report.broken) {
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(config.seed), what.c_str());
    }
    failed += report.broken.empty() ? 0 : 1;
    if (live) {
      std::fprintf(stderr, "\r\033[K%llu of %llu seeds, %llu failed",
                   static_cast<unsigned long long>(config.seed - first + 1), static_cast<unsigned long long>(runs),
                   static_cast<unsigned long long>(failed));
    }
  }
  if (live) std::fputs("\r\033[K", stderr);
  std::printf("%llu seeds from %llu, each twice: %llu failed\n", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(first), static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
#ifdef LINNET_ARENA
  bytes_of_owner = [](std::uint32_t owner) { return arena::state.live[owner]; };
#endif
  ScenarioConfig config;
  bool json = false;
  bool quiet = false;
  std::string wire = "typed";
  std::string prefix_rule = "on";
  std::string around = "both";
  std::string out;
  bool quick = false;
  std::string design = "supernodes";
  double supernodes = 0;
  std::uint32_t sybils = 0;
  std::uint64_t runs = 1;
  std::uint32_t seeds = 3;

  CLI::App app{"Runs the code that ships in a deterministic virtual network."};
  app.add_option("scenario", config.scenario, "what happens")->required()->check(CLI::IsMember(scenario_names()));
  app.add_option("--nodes", config.nodes,
                 "hosts (lookup 10000, calls 100, faults 24, report at most 100000, compare 500, others 1000)")
      ->check(CLI::Range(4, 1'000'000));
  app.add_option("--seed", config.seed, "the run follows from it");
  app.add_option("--minutes", config.minutes, "virtual minutes of looking up")->check(CLI::Range(0.01, 1440.0));
  app.add_option("--loss", config.loss, "share of datagrams lost, 0 to 0.9")->check(CLI::Range(0.0, 0.9));
  app.add_option("--wire", wire, "full: shipped sealing; typed: stand-ins of equal size")
      ->check(CLI::IsMember({"full", "typed"}));
  app.add_option("--malicious", config.malicious, "percent of the supernodes of `malicious` that lie")
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--session-median", config.session_median, "minutes a host of `churn` stays")
      ->check(CLI::Range(0.1, 1e6));
  app.add_option("--killed", config.killed, "percent of the supernodes of `massacre` that die")
      ->check(CLI::Range(0.0, 90.0));
  app.add_flag("--at-once", config.at_once, "`massacre`: look up from the moment they die, not a minute later");
  app.add_option("--stood", config.stood, "minutes that the network of `massacre` stands before they die")
      ->check(CLI::Range(0.0, 1440.0));
  app.add_flag("--in-use", config.in_use, "`massacre`: a question a peer and minute while the load is measured");
  app.add_option("--supernodes", supernodes, "percent of the nodes (lookup 2.5, the others 5)")
      ->check(CLI::Range(0.1, 100.0));
  app.add_option("--design", design,
                 "who is in the table, and where records lie: what ships, or one it is compared with")
      ->check(CLI::IsMember({"supernodes", "everybody", "register", "servers"}));
  app.add_option("--refresh", config.refresh,
                 "seconds between two records of `--design register`, a third of their life")
      ->check(CLI::Range(10, 2400));
  app.add_option("--copies", config.copies, "of a record of `--design register` (1)")->check(CLI::Range(1, 16));
  app.add_option("--sybils", sybils, "supernodes of the attacker of `sybil` (20 k: 320)")->check(CLI::Range(1, 5000));
  app.add_option("--around", around, "what the Sybils surround: the key alone, or its salted root as well (both)")
      ->check(CLI::IsMember({"key", "both"}));
  app.add_option("--prefix-choice", config.prefix_choice, "they are the nearest of so many (no choice)")
      ->check(CLI::Range(2, 1'000'000));
  app.add_option("--prefixes", config.prefixes, "/24 that they have addresses of (20)")->check(CLI::Range(2, 10'000));
  app.add_option("--prefix-rule", prefix_rule, "off: a private network, where places follow from keys alone")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--members", config.members, "of the room of `conference` (100)")->check(CLI::Range(3, 1200));
  app.add_option("--carries", config.carries, "members that each of them could mix for (60)")
      ->check(CLI::Range(2, 2000));
  app.add_option("--elections", config.elections, "`conference`: so many rooms with scores that are given, instead")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--speech", config.speech, "WAV file: what is said in `conference` (assets/speech.wav)");
  app.add_option("--out", out, "directory of `report` and `compare`: what its results.jsonl has is not run again");
  app.add_flag("--quick", quick, "`report` and `compare`: few and small runs");
  app.add_option("--runs", runs, "so many seeds from --seed on, each twice: it must replay bit for bit")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--seeds", seeds, "`compare`: so many from --seed on; told are medians")->check(CLI::Range(1, 99));
  app.add_flag("--json", json, "one JSON object");
  app.add_flag("--quiet", quiet, "no progress on stderr");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  for (const auto& [option, scenario] : kOptionsOf) {
    if (app.count(option) == 0 || names(scenario, config.scenario)) continue;
    std::cerr << option << " is for the scenario " << scenario << ".\n";
    return 2;
  }
  if (app.count("--supernodes") > 0) config.supernodes = supernodes;
  if (app.count("--sybils") > 0) config.sybils = sybils;
  config.design = *parse_design(design);
  config.prefix_rule = prefix_rule == "on";
  config.at_root = around == "both";
  if (config.scenario == "compare") return make_comparison({out, quick, config.nodes, config.seed, seeds}, json);
  if (config.scenario == "report") {
    if (!out.empty()) return make_figures({out, quick, config.nodes, config.seed});
    std::cerr << "report needs --out DIRECTORY.\n";
    return 2;
  }
  config.wire = wire == "full" ? Wire::full : Wire::typed;
  if (runs > 1) return run_seeds(config, runs, !quiet && is_watched());
  if (!quiet && is_watched()) config.progress = live_line;
  const Report report = run_one(config);
  if (config.progress) std::fputs("\r\033[K", stderr);
  std::cout << (json ? to_json(report) + "\n" : to_text(report)) << std::flush;
  return report.broken.empty() ? 0 : 1;
}
