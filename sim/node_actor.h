// A whole node::Node on a simulated host, with sound: what it hears is compared with what was said.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "node/node.h"
#include "sim/actor.h"
#include "sim/scenario.h"
#include "sim/world.h"

namespace linnet::sim {

class NodeActor final : public Actor {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(20);

  NodeActor(node::NodeConfig config, const crypto::Suite& suite, std::uint64_t seed, crypto::Identity identity)
      : rng_(seed), node_(std::move(config), suite, rng_, std::move(identity), overlay::HostCache(), node::Memory()) {}

  void handle_datagram(Time now, const Datagram& d) override { node_.handle_datagram(now, d); }
  void handle_timeout(Time now) override;
  void handle_wall(Time now, Wall wall) override { node_.handle_wall(now, wall); }
  Time next_timeout() const override;
  std::optional<Transmit> poll_transmit() override { return node_.poll_transmit(); }
  void settle(Time now) override;

  node::Node& node() { return node_; }
  const node::Node& node() const { return node_; }
  bool online() const { return online_; }
  const std::vector<node::CallSummary>& ended() const { return ended_; }
  // Loudest sample played to the person in any call so far: silence is 0.
  int loudest() const { return loudest_; }
  bool sounding() const { return !sounding_.empty(); }

  // Of the person: fills each 20 ms that are said, in place of the tone; gets each 20 ms that are heard; and is told of
  // each call that changed, begins to sound or has ended.
  std::function<void(std::span<std::int16_t>)> says;
  std::function<void(std::span<const std::int16_t>)> hears;
  std::function<void(Time)> call_moved;

 private:
  void tick(Time now);
  void speak(std::uint64_t& spoken, std::span<std::int16_t> out) const;

  SeededRng rng_;
  node::Node node_;
  bool online_ = false;
  std::map<node::CallId, std::uint64_t> sounding_;  // samples spoken so far
  Time next_tick_ = kNever;
  std::vector<node::CallSummary> ended_;
  int loudest_ = 0;
};

// Host `index` of a world of whole nodes, which answers every call: a supernode on the Internet when it is one of the
// first `supernodes`, else a leaf behind a NAT of that kind. It is not started.
NodeActor& add_node(World& world, const ScenarioConfig& config, std::uint32_t index, std::uint32_t supernodes,
                    NatKind kind);

}  // namespace linnet::sim
