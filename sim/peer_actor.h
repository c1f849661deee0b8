// An overlay::Peer on a simulated host.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "overlay/peer.h"
#include "sim/actor.h"

namespace linnet::sim {

class PeerActor final : public Actor {
 public:
  struct Answer {
    overlay::Found found;
    Time at;
  };

  PeerActor(overlay::PeerConfig config, const crypto::Suite& suite, std::uint64_t seed,
            const crypto::Identity& identity)
      : rng_(seed),
        identity_(std::make_unique<crypto::Identity>(identity)),
        peer_(std::move(config), suite, rng_, *identity_, overlay::HostCache()) {}

  void handle_datagram(Time now, const Datagram& d) override { peer_.handle_datagram(now, d); }
  void handle_timeout(Time now) override { peer_.handle_timeout(now); }
  void handle_wall(Time now, Wall wall) override { peer_.handle_wall(now, wall); }
  Time next_timeout() const override { return peer_.next_timeout(); }
  std::optional<Transmit> poll_transmit() override { return peer_.poll_transmit(); }
  void settle(Time now) override;

  overlay::Peer& peer() { return peer_; }
  const overlay::Peer& peer() const { return peer_; }
  const crypto::Identity& identity() const { return *identity_; }
  std::optional<Time> online_at() const { return online_at_; }
  std::vector<Answer> take_answers() { return std::move(answers_); }

 private:
  SeededRng rng_;
  std::unique_ptr<crypto::Identity> identity_;  // apart, so that what every event reads lies together
  overlay::Peer peer_;
  std::optional<Time> online_at_;
  std::vector<Answer> answers_;
};

}  // namespace linnet::sim
