// Whether others reach us at an endpoint that a router promised: routers say what they like (protocol.md section 6).
//
// A server is asked, by another socket, to answer a Binding request not to that socket but to the promised port
// (RESPONSE-PORT, RFC 5780 section 7.5). Nothing but the promise lets that answer in: a NAT that our port has opened
// toward that server has opened another one, and the answer says by XOR-MAPPED-ADDRESS on which address it came in. Its
// transaction id is known to the server and to us. Where it is not known at which port the server sees the port under
// test, a Binding request from that port tells first.
//
// A promised TCP port is proven by a connection: a supernode that we have a session with is told the transaction id and
// the port, and brings the same answer on a stream (overlay/dial_desk.h).
//
// What was proven is asked about again now and then; two goes in a row without an answer, and it is so no longer.
#pragma once

#include <vector>

#include "base/fifo.h"
#include "base/machine.h"
#include "base/rng.h"
#include "nat/stun_message.h"

namespace linnet::nat {

// What is known of a promise.
enum class Proof : std::uint8_t {
  asking,      // servers are being asked
  reached,     // one came in
  nobody,      // there is no server that could be asked
  seen_there,  // all that were asked see the port under test at the promised port anyway: that proves nothing
  none_came,   // none came in
};

class DialBack {
 public:
  static constexpr std::size_t kMost = 8;
  static constexpr Duration kSpacing = std::chrono::milliseconds(700);
  static constexpr Duration kStreamSpacing = std::chrono::seconds(5);  // of TCP
  static constexpr unsigned kServers = 3;                              // in one go
  static constexpr unsigned kTries = 3;                                // at each of them; of TCP one
  static constexpr Duration kNobody = std::chrono::seconds(1);  // until there is a server to ask
  static constexpr Duration kAgain = std::chrono::minutes(10);
  static constexpr Duration kProvenAgain = std::chrono::minutes(5);
  static constexpr Duration kDoubted = std::chrono::seconds(65);  // a second go; a supernode dials once a minute

  struct Server {
    Endpoint at;
    // Of the port under test; 0: that has never sent there. Nothing: not known.
    std::optional<std::uint16_t> sees_port = 0;
  };
  // From the port under test itself.
  struct FromPort {
    Endpoint promised;
    Transmit transmit;
  };
  // To be said to that server: dial this TCP port of ours, and bring the id.
  struct Ask {
    Endpoint server;
    stun::TransactionId id{};
    std::uint16_t port = 0;
  };

  explicit DialBack(Rng& rng) : rng_(rng) {}

  // The endpoints to be known of; for those that were here before the question goes on, or is answered already.
  void set(Time now, const std::vector<Endpoint>& promised);
  // Our address may be another one: what was proven is asked about at once.
  void doubt(Time now);
  // Where it leads to us indeed: the promised port of the address that the server saw. A router may be wrong about
  // that.
  std::optional<Endpoint> reached(const Endpoint& promised) const;
  Proof proof(const Endpoint& promised) const;
  // A datagram of the port under test, or a packet that came by a stream somebody else opened. True when it was an
  // answer to us.
  bool handle(Time now, const Endpoint& from, const stun::Message& message);
  // A server that sees the port under test at the promised port proves nothing about it, and is not asked.
  void handle_timeout(Time now, const std::vector<Server>& servers);
  Time next_timeout() const;
  // By a socket of its own, from the address that the promise is for.
  std::optional<Transmit> poll_transmit();
  std::optional<FromPort> poll_from_port();
  std::optional<Ask> poll_ask();

 private:
  struct Check {
    Endpoint promised;
    Time next{};
    unsigned turn = 0;    // servers in this go
    unsigned left = 0;    // tries at the present one
    unsigned failed = 0;  // goes in a row, of what was proven
    Proof proof = Proof::asking;
    std::optional<Endpoint> reached;
    std::optional<Endpoint> server;
    std::optional<std::uint16_t> sees_port;  // of that server
    std::vector<Endpoint> asked;             // in this go
    bool useful = false;                     // one of them could prove it
    bool seen_there = false;                 // one of them could not
    stun::TransactionId id{};
    stun::TransactionId look_id{};  // of the request from the port under test

    bool stream() const { return promised.transport != Transport::udp; }
  };
  void ask(Time now, Check& check, const std::vector<Server>& servers);
  bool choose(Time now, Check& check, const std::vector<Server>& servers);
  void send(Check& check);
  void end_go(Time now, Check& check);
  static void begin_anew(Check& check);
  bool on_seen(Time now, Check& check, const stun::Message& message);

  Rng& rng_;
  std::vector<Check> checks_;
  Fifo<Transmit> out_;
  Fifo<FromPort> from_port_;
  Fifo<Ask> asks_;
};

}  // namespace linnet::nat
