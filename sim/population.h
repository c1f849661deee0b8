// Who lives in a simulated world: addresses, names and keys, all from the seed.
#pragma once

#include "crypto/identity.h"
#include "overlay/peer.h"
#include "sim/scenario.h"
#include "sim/world.h"

namespace linnet::sim {

const crypto::Suite& suite_of(Wire wire);
// A seed of its own for host `index`, whatever the other hosts draw.
std::uint64_t seed_for(std::uint64_t seed, std::uint32_t index);
crypto::Identity identity_for(const ScenarioConfig& config, std::uint32_t index, Wall now);
crypto::Address name_of(std::uint32_t index);

// How many of the nodes are supernodes: what the configuration says, else one in so many.
std::uint32_t share_of_nodes(const ScenarioConfig& config, std::uint32_t nodes, std::uint32_t one_in);

// A global address of its own, spread over prefixes, port 4400.
Endpoint public_endpoint(std::uint32_t index);
// The same of a private network, where places follow from keys alone.
Endpoint closed_endpoint(std::uint32_t index);
// What a host behind a NAT binds.
Endpoint private_endpoint(std::uint32_t index);

// Three of the first `supernodes` hosts.
std::vector<Endpoint> bootstrap_for(std::uint64_t seed, std::uint32_t index, std::uint32_t supernodes,
                                    Endpoint (*where)(std::uint32_t index) = public_endpoint);

}  // namespace linnet::sim
