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
  double session_median = 10;  // minutes that a peer of `churn` stays
  double malicious = 20;       // percent of the supernodes of `malicious`
  std::function<void(std::string_view phase, double virtual_seconds)> progress;
};

// `lookup`: overlay peers join, publish and look one another up. Default 10,000 peers, one in forty a supernode.
Report run_lookup(const ScenarioConfig& config);
// `calls`: whole nodes behind NATs call one another and talk, 5 % of datagrams lost. Default 100 nodes.
Report run_calls(const ScenarioConfig& config);
// `faults`: a small overlay through loss, duplicates, flipped bits, a partition, deaths, router restarts and clock
// jumps, all drawn from the seed; afterwards it must be whole again. Default 24 peers.
Report run_faults(const ScenarioConfig& config);

// `churn`: peers come and go, by Weibull's law with a median of `session_median`, half of them without a word, and look
// one another up meanwhile. Default 1,000 peers, one in twenty a supernode; so in the next four.
Report run_churn(const ScenarioConfig& config);
// `massacre`: half of the supernodes die at one instant; lookups from 60 s later.
Report run_massacre(const ScenarioConfig& config);
// `partition`: half of all hosts are cut off from the other half for ten minutes; lookups from 60 s after it heals.
Report run_partition(const ScenarioConfig& config);
// `joinstorm`: all leaves come within one second, and ask for one another as soon as they are online.
Report run_joinstorm(const ScenarioConfig& config);

// `malicious`: so many supernodes lie (hostile.h); honest peers look one another up.
Report run_malicious(const ScenarioConfig& config);

}  // namespace linnet::sim
