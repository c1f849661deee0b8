// linnet-sim: the overlay and whole nodes in a virtual world. `linnet-sim lookup --nodes 10000 --seed 1 --wire typed --json`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "sim/scenario.h"

int main(int argc, char** argv) {
  using namespace linnet::sim;
  ScenarioConfig config;
  bool json = false;
  bool quiet = false;
  double malicious = 0;
  double session_median = 0;
  std::string wire = "typed";

  CLI::App app{"Runs the code that ships in a deterministic virtual network."};
  app.add_option("scenario", config.scenario, "lookup or calls")->required()->check(CLI::IsMember({"lookup", "calls"}));
  app.add_option("--nodes", config.nodes, "hosts (lookup 10000, calls 100)")->check(CLI::Range(4, 1'000'000));
  app.add_option("--seed", config.seed, "the run follows from it");
  app.add_option("--minutes", config.minutes, "virtual minutes of looking up")->check(CLI::Range(0.01, 1440.0));
  app.add_option("--loss", config.loss, "share of datagrams lost, 0 to 0.9")->check(CLI::Range(0.0, 0.9));
  app.add_option("--wire", wire, "full: shipped sealing; typed: stand-ins of equal size")->check(CLI::IsMember({"full", "typed"}));
  app.add_option("--malicious", malicious, "percent of supernodes that lie")->check(CLI::Range(0.0, 100.0));
  app.add_option("--session-median", session_median, "minutes a host stays")->check(CLI::Range(0.0, 1e6));
  app.add_flag("--json", json, "one JSON object");
  app.add_flag("--quiet", quiet, "no progress on stderr");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (malicious > 0 || session_median > 0) {
    std::cerr << "--malicious and --session-median are not simulated yet.\n";
    return 2;
  }
  config.wire = wire == "full" ? Wire::full : Wire::typed;
  if (!quiet) {
    config.progress = [](std::string_view phase, double seconds) {
      std::fprintf(stderr, "%s  %.0f virtual s\n", std::string(phase).c_str(), seconds);
    };
  }
  const Report report = config.scenario == "lookup" ? run_lookup(config) : run_calls(config);
  std::cout << (json ? to_json(report) + "\n" : to_text(report)) << std::flush;
  return report.broken.empty() ? 0 : 1;
}
