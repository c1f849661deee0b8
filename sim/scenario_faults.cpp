// One seed, one history of faults, one small overlay that has to survive it.
#include <algorithm>
#include <map>

#include "sim/invariants.h"
#include "sim/outcome.h"
#include "sim/peer_actor.h"
#include "sim/population.h"
#include "sim/scenario.h"
#include "sim/typed_codec.h"

namespace linnet::sim {
namespace {

using std::chrono::seconds;

constexpr std::uint32_t kFaultNodes = 24;
constexpr auto kStarting = seconds(20);
constexpr auto kJoined = seconds(40);
constexpr auto kFaults = seconds(60);
constexpr auto kRecovery =
    seconds(180);  // a back-off of 60 s, a session that is dead after 8 s, and the way from there
constexpr auto kAnswers = seconds(8);

class FaultsScenario {
 public:
  explicit FaultsScenario(const ScenarioConfig& config)
      : config_(config),
        nodes_(config.nodes != 0 ? config.nodes : kFaultNodes),
        supernodes_(std::max<std::uint32_t>(4, nodes_ / 4)),
        codec_(suite_of(config.wire), crypto::network_id("linnet")),
        world_(world_config(config)),
        rng_(config.seed ^ 0x6661756cU) {}

  Report run() {
    populate();
    step("joining", Time{} + kJoined);
    const Time calm = world_.now() + kFaults;
    plan_faults(world_.now(), calm);
    step("faults", calm);
    clear_up();
    step("recovering", calm + kRecovery);
    check_online();
    ask_everybody();
    step("looking up", world_.now() + kAnswers);
    judge();
    return finish();
  }

 private:
  static WorldConfig world_config(const ScenarioConfig& config) {
    WorldConfig w;
    w.seed = config.seed;
    w.link.loss = 0.01;
    return w;
  }

  PeerActor& actor(std::uint32_t i) { return *actors_[i]; }
  bool alive(std::uint32_t i) const { return world_.alive(HostId{i}); }

  void step(std::string_view name, Time until) {
    while (world_.now() < until) {
      world_.run_until(std::min(until, world_.now() + seconds(1)));
      invariants_.look(world_, actors_, world_.now());
      collect();
      if (config_.progress)
        config_.progress({name, static_cast<double>(micros(world_.now().time_since_epoch())) * 1e-6, world_.events(),
                          actors_.size()});
    }
  }

  void populate() {
    world_.watch([this](Time, HostId, HostId, ByteView bytes) { invariants_.see(bytes); });
    constexpr NatKind kKinds[] = {NatKind::none, NatKind::full_cone, NatKind::restricted, NatKind::port_restricted,
                                  NatKind::symmetric};
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      const bool super = i < supernodes_;
      const NatKind kind = super ? NatKind::none : kKinds[rng_.below(std::size(kKinds))];
      const Endpoint inside = kind == NatKind::none ? public_endpoint(i) : private_endpoint(i);
      overlay::PeerConfig p;
      p.network = crypto::network_id("linnet");
      if (config_.wire == Wire::typed) p.codec = &codec_;
      p.role = super ? overlay::Role::supernode : overlay::Role::leaf;
      p.listen = {inside};
      p.bootstrap = bootstrap_for(config_.seed, i, supernodes_);
      p.bootstrap.push_back(
          public_endpoint(0));  // lives for ever, so that nobody is cut off for want of a first address
      auto made = std::make_unique<PeerActor>(std::move(p), suite_of(config_.wire), seed_for(config_.seed, i),
                                              identity_for(config_, i, world_.wall()));
      actors_.push_back(made.get());
      world_.add(std::move(made), inside, super,
                 kind == NatKind::none ? std::nullopt : std::optional<NatBox>(NatBox(kind, public_endpoint(i).ip)));
      world_.at(Time{} + Duration(kStarting) * i / nodes_, [this, i](Time now) {
        actor(i).peer().start(now, world_.wall());
        world_.settle(HostId{i});
      });
    }
  }

