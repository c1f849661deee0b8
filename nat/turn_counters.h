// What a TURN server did, for who looks at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/endpoint.h"
#include "nat/dial_back.h"

namespace linnet::nat::turn {

struct Counters {
  std::uint64_t to_peers = 0, to_clients = 0, dropped = 0;  // packets
  std::uint64_t bytes = 0;                                  // of what peers and clients sent
  std::uint64_t refused_peers = 0, unauthenticated = 0, limited = 0, refused_allocations = 0;
  std::uint64_t over_month = 0;  // of the dropped
};

// An address at which relayed ports are bound.
struct RelayedAt {
  IpAddress bound;
  std::optional<IpAddress> outside;  // where others come in by them; nothing: not known that they do
  Proof proof{};

  bool operator==(const RelayedAt&) const = default;
};

struct Status {
  std::size_t allocations = 0, streams = 0, users = 0;
  bool short_lived = false;      // there is a secret
  std::vector<Endpoint> served;  // where clients come to, by which transport
  std::vector<RelayedAt> relayed;
  Counters counters;
};

}  // namespace linnet::nat::turn
