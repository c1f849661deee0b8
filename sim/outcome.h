// What every scenario reports of its world, and the invariants that hold in each.
#pragma once

#include "sim/report.h"
#include "sim/scenario.h"
#include "sim/world.h"

namespace linnet::sim {

struct Population {
  std::uint32_t nodes = 0;
  std::uint32_t supernodes = 0;
};

void report_world(Report& report, const ScenarioConfig& config, const Population& who, const World& world,
                  bool oversize);

}  // namespace linnet::sim
