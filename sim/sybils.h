// Where somebody who is to be hidden is surrounded: supernodes of one attacker at the places nearest one key.
#pragma once

#include <vector>

#include "base/endpoint.h"
#include "base/rng.h"
#include "crypto/identity.h"
#include "dht/id.h"
#include "sim/outcome.h"

namespace linnet::sim {

struct Placed {
  Endpoint endpoint;
  crypto::Identity identity;
};

// In turn around each of the targets, and there in turn at each of `config.prefixes` /24 that chance gave the attacker:
// a /24 is one place, so he spreads what he has over them. With `config.prefix_choice` more than those he takes, of so
// many /24 that he could have, those whose places are nearest to a target.
std::vector<Placed> sybils_in_prefixes(const ScenarioConfig& config, const std::vector<dht::Id>& targets,
                                       std::size_t count, Wall now);
// Without that rule (private addresses) places follow from keys alone: he draws keys until he has `count` that stand so
// near that among `who` one supernode in four has so near a neighbour.
std::vector<Placed> sybils_anywhere(const ScenarioConfig& config, const std::vector<dht::Id>& targets,
                                    std::size_t count, const Population& who, Wall now);

}  // namespace linnet::sim
