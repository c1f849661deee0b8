// Scenarios: a world, what happens in it, and what must hold.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sim/report.h"

namespace linnet::sim {

enum class Wire : std::uint8_t { full, typed };  // shipped sealing and signing, or stand-ins of equal sizes

struct ScenarioConfig {
  std::string scenario;
  std::uint32_t nodes = 0;  // 0: the scenario's own default
  std::uint64_t seed = 1;
  Wire wire = Wire::typed;
  double minutes = 1;          // of the measured part
  std::optional<double> loss;  // share of datagrams
  std::function<void(std::string_view phase, double virtual_seconds)> progress;
};

// `lookup`: overlay peers join, publish and look one another up. Default 10,000 peers, one in forty a supernode.
Report run_lookup(const ScenarioConfig& config);
// `calls`: whole nodes behind NATs call one another and talk, 5 % of datagrams lost. Default 100 nodes.
Report run_calls(const ScenarioConfig& config);
// `faults`: a small overlay through loss, duplicates, flipped bits, a partition, deaths, router restarts and clock
// jumps, all drawn from the seed; afterwards it must be whole again. Default 24 peers.
Report run_faults(const ScenarioConfig& config);

}  // namespace linnet::sim
