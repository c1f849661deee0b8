// What Peer hands to its rooms with every call: the time, the shared parts, and nothing of itself.
#pragma once

#include "overlay/peer.h"

namespace linnet::overlay {

struct Context {
  Time now{};
  Wall wall{};
  const PeerConfig& config;
  const crypto::Suite& suite;
  Rng& rng;
  const crypto::Identity& identity;
  Sessions& sessions;

  // A duration between half and one and a half of `d`, so that nodes do not act in step.
  Duration jittered(Duration d) const {
    return d / 2 + Duration(static_cast<std::int64_t>(rng.unit() * static_cast<double>(d.count())));
  }
};

}  // namespace linnet::overlay