  Time moment(Time from, Time until) {
    return from + Duration(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(micros(until - from)))));
  }

  void plan_faults(Time from, Time until) {
    world_.set_weather({0.05 * rng_.unit(), 0.02 * rng_.unit()});
    world_.net().set_loss(0.2 * rng_.unit());
    for (auto n = rng_.below(4); n > 0; --n) {  // at most half of the supernodes and a few leaves die
      const auto victim = static_cast<std::uint32_t>(1 + rng_.below(nodes_ - 1));
      if (victim < supernodes_ && ++dead_supernodes_ > supernodes_ / 2) continue;
      world_.at(moment(from, until), [this, victim](Time) { kill(victim); });
    }
    for (auto n = rng_.below(4); n > 0; --n) {
      const auto host = HostId{static_cast<std::uint32_t>(rng_.below(nodes_))};
      world_.at(moment(from, until), [this, host](Time) { world_.forget_mappings(host); });
    }
    for (auto n = rng_.below(3); n > 0; --n) {
      const auto host = HostId{static_cast<std::uint32_t>(rng_.below(nodes_))};
      const auto off = std::chrono::seconds(static_cast<std::int64_t>(rng_.below(400)) - 200);
      world_.at(moment(from, until), [this, host, off](Time) { world_.tell_wall(host, world_.wall() + off); });
    }
    if (rng_.below(2) == 0) {  // a partition for a while
      const auto share = rng_.unit();
      std::vector<HostId> cut;
      for (std::uint32_t i = 0; i < nodes_; ++i) {
        if (rng_.unit() < share) cut.push_back(HostId{i});
      }
      world_.at(moment(from, until), [this, cut](Time) {
        for (const auto host : cut) world_.put_on_side(host, 1);
      });
    }
  }

  void kill(std::uint32_t i) {
    if (alive(i)) world_.kill(HostId{i});
  }

  void clear_up() {
    world_.set_weather({});
    world_.net().set_loss(0.001);
    for (std::uint32_t i = 0; i < nodes_; ++i) world_.put_on_side(HostId{i}, 0);
  }

  void check_online() {
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      if (alive(i) && actor(i).peer().state() != overlay::State::online)
        report_.broken.push_back("peer " + std::to_string(i) + " is not online again");
    }
  }

  void ask_everybody() {
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      const auto target = static_cast<std::uint32_t>(rng_.below(nodes_));
      if (!alive(i) || !alive(target) || i == target) continue;
      ++report_.lookups;
      if (const auto id = actor(i).peer().find(world_.now(), name_of(target), std::nullopt, true))
        asked_[{i, static_cast<std::uint64_t>(*id)}] = {target, world_.now()};
      world_.settle(HostId{i});
    }
  }

  void collect() {
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      if (!alive(i)) continue;
      for (auto& answer : actor(i).take_answers()) {
        const auto asked = asked_.find({i, static_cast<std::uint64_t>(answer.found.find)});
        if (asked == asked_.end()) continue;
        const auto right = identity_for(config_, asked->second.first, Wall{1'800'000'000}).account_key();
        count_answer(report_, right, answer.found, answer.at - asked->second.second);
      }
    }
  }

  // Everybody who lives is found; one datagram in a thousand is still lost, and questions are asked again.
  void judge() {
    if (report_.lookups_ok < report_.lookups)
      report_.broken.push_back(std::to_string(report_.lookups - report_.lookups_ok) + " who live are not found");
    if (report_.wrong_keys > 0) report_.broken.push_back("a lookup gave a wrong key");
  }

  Report finish() {
    report_world(report_, config_, {nodes_, supernodes_}, world_, false);
    if (config_.wire == Wire::typed) report_.wire_checked_pct = codec_.check().checked_pct();
    for (const auto& what : codec_.check().different()) report_.broken.push_back(what);
    for (auto& what : invariants_.broken()) report_.broken.push_back(std::move(what));
    return std::move(report_);
  }

  ScenarioConfig config_;
  std::uint32_t nodes_;
  std::uint32_t supernodes_;
  TypedCodec codec_;
  World world_;
  SeededRng rng_;
  Invariants invariants_;
  std::uint32_t dead_supernodes_ = 0;
  std::vector<PeerActor*> actors_;  // of those who live
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::pair<std::uint32_t, Time>> asked_;
  Report report_;
};

}  // namespace

Report run_faults(const ScenarioConfig& config) { return FaultsScenario(config).run(); }

}  // namespace linnet::sim
