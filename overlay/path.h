// A way to a peer. Frames and voice travel on the same paths (protocol.md section 4).
#pragma once

#include <compare>
#include <cstdint>

#include "base/endpoint.h"

namespace linnet::overlay {

enum class PathKind : std::uint8_t {
  direct,   // endpoint is the peer's own
  forward,  // through a supernode before a circuit stands: endpoint is the supernode's, id a leaf tag, source tag or return token
  circuit,  // through a supernode that joins two authenticated sessions: endpoint is the supernode's, id the circuit's
};

struct Path {
  PathKind kind = PathKind::direct;
  Endpoint endpoint;
  std::uint64_t id = 0;
  // forward only: true at the leaf that answers, false at the source that asks.
  bool answering = false;

  auto operator<=>(const Path&) const = default;
};

}  // namespace linnet::overlay
