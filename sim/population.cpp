#include "sim/population.h"

#include <algorithm>
#include <cmath>

namespace linnet::sim {

const crypto::Suite& suite_of(Wire wire) {
  return wire == Wire::full ? crypto::shipped_suite() : crypto::typed_suite();
}

std::uint64_t seed_for(std::uint64_t seed, std::uint32_t index) {
  return SeededRng(seed * 0x9e3779b97f4a7c15U + index).u64();
}

crypto::Address name_of(std::uint32_t index) {
  return *crypto::Address::parse("p" + std::to_string(index) + "@sim.example");
}

crypto::Identity identity_for(const ScenarioConfig& config, std::uint32_t index, Wall now) {
  SeededRng rng(seed_for(config.seed ^ 0x6b6579U, index));
  return crypto::make_identity(suite_of(config.wire), rng, name_of(index), now);
}

std::uint32_t share_of_nodes(const ScenarioConfig& config, std::uint32_t nodes, std::uint32_t one_in) {
  if (!config.supernodes) return nodes / one_in;
  return std::min(nodes - 1, static_cast<std::uint32_t>(std::lround(*config.supernodes / 100 * nodes)));
}

Endpoint public_endpoint(std::uint32_t index) {
  // An odd multiplier visits every /24 of 32.0.0.0/3 once before it repeats; 32..63 holds no special range.
  const std::uint32_t block = (index * 0x9e3779b1U) & 0x1fffffU;
  return {IpAddress::v4((32U << 24) + (block << 8) + 1 + index % 200), 4400, Transport::udp};
}

Endpoint closed_endpoint(std::uint32_t index) {
  return {IpAddress::v4((172U << 24) + (16U << 16) + 1 + index), 4400, Transport::udp};
}

Endpoint private_endpoint(std::uint32_t index) {
  return {IpAddress::v4((10U << 24) + (index & 0xffffffU)), 4400, Transport::udp};
}

std::vector<Endpoint> bootstrap_for(std::uint64_t seed, std::uint32_t index, std::uint32_t supernodes,
                                    Endpoint (*where)(std::uint32_t index)) {
  SeededRng rng(seed_for(seed ^ 0x626f6f74U, index));
  // A host can only know those that were there before it.
  const std::uint32_t known = std::min(index, supernodes);
  std::vector<Endpoint> out;
  for (int i = 0; i < 3 && known > 0; ++i) {
    const auto endpoint = where(static_cast<std::uint32_t>(rng.below(known)));
    if (std::find(out.begin(), out.end(), endpoint) == out.end()) out.push_back(endpoint);
  }
  return out;
}

}  // namespace linnet::sim
