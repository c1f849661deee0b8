// Whole nodes who come into one room, in a world of their own: supernodes, members behind NATs, how they come in, and
// what each of them shows of the conference.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "node/conference_view.h"
#include "sim/nat_box.h"
#include "sim/node_actor.h"
#include "sim/outcome.h"
#include "sim/scenario.h"
#include "sim/world.h"

namespace linnet::sim {

// NATs of every kind by turns.
NatKind nat_of(std::uint32_t index);

class Gathering {
 public:
  // As one member shows it.
  struct Shown {
    std::string mixer, deputy;
    std::uint64_t term = 0;
    std::size_t members = 0;
    std::size_t mixers = 0;
    std::string hears;
    bool operator==(const Shown&) const = default;
  };

  // `means` of each member, in their order. The seed is that of the world.
  Gathering(const ScenarioConfig& config, std::uint32_t supernodes, std::vector<node::ConferenceMeans> means);

  World& world() { return world_; }
  const World& world() const { return world_; }
  std::uint32_t members() const { return static_cast<std::uint32_t>(means_.size()); }
  NodeActor& member(std::uint32_t i) { return *actors_[supernodes_ + i]; }
  const NodeActor& member(std::uint32_t i) const { return *actors_[supernodes_ + i]; }
  HostId host(std::uint32_t i) const { return HostId{supernodes_ + i}; }
  std::string name(std::uint32_t i) const;
  bool behind_nat(std::uint32_t i) const { return nat_of(i) != NatKind::none; }

  // All start and are online. Who is not is told in `broken`.
  void go_online(Report& report);
  // Until then in steps, each followed by `after`; true from it: it is enough.
  bool run(std::string_view phase, Time until, Duration step, const std::function<bool()>& after);

  void confer(std::uint32_t who, const std::vector<std::uint32_t>& with);
  void invite(std::uint32_t who, std::uint32_t whom);
  void join(std::uint32_t who, std::uint32_t by);

  // When the conference began to sound there; nothing: it does not.
  std::optional<Time> came_in(std::uint32_t i) const;
  // Nothing: it is in none, or knows of no mixer yet. Looked up again only where something changed.
  const std::optional<Shown>& shown(std::uint32_t i);
  std::optional<node::ConferenceView> view(std::uint32_t i) const;
  bool oversize() const { return oversize_; }
  Population population() const { return {supernodes_ + members(), supernodes_}; }

 private:
  struct Seen {
    bool stale = true;
    std::optional<Shown> shown;
    std::optional<Time> came_in;
  };
  void command(std::uint32_t who, const node::Command& what);

  ScenarioConfig config_;
  std::uint32_t supernodes_;
  std::vector<node::ConferenceMeans> means_;
  World world_;
  std::vector<NodeActor*> actors_;
  std::vector<Seen> seen_;  // of members
  std::uint64_t last_command_ = 0;
  bool oversize_ = false;
};

}  // namespace linnet::sim
