// Whether others reach us at an endpoint that a router promised: routers say what they like (protocol.md section 6).
//
// A server that our port never sent to is asked, by another socket, to answer a Binding request not to that socket but
// to the promised port (RESPONSE-PORT, RFC 5780 section 7.5). Nothing but the promise lets that answer in: a filter
// knows the server only at the socket that asked. Its transaction id is known to the server and to us.
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
  static constexpr Duration kNobody = std::chrono::seconds(5);  // until there is a server to ask
  static constexpr Duration kAgain = std::chrono::minutes(10);

  explicit DialBack(Rng& rng) : rng_(rng) {}

  // The endpoints to be known of; for those that were here before the question goes on, or is answered already.
  void set(Time now, const std::vector<Endpoint>& promised);
  bool reached(const Endpoint& promised) const;
  // A datagram of the port under test. True when it was an answer to us.
  bool handle(const Endpoint& from, const stun::Message& message);
  // `servers`: to which the port under test has sent nothing.
  void handle_timeout(Time now, const std::vector<Endpoint>& servers);
  Time next_timeout() const;
  // By a socket of its own, from the address that the promise is for.
  std::optional<Transmit> poll_transmit();

 private:
  struct Check {
    Endpoint promised;
    Time next{};
    unsigned tries = 0;
    bool reached = false;
    std::optional<Endpoint> server;
    stun::TransactionId id{};
  };
  void ask(Time now, Check& check, const std::vector<Endpoint>& servers);

  Rng& rng_;
  std::vector<Check> checks_;
  Fifo<Transmit> out_;
};

}  // namespace linnet::nat
