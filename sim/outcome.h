// What every scenario reports of its world, and the invariants that hold in each.
#pragma once

#include "overlay/peer_event.h"
#include "sim/report.h"
#include "sim/scenario.h"
#include "sim/world.h"

namespace linnet::sim {

struct Population {
  std::uint32_t nodes = 0;
  std::uint32_t supernodes = 0;  // that serve, the first of them
  std::uint32_t fit = 0;         // hosts with a fast line, which come first; 0: the supernodes
};

// An answer to a lookup: whether it has whom it should, and what it took.
void count_answer(Report& report, const crypto::AccountKey& right, const overlay::Found& found, Duration took);

void report_world(Report& report, const ScenarioConfig& config, const Population& who, const World& world,
                  bool oversize);

}  // namespace linnet::sim
