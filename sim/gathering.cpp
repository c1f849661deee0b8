#include "sim/gathering.h"

#include <algorithm>

#include "sim/population.h"

namespace linnet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

WorldConfig world_of(const ScenarioConfig& config) {
  WorldConfig w;
  w.seed = config.seed;
  if (config.loss) w.link.loss = *config.loss;
  return w;
}

}  // namespace

NatKind nat_of(std::uint32_t index) {
  constexpr NatKind kKinds[] = {NatKind::none, NatKind::full_cone, NatKind::restricted, NatKind::port_restricted,
                                NatKind::symmetric};
  return kKinds[index % 5];
}

Gathering::Gathering(const ScenarioConfig& config, std::uint32_t supernodes, std::vector<node::ConferenceMeans> means)
    : config_(config),
      supernodes_(supernodes),
      means_(std::move(means)),
      world_(world_of(config)),
      seen_(means_.size()) {
  world_.watch([this](Time, HostId, HostId, ByteView bytes) { oversize_ |= bytes.size() > kMaxDatagram; });
  for (std::uint32_t i = 0; i < supernodes_ + members(); ++i) {
    const bool super = i < supernodes_;
    auto& made = add_node(world_, config_, i, supernodes_, super ? NatKind::none : nat_of(i - supernodes_));
    actors_.push_back(&made);
    if (!super) {
      made.says = [](std::span<std::int16_t> out) { std::fill(out.begin(), out.end(), std::int16_t{0}); };
      made.call_moved = [this, member = i - supernodes_](Time now) {
        auto& seen = seen_[member];
        seen.stale = true;
        if (!actors_[supernodes_ + member]->sounding()) seen.came_in.reset();
        if (actors_[supernodes_ + member]->sounding() && !seen.came_in) seen.came_in = now;
      };
    }
  }
}

std::string Gathering::name(std::uint32_t i) const { return name_of(supernodes_ + i).text(); }

void Gathering::go_online(Report& report) {
  const auto all = static_cast<std::uint32_t>(actors_.size());
  const auto within = std::max<Duration>(seconds(5), milliseconds(20) * all);
  for (std::uint32_t i = 0; i < all; ++i) {
    world_.at(Time{} + within * i / all, [this, i](Time now) {
      actors_[i]->node().start(now, world_.wall());
      if (i >= supernodes_) actors_[i]->node().set_conference_means(now, means_[i - supernodes_]);
      world_.settle(HostId{i});
    });
  }
  const auto all_are = [this] {
    return std::all_of(actors_.begin(), actors_.end(), [](auto* a) { return a->online(); });
  };
  (void)run("joining", Time{} + within + seconds(60), seconds(1), all_are);
  for (std::uint32_t i = 0; i < all; ++i)
    if (!actors_[i]->online()) report.broken.push_back("node " + std::to_string(i) + " is not online");
}

bool Gathering::run(std::string_view phase, Time until, Duration step, const std::function<bool()>& after) {
  while (world_.now() < until) {
    world_.run_until(std::min(until, world_.now() + step));
    if (config_.progress)
      config_.progress({phase, static_cast<double>(micros(world_.now().time_since_epoch())) * 1e-6, world_.events(),
                        actors_.size()});
    if (after()) return true;
  }
  return false;
}

void Gathering::command(std::uint32_t who, const node::Command& what) {
  member(who).node().command(world_.now(), node::CommandId{++last_command_}, what);
  world_.settle(host(who));
}

void Gathering::confer(std::uint32_t who, const std::vector<std::uint32_t>& with) {
  node::command::Confer what;
  what.name = "room";
  for (const auto i : with) what.who.push_back(name(i));
  command(who, what);
}

void Gathering::invite(std::uint32_t who, std::uint32_t whom) {
  command(who, node::command::InviteToConference{{}, name(whom)});
}

void Gathering::join(std::uint32_t who, std::uint32_t by) {
  command(who, node::command::JoinConference{name(by), std::nullopt});
}

std::optional<Time> Gathering::came_in(std::uint32_t i) const { return seen_[i].came_in; }

std::optional<node::ConferenceView> Gathering::view(std::uint32_t i) const {
  auto status = member(i).node().status(world_.now());
  if (status.conferences.empty()) return std::nullopt;
  return std::move(status.conferences.front());
}

const std::optional<Gathering::Shown>& Gathering::shown(std::uint32_t i) {
  auto& seen = seen_[i];
  if (!seen.stale) return seen.shown;
  seen.stale = false;
  seen.shown.reset();
  const auto v = seen.came_in ? view(i) : std::nullopt;
  if (!v || v->mixer.empty()) return seen.shown;
  Shown out{v->mixer, v->deputy, v->term, v->members.size(), v->mixers.size(), {}};
  for (const auto& m : v->members)
    if (m.self) out.hears = m.hears;
  seen.shown = std::move(out);
  return seen.shown;
}

}  // namespace linnet::sim
