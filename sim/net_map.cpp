#include "sim/net_map.h"

#include <cmath>

namespace linnet::sim {

double NetMap::lognormal(double median, double sigma) {
  // Box-Muller; 1 - unit() keeps the logarithm finite.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - rng_.unit()));
  return median * std::exp(sigma * radius * std::cos(6.283185307179586 * rng_.unit()));
}

void NetMap::add_host(bool supernode) {
  Place p;
  p.x = static_cast<float>(rng_.unit());
  p.y = static_cast<float>(rng_.unit());
  const double ms = supernode ? lognormal(config_.supernode_last_mile_ms, config_.supernode_sigma)
                              : lognormal(config_.leaf_last_mile_ms, config_.leaf_sigma);
  p.last_mile_us = static_cast<float>(ms * 1000.0);
  places_.push_back(p);
}

double NetMap::base(HostId from, HostId to) const {
  const Place& a = places_[static_cast<std::size_t>(from)];
  const Place& b = places_[static_cast<std::size_t>(to)];
  const double core = std::hypot(a.x - b.x, a.y - b.y) * static_cast<double>(config_.core_per_unit.count());
  return core + a.last_mile_us + b.last_mile_us;
}

std::optional<Duration> NetMap::cross(HostId from, HostId to) {
  // The same draws are made for a lost datagram, so loss changes nothing else in the world.
  const double lost = rng_.unit();
  const double jitter = -std::log(1.0 - rng_.unit()) * config_.jitter;
  if (lost < config_.loss) return std::nullopt;
  return Duration(static_cast<std::int64_t>(base(from, to) * (1.0 + jitter)));
}

}  // namespace linnet::sim
