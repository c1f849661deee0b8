// Where a supernode behind a 1:1 NAT is to be found: the sockets of nat/static_nat.h.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "nat/static_nat.h"
#include "node/io/loop.h"
#include "node/io/net/udp_socket.h"
#include "node/nat_facts.h"

namespace linnet::io {

class OuterPlace {
 public:
  struct Ears {
    std::function<std::vector<Endpoint>()> supernodes;  // that may be asked
    std::function<void()> changed;
  };

  OuterPlace(Loop& loop, Rng& rng, Ears ears);
  ~OuterPlace();

  // Where our own socket is reached, by anybody or on our network alone. Asked about: a private address of IPv4, where
  // there is no global one.
  void set(const std::vector<Endpoint>& reachable);
  // A datagram of the node's own port. True: it was an answer to us.
  bool take(const Datagram& datagram);
  // Others may see us elsewhere than before.
  void doubt();
  // As one that a router opened. Nothing: nobody is known to come in.
  std::optional<node::OpenPort> open() const;

 private:
  struct Sockets;

  void begin(const Endpoint& own);
  void heard(const Datagram& datagram);
  void tick();
  void look();

  Loop& loop_;
  Rng& rng_;
  Ears ears_;
  std::unique_ptr<Sockets> at_;  // null: nothing to be asked about
  std::optional<Endpoint> told_;
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
