#include "sim/node_actor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "sim/population.h"

namespace linnet::sim {
namespace {

constexpr std::size_t kTickSamples = 960;  // 20 ms at 48 kHz

}  // namespace

Time NodeActor::next_timeout() const { return std::min(node_.next_timeout(), next_tick_); }

void NodeActor::handle_timeout(Time now) {
  if (next_tick_ <= now) tick(now);
  if (node_.next_timeout() <= now) node_.handle_timeout(now);
}

void NodeActor::speak(std::uint64_t& spoken, std::span<std::int16_t> out) const {
  if (says) return says(out);
  for (auto& s : out) s = static_cast<std::int16_t>(8000.0 * std::sin(0.0576 * static_cast<double>(spoken++)));
}

void NodeActor::tick(Time now) {
  std::array<std::int16_t, kTickSamples> sound;
  for (auto& [call, spoken] : sounding_) {
    speak(spoken, sound);
    node_.capture(now, call, sound);
    node_.play(now, call, sound);
    for (const auto s : sound) loudest_ = std::max(loudest_, std::abs(static_cast<int>(s)));
    if (hears) hears(sound);
  }
  next_tick_ = sounding_.empty() ? kNever : next_tick_ + kTick;
}

void NodeActor::settle(Time now) {
  bool moved = false;
  while (auto event = node_.poll_event()) {
    if (std::holds_alternative<node::event::StatusChanged>(*event)) {
      online_ = node_.status(now).state == overlay::State::online;
    } else if (const auto* start = std::get_if<node::event::AudioStart>(&*event)) {
      moved = true;
      sounding_.emplace(start->call, 0);
      if (next_tick_ == kNever) next_tick_ = now + kTick;
    } else if (const auto* stop = std::get_if<node::event::AudioStop>(&*event)) {
      sounding_.erase(stop->call);
    } else if (const auto* used = std::get_if<node::event::SaveSequence>(&*event)) {
      node_.sequence_stored(now, used->below);
    } else if (auto* end = std::get_if<node::event::CallEnded>(&*event)) {
      moved = true;
      ended_.push_back(std::move(end->summary));
    } else if (std::holds_alternative<node::event::CallChanged>(*event)) {
      moved = true;
    }
  }
  if (moved && call_moved) call_moved(now);
}

NodeActor& add_node(World& world, const ScenarioConfig& config, std::uint32_t index, std::uint32_t supernodes,
                    NatKind kind) {
  const bool super = index < supernodes;
  const bool open = super || kind == NatKind::none;
  const Endpoint inside = open ? public_endpoint(index) : private_endpoint(index);
  node::NodeConfig c;
  c.peer.network = crypto::network_id("linnet");
  c.peer.role = super ? overlay::Role::supernode : overlay::Role::leaf;
  c.peer.listen = {inside};
  c.peer.bootstrap = bootstrap_for(config.seed, index, supernodes);
  c.auto_answer = true;
  auto made = std::make_unique<NodeActor>(std::move(c), suite_of(config.wire), seed_for(config.seed, index),
                                          identity_for(config, index, world.wall()));
  auto& out = *made;
  world.add(std::move(made), inside, super,
            open ? std::nullopt : std::optional<NatBox>(NatBox(kind, public_endpoint(index).ip)));
  return out;
}

}  // namespace linnet::sim
