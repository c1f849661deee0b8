// Token buckets of what is relayed, in bytes. The burst is 0.4 s worth, so that over ten seconds a rate holds within
// five percent.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/time.h"

namespace linnet::overlay {

class Meter {
 public:
  void begin(Time now, double bytes_per_second) {
    tokens_ = burst(bytes_per_second);
    filled_ = now;
  }
  bool has(Time now, double bytes_per_second, std::size_t bytes) {
    const double elapsed = static_cast<double>(micros(now - filled_)) / 1e6;
    tokens_ = std::min(burst(bytes_per_second), tokens_ + elapsed * bytes_per_second);
    filled_ = now;
    return tokens_ >= static_cast<double>(bytes);
  }
  void take(std::size_t bytes) { tokens_ -= static_cast<double>(bytes); }

 private:
  static double burst(double bytes_per_second) { return bytes_per_second * 2 / 5; }

  double tokens_ = 0;
  Time filled_{};
};

// Of several circuits.
struct SharedMeter {
  Meter meter;
  std::size_t users = 0;
};

}  // namespace linnet::overlay
