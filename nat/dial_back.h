// Whether others reach us at an endpoint that a router promised: routers say what they like (protocol.md section 6).
//
// A server is asked, by another socket, to answer a Binding request not to that socket but to the promised port
// (RESPONSE-PORT, RFC 5780 section 7.5). Nothing but the promise lets that answer in: a NAT that our port has opened
// toward that server has opened another one, and the answer says by XOR-MAPPED-ADDRESS on which address it came in. Its
// transaction id is known to the server and to us.
#pragma once

#include <vector>

#include "base/fifo.h"
#include "base/machine.h"
#include "base/rng.h"
#include "nat/stun_message.h"

namespace linnet::nat {

class DialBack {
 public:
  static constexpr std::size_t kMost = 8;
  static constexpr Duration kSpacing = std::chrono::milliseconds(700);
  static constexpr unsigned kTries = 9;                         // in one go, three at each server
  static constexpr Duration kNobody = std::chrono::seconds(1);  // until there is a server to ask
  static constexpr Duration kAgain = std::chrono::minutes(10);

  struct Server {
    Endpoint at;
    std::uint16_t sees_port = 0;  // of the port under test; 0: that has never sent there
  };

  explicit DialBack(Rng& rng) : rng_(rng) {}

  // The endpoints to be known of; for those that were here before the question goes on, or is answered already.
  void set(Time now, const std::vector<Endpoint>& promised);
  // Where it leads to us indeed: the promised port of the address that the server saw. A router may be wrong about
  // that.
  std::optional<Endpoint> reached(const Endpoint& promised) const;
  // A datagram of the port under test. True when it was an answer to us.
  bool handle(const Endpoint& from, const stun::Message& message);
  // A server that sees the port under test at the promised port proves nothing about it, and is not asked.
  void handle_timeout(Time now, const std::vector<Server>& servers);
  Time next_timeout() const;
  // By a socket of its own, from the address that the promise is for.
  std::optional<Transmit> poll_transmit();

 private:
  struct Check {
    Endpoint promised;
    Time next{};
    unsigned tries = 0;
    std::optional<Endpoint> reached;
    std::optional<Endpoint> server;
    stun::TransactionId id{};
  };
  void ask(Time now, Check& check, const std::vector<Server>& servers);

  Rng& rng_;
  std::vector<Check> checks_;
  Fifo<Transmit> out_;
};

}  // namespace linnet::nat
