#include "sim/outcome.h"

#include "sim/designs.h"

namespace linnet::sim {

void count_answer(Report& report, const crypto::AccountKey& right, const overlay::Found& found, Duration took) {
  bool good = false;
  for (const auto& device : found.devices) {
    if (device.record.account() == right)
      good = true;
    else
      ++report.wrong_keys;
  }
  if (!good) return;
  ++report.lookups_ok;
  report.lookup_ms.push_back(millis(took));
  report.rounds.push_back(static_cast<double>(found.rounds));
}

void report_world(Report& report, const ScenarioConfig& config, const Population& who, const World& world,
                  bool oversize) {
  report.scenario = config.scenario;
  report.seed = config.seed;
  report.wire = config.wire == Wire::full ? "full" : "typed";
  report.design = to_string(config.design);
  report.wire_checked_pct = config.wire == Wire::full ? 100 : 0;
  report.nodes = who.nodes;
  report.supernodes = who.supernodes;
  report.virtual_seconds = static_cast<double>(micros(world.now().time_since_epoch())) * 1e-6;
  report.cpu_seconds = cpu_seconds();
  report.events = world.events();
  report.peak_rss_mb = peak_rss_mb();
  report.trace_hash = world.trace_hash();
  if (oversize) report.broken.push_back("a datagram was over 1,200 bytes");
}

}  // namespace linnet::sim
