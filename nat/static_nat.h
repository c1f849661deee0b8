// Whether a NAT in front of us leads an address of its own to ours, port for port (1:1, as at the usual machine of a
// cloud), and with it the port that others are to reach us at. No router is asked: there is none to ask.
//
// Two things count together. A port that never sent anything is reached (relay_proof.h): so it is the NAT that lets
// others in, and nothing that we sent. And our own port is reached at the same address: what is let in may be chosen by
// port.
#pragma once

#include "nat/relay_proof.h"

namespace linnet::nat {

class StaticNat {
 public:
  // `silent`: bound, and sends nothing. `own`: the port that is meant, at the same address.
  StaticNat(Time now, Rng& rng, const Endpoint& silent, const Endpoint& own);

  // What came to the silent port, or to our own. True when it was an answer to us.
  bool handle_silent(Time now, const Endpoint& from, const stun::Message& message);
  bool handle_own(Time now, const Endpoint& from, const stun::Message& message);
  // `supernodes`: that may be asked; by UDP.
  void handle_timeout(Time now, const std::vector<Endpoint>& supernodes);
  Time next_timeout() const;
  // By a third socket at the same address.
  std::optional<Transmit> poll_transmit();
  // Our address may be another one.
  void doubt(Time now);

  const Endpoint& own() const { return own_; }
  // Where others reach our own port, another address than ours. Nothing: nobody is known to.
  std::optional<Endpoint> outside() const;

 private:
  void follow(Time now);

  Endpoint own_;
  RelayProof silent_;
  DialBack dial_;  // to our own port, while the silent one is reached
};

}  // namespace linnet::nat
