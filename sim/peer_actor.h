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
            const crypto::Identity& identity, overlay::HostCache cache = {})
      : rng_(seed),
        identity_(std::make_unique<crypto::Identity>(identity)),
        sequence_below_(config.first_sequence),
        peer_(std::move(config), suite, rng_, *identity_, std::move(cache)) {}

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
  // What a driver has stored: sequences below may have been used.
  std::uint64_t sequence_below() const { return sequence_below_; }
  std::vector<Answer> take_answers() { return std::move(answers_); }

 private:
  SeededRng rng_;
  std::unique_ptr<crypto::Identity> identity_;  // apart, so that what every event reads lies together
  std::uint64_t sequence_below_;
  overlay::Peer peer_;
  std::optional<Time> online_at_;
  std::vector<Answer> answers_;
};

}  // namespace linnet::sim
