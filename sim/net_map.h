// Where hosts are and how long a packet takes: places on a plane, a last mile at each end, jitter, loss in bursts.
// A model, not a measurement; docs/measurements.md says which figures rest on it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "base/time.h"

namespace linnet::sim {

enum class HostId : std::uint32_t {};

struct LinkConfig {
  Duration core_per_unit = std::chrono::milliseconds(90);  // one way across the whole plane
  double leaf_last_mile_ms = 8;                            // median, lognormal
  double leaf_sigma = 0.8;
  double supernode_last_mile_ms = 2;
  double supernode_sigma = 0.5;
  double jitter = 0.05;  // mean of an exponential, as a share of the base delay
  double loss = 0.001;   // of datagrams, independent
};

class NetMap {
 public:
  NetMap(LinkConfig config, std::uint64_t seed) : config_(config), rng_(seed) {}

  void add_host(bool supernode);
  // One way, in microseconds, before jitter.
  double base(HostId from, HostId to) const;
  // One-way delay of this datagram, or nothing when it is lost.
  std::optional<Duration> cross(HostId from, HostId to);
  void set_loss(double loss) { config_.loss = loss; }

 private:
  struct Place {
    float x = 0;
    float y = 0;
    float last_mile_us = 0;
  };
  double lognormal(double median, double sigma);

  LinkConfig config_;
  SeededRng rng_;
  std::vector<Place> places_;
};

}  // namespace linnet::sim
