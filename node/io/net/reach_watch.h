// Whether anybody comes in by our own port, and where: the sockets of nat/reach_proof.h. A supernode behind a 1:1 NAT
// is found at what comes of it; a leaf that may become one is fit or not.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "nat/reach_proof.h"
#include "node/io/loop.h"
#include "node/io/net/udp_socket.h"
#include "node/nat_facts.h"

namespace linnet::io {

class ReachWatch {
 public:
  // What is looked for: a NAT that leads an address of its own to our private one, or any way in.
  enum class Look : std::uint8_t { outer, any };
  struct Ears {
    std::function<nat::ReachProof::Servers()> servers;    // that may be asked
    std::function<void(const nat::DialBack::Ask&)> dial;  // says to that supernode: dial us
    std::function<bool(const Endpoint&)> listen;          // for streams at our own port; under Look::any
    std::function<void()> changed;
  };

  ReachWatch(Loop& loop, Rng& rng, Look look, Ears ears);
  ~ReachWatch();

  // Where our own socket is reached, by anybody or on our network alone. Asked about: a global address, IPv4 before
  // IPv6, else a private one of IPv4; for an outer address that one alone, where there is no global one.
  void set(const std::vector<Endpoint>& reachable);
  // A datagram of the node's own port, or a packet of a stream that somebody else opened. True: an answer to us.
  bool take(const Datagram& datagram);
  // Others may see us elsewhere than before.
  void doubt();
  // What was lost is asked about anew, at once.
  void again();
  // An outer address, as one that a router opened. Nothing: nobody is known to come in there.
  std::optional<node::OpenPort> open() const;
  // Where anybody's datagrams come in, and whether streams do.
  const std::optional<Endpoint>& datagrams() const { return told_.datagrams; }
  bool streams() const { return told_.streams; }
  // Supernodes tried, and did not come in.
  bool refuted() const { return told_.refuted; }

 private:
  struct Sockets;
  struct Told {
    std::optional<Endpoint> datagrams;
    bool streams = false;
    bool refuted = false;

    bool operator==(const Told&) const = default;
  };

  std::optional<Endpoint> asked_about(const std::vector<Endpoint>& reachable) const;
  void begin(const Endpoint& own);
  void heard(const Datagram& datagram);
  void listen();
  void tick();
  void look();

  Loop& loop_;
  Rng& rng_;
  Look wanted_;
  Ears ears_;
  std::unique_ptr<Sockets> at_;  // null: nothing to be asked about
  Told told_;
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
