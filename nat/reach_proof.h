// Whether anybody comes in by our own port, by datagrams and by streams, and where: what a supernode must be
// (protocol.md, section 3). The address may be our own, or that of a NAT which leads it to ours port for port (1:1).
// Nobody's word is taken for it who could come in only because we have talked to him.
//
// Datagrams, either of two:
// - A port of ours that never sent anything is reached (relay_proof.h), and our own one at the same address.
// - Our own port is reached at our own address by a supernode that this port has never sent to: so a firewall that is
//   open for this port alone is told from one that is open for who was called.
// Streams: a supernode that we have a session with dials (overlay/dial_desk.h), from a port that we never called.
#pragma once

#include "nat/relay_proof.h"

namespace linnet::nat {

class ReachProof {
 public:
  // Of supernodes, by UDP. `strangers`: where our own port has never sent anything.
  struct Servers {
    std::vector<Endpoint> known, strangers;
  };

  // `silent`: bound, and sends nothing. `own`: the port that is meant, at the same address.
  ReachProof(Time now, Rng& rng, const Endpoint& silent, const Endpoint& own);

  // What came to the silent port, to our own, or by a stream that somebody opened to us. True: an answer to us.
  bool handle_silent(Time now, const Endpoint& from, const stun::Message& message);
  bool handle_own(Time now, const Endpoint& from, const stun::Message& message);
  // We listen for streams at our own port now, or do not.
  void set_listening(Time now, bool listening);
  void handle_timeout(Time now, const Servers& servers);
  Time next_timeout() const;
  // By a third socket at the same address.
  std::optional<Transmit> poll_transmit();
  // To be said to that supernode (overlay::control::DialAsk).
  std::optional<DialBack::Ask> poll_ask() { return streams_.poll_ask(); }
  // Our address may be another one.
  void doubt(Time now);
  // What was lost is asked about anew, at once.
  void again(Time now);

  const Endpoint& own() const { return own_; }
  // Where datagrams of anybody reach our own port. Nothing: nobody's are known to.
  std::optional<Endpoint> datagrams() const;
  // Streams do.
  bool streams() const;
  // What is known of our own port.
  Proof datagrams_proof() const;
  Proof streams_proof() const { return streams_.proof(stream_port()); }
  // Supernodes were asked to come in, by datagrams or else by streams, and did not.
  bool refuted() const;

 private:
  void follow(Time now);
  Endpoint stream_port() const { return {own_.ip, own_.port, Transport::tcp}; }

  Endpoint own_;
  RelayProof silent_;
  DialBack beside_;   // to our own port, while the silent one is reached
  DialBack strange_;  // to our own port, by strangers
  DialBack streams_;
  bool listening_ = false;
};

}  // namespace linnet::nat
