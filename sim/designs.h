// The designs that are compared (`--design`): who is in the table, and where it is written who can be reached. All run
// what ships, by its configuration.
//
//   supernodes  one node in so many serves the others, which have homes there: what ships
//   everybody   all nodes are in the table, each at the hash of its name; its record lies with itself, so joining is
//               registering (Singh and Schulzrinne 2005, "without REGISTER")
//   register    all nodes are in the table, at the hash of their keys; the node nearest a name holds its record (or so
//               many nearest), which lives briefly and is refreshed by whose it is (there: "with REGISTER")
//   servers     a few nodes serve for good, and nobody else ever does
//
// The first and the last are for nodes behind routers; the two between need that everybody can be asked: a closed
// network.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sim/outcome.h"
#include "sim/population.h"

namespace linnet::sim {

// By its name on the command line.
std::optional<Design> parse_design(std::string_view name);
std::string_view to_string(Design design);

// Of so many nodes one in `one_in`, `least` at the least, is fit to serve; the design says who serves.
Population population_of(const ScenarioConfig& config, std::uint32_t nodes, std::uint32_t one_in, std::uint32_t least);
// Nobody is behind a router, addresses are private, and places follow from keys alone.
bool is_closed(const ScenarioConfig& config);
// They stay while others come and go.
bool servers_stay(const ScenarioConfig& config);
// The share of lookups that must be found: what is asked of the design that ships is asked of no other.
double asked_of(const ScenarioConfig& config, double share);
void shape(const ScenarioConfig& config, overlay::PeerConfig& peer);

// The nodes' names. Of `everybody` names are drawn until each node has one whose hash is its place, but for what makes
// no difference among so many.
std::vector<crypto::Address> names_of(const ScenarioConfig& config, std::uint32_t nodes, Wall now);

}  // namespace linnet::sim
