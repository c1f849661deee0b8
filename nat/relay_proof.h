// Whether others reach the relayed ports at one address of ours, and where they do: behind a NAT that keeps ports (1:1)
// that is another address, and the one that clients have to be told (protocol.md, section 6).
//
// A supernode is asked to answer to a relayed port that has never sent anything (dial_back.h). It says where the asker
// is seen, and could name a stranger for others to knock at: another address than the bound one counts once two of
// different owners have said the same, or the only one that is known. Supernodes at global addresses are asked where
// any is known.
#pragma once

#include "nat/dial_back.h"

namespace linnet::nat {

// Those at global addresses where there is one: a supernode in our own network sees us as we are, whatever a NAT shows
// the world.
std::vector<Endpoint> beyond_nat(std::vector<Endpoint> supernodes);

class RelayProof {
 public:
  // `port`: bound, of the range that relayed ports are of.
  RelayProof(Time now, Rng& rng, const Endpoint& port);

  // What came to the port. True when it was an answer to us.
  bool handle(Time now, const Endpoint& from, const stun::Message& message);
  // `supernodes`: that may be asked; by UDP.
  void handle_timeout(Time now, const std::vector<Endpoint>& supernodes);
  Time next_timeout() const { return dial_.next_timeout(); }
  // By another socket at the same address.
  std::optional<Transmit> poll_transmit() { return dial_.poll_transmit(); }
  // Our address may be another one.
  void doubt(Time now) { dial_.doubt(now); }
  // Asked about anew, at once.
  void again(Time now) {
    dial_.set(now, {});
    dial_.set(now, {port_});
  }

  const Endpoint& port() const { return port_; }
  // Nothing: nobody is known to come in.
  const std::optional<IpAddress>& outside() const { return outside_; }
  Proof proof() const { return outside_ ? Proof::reached : dial_.proof(port_); }

 private:
  struct Claim {
    IpAddress seen;
    IpAddress by;
  };
  std::vector<Endpoint> others(const IpAddress& than, const std::vector<Endpoint>& among) const;

  Endpoint port_;
  DialBack dial_;
  std::vector<Endpoint> known_;  // supernodes that may be asked, when one was
  std::optional<Claim> claim_;
  std::optional<IpAddress> outside_;
};

}  // namespace linnet::nat
