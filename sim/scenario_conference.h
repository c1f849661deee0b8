// The two halves of `linnet-sim conference`.
#pragma once

#include "sim/scenario.h"

namespace linnet::sim {

// So many rooms one after another, each from a seed of its own: `seed`, `seed` + 1, ...
Report run_elections(const ScenarioConfig& config);
// One room whose members mix for one another in sections, and one who speaks.
Report run_cascade(const ScenarioConfig& config);

}  // namespace linnet::sim
