// What asks supernodes to knock at ports of ours, and how they answer: from where a NAT shows us, or from where one
// lies that it does.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/rng.h"
#include "nat/binding_server.h"

namespace linnet::nat {

struct KnockedOn {
  Time now{std::chrono::hours(1)};
  SeededRng rng{3};
  std::vector<Endpoint> supernodes;
  std::map<IpAddress, IpAddress> lies;      // of a supernode: where it says it sees us
  std::map<IpAddress, IpAddress> siblings;  // of a supernode in our own network: our address, as it is
  IpAddress outside;

  // Until nothing more is due within so long. Answers come at once.
  template <class Proof, class Answer>
  void ask(Proof& proof, Duration wait, Answer answer) {
    const auto until = now + wait;
    while (proof.next_timeout() <= until) {
      now = std::max(now, proof.next_timeout());
      proof.handle_timeout(now, supernodes);
      while (const auto asked = proof.poll_transmit()) answer(*asked);
    }
    now = until;
  }
  Endpoint seen_by(const Endpoint& supernode) const {
    if (const auto near = siblings.find(supernode.ip); near != siblings.end()) return {near->second, 61'000};
    const auto liar = lies.find(supernode.ip);
    return {liar == lies.end() ? outside : liar->second, 61'000};
  }
  // Where the answer goes, and what it says.
  Transmit answer_of(const Transmit& asked) const {
    const auto request = stun::Message::parse(asked.bytes);
    auto said =
        request ? BindingServer(BindingServerConfig{}).answer(asked.to, seen_by(asked.to), *request) : std::nullopt;
    EXPECT_TRUE(said);
    return said ? Transmit{said->to, std::move(said->bytes)} : Transmit{};
  }
};

}  // namespace linnet::nat
