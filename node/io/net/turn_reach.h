// Finds out whether others come in by the relayed ports of a TURN server, and where: sockets for nat/relay_proof.h, one
// pair for each address that relayed ports are opened at.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "nat/relay_proof.h"
#include "nat/turn_counters.h"
#include "node/io/loop.h"
#include "node/io/net/udp_socket.h"

namespace linnet::io {

class TurnReach {
 public:
  static constexpr std::size_t kMost = 8;  // addresses

  struct Ears {
    std::function<std::vector<Endpoint>()> supernodes;  // that may be asked
    std::function<void()> changed;
  };

  TurnReach(Loop& loop, Rng& rng, Ears ears);
  ~TurnReach();

  // Where relayed ports are bound.
  void set(const std::vector<IpAddress>& bound);
  // Others may see us elsewhere than before.
  void doubt();
  // Where others reach what is bound there, the same or the one that a NAT maps to it. Nothing: not known.
  std::optional<IpAddress> outside(const IpAddress& bound) const;
  std::vector<nat::turn::RelayedAt> status() const;

 private:
  struct Place;

  std::unique_ptr<Place> open(const IpAddress& at);
  void heard(Place& place, const Datagram& datagram);
  void tick();
  void arm();

  Loop& loop_;
  Rng& rng_;
  Ears ears_;
  std::vector<std::unique_ptr<Place>> places_;
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
