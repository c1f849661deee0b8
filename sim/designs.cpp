#include "sim/designs.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "dht/contact.h"

namespace linnet::sim {
namespace {

constexpr std::array<std::pair<std::string_view, Design>, 4> kDesigns{{{"supernodes", Design::supernodes},
                                                                       {"everybody", Design::everybody},
                                                                       {"register", Design::registered},
                                                                       {"servers", Design::servers}}};
constexpr std::uint32_t kNodesForServer = 200;
constexpr std::uint32_t kFewestServers = 4;
constexpr std::uint32_t kNamesForNode = 2048;  // drawn: a stranger is nearer to one in so many names than whose it is
constexpr std::uint32_t kMostNames = 1U << 22;

// Names by the lead of their hashes, each to be had once.
class NamePool {
 public:
  explicit NamePool(std::uint32_t nodes) {
    const auto most = std::min<std::uint64_t>(kMostNames, std::uint64_t{nodes} * kNamesForNode);
    for (std::uint32_t n = 0; n < std::max<std::uint64_t>(most, 2 * std::uint64_t{nodes}); ++n)
      names_.emplace(dht::lead(dht::id_of(crypto::user_key(name_of(n)))), n);
  }

  // By XOR the nearest stands beside where the place would stand.
  std::uint32_t take(const dht::Id& place) {
    const auto lead = dht::lead(place);
    auto best = names_.lower_bound(lead);
    if (best == names_.end()) best = std::prev(best);
    if (best != names_.begin()) {
      const auto before = std::prev(best);
      if ((before->first ^ lead) < (best->first ^ lead)) best = before;
    }
    const auto out = best->second;
    names_.erase(best);
    return out;
  }

 private:
  std::map<std::uint64_t, std::uint32_t> names_;
};

}  // namespace

std::optional<Design> parse_design(std::string_view name) {
  for (const auto& [known, design] : kDesigns) {
    if (known == name) return design;
  }
  return std::nullopt;
}

std::string_view to_string(Design design) {
  return std::find_if(kDesigns.begin(), kDesigns.end(), [&](const auto& d) { return d.second == design; })->first;
}

Population population_of(const ScenarioConfig& config, std::uint32_t nodes, std::uint32_t one_in, std::uint32_t least) {
  const auto fit = std::max(least, share_of_nodes(config, nodes, one_in));
  switch (config.design) {
    case Design::everybody:
    case Design::registered: return {nodes, nodes, fit};
    case Design::servers: return {nodes, std::min(fit, std::max(kFewestServers, nodes / kNodesForServer)), fit};
    case Design::supernodes: break;
  }
  return {nodes, fit, fit};
}

bool is_closed(const ScenarioConfig& config) {
  return config.design == Design::everybody || config.design == Design::registered || !config.prefix_rule;
}

bool servers_stay(const ScenarioConfig& config) { return config.design == Design::servers; }

double asked_of(const ScenarioConfig& config, double share) { return config.design == Design::supernodes ? share : 0; }

void shape(const ScenarioConfig& config, overlay::PeerConfig& peer) {
  if (config.design != Design::everybody && config.design != Design::registered) return;
  const bool registered = config.design == Design::registered;
  peer.replicas = registered ? config.copies : 1;
  peer.salted_replicas = 0;
  if (registered) peer.record_life = 3 * std::chrono::seconds(config.refresh);
}

std::vector<crypto::Address> names_of(const ScenarioConfig& config, std::uint32_t nodes, Wall now) {
  std::vector<crypto::Address> out;
  if (config.design != Design::everybody) {
    for (std::uint32_t i = 0; i < nodes; ++i) out.push_back(name_of(i));
    return out;
  }
  NamePool pool(nodes);
  for (std::uint32_t i = 0; i < nodes; ++i) {
    const auto identity = identity_for(config, i, now);
    out.push_back(name_of(pool.take(dht::position(closed_endpoint(i).ip, identity.device_key()))));
  }
  return out;
}

}  // namespace linnet::sim
