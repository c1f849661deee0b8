#include "node/io/spare_cores.h"

#include <algorithm>

namespace linnet::io {
namespace {

constexpr double kIdleBeside = 0.3;  // of a core: more than the scheduler leaves by mistake

}  // namespace

SpareCores::SpareCores(double seen, double most, std::optional<double> before)
    : most_(std::min(1.0, most)), seen_(seen), believed_(std::max(seen, before.value_or(seen))) {}

std::optional<Duration> SpareCores::next() const {
  const bool quiet = seen_ >= kQuiet * most_;
  return quiet || length_ > kLongest ? std::nullopt : std::optional(length_);
}

void SpareCores::look(double seen) {
  looked_ += length_;
  length_ *= 2;
  seen_ = std::max(seen_, seen);
  believed_ = looked_ >= kSure ? seen_ : std::max(believed_, seen_);
}

double left_by_quota(double given, double spare_meanwhile) {
  return spare_meanwhile > given + kIdleBeside ? given : 1.0;
}

}  // namespace linnet::io
