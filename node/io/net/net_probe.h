// Finds out what the network in front of this machine does, from sockets of its own: nat/probe in each family, and how
// each supernode is reached. A fresh socket, because a filter that our own port has opened long ago tells nothing.
#pragma once

#include <functional>
#include <memory>

#include "base/rng.h"
#include "node/io/net/udp_socket.h"
#include "node/nat_facts.h"

namespace linnet::io {

class NetProbe {
 public:
  static constexpr std::size_t kMaxReach = 8;                     // supernodes asked one by one
  static constexpr Duration kTcpLimit = std::chrono::seconds(3);  // a connection that takes longer is none

  struct Ears {
    std::function<void(const std::string&)> step;  // what was found so far, in words
    std::function<void(node::Probed)> done;        // may destroy the probe
  };

  // `servers`: supernodes, best first. `tcp`: their TCP ports too, and `https`.
  NetProbe(Loop& loop, Rng& rng, const std::vector<Endpoint>& servers, bool tcp, Ears ears, std::uint16_t https = 443);
  ~NetProbe();
  void start();

 private:
  struct Family;
  struct Knock;

  void begin_family(bool v4, const std::vector<Endpoint>& servers);
  void begin_reach();
  void knock(std::size_t of, bool at443);
  void knock_tls(std::size_t of);
  void look_at_tls(Knock& knock);
  void tick();
  void moved(Family& family);
  void on_udp(Time now, Family& family, const Datagram& d);
  void settle();

  Loop& loop_;
  Rng& rng_;
  std::vector<Endpoint> servers_;
  bool tcp_;
  Ears ears_;
  std::uint16_t https_;
  Time began_{};
  node::Probed found_;
  std::vector<std::unique_ptr<Family>> families_;
  std::vector<std::unique_ptr<Knock>> knocks_;
  std::unique_ptr<Loop::Alarm> alarm_;
  bool over_ = false;
};

}  // namespace linnet::io
