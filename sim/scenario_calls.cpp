#include <algorithm>

#include "sim/gathering.h"
#include "sim/outcome.h"
#include "sim/population.h"
#include "sim/scenario.h"

namespace linnet::sim {
namespace {

using std::chrono::seconds;

constexpr std::uint32_t kCallNodes = 100;
constexpr double kLoss = 0.05;
constexpr auto kCallsFrom = seconds(60);
constexpr auto kTalk = seconds(10);

class CallsScenario {
 public:
  explicit CallsScenario(const ScenarioConfig& config)
      : config_(config),
        nodes_(config.nodes != 0 ? config.nodes : kCallNodes),
        supernodes_(std::max<std::uint32_t>(3, nodes_ / 10)),
        world_(world_config(config)) {}

  Report run() {
    populate();
    step("joining", Time{} + kCallsFrom);
    check_online();
    call_each_other();
    judge();
    return finish();
  }

 private:
  static WorldConfig world_config(const ScenarioConfig& config) {
    WorldConfig w;
    w.seed = config.seed;
    w.link.loss = config.loss.value_or(kLoss);
    return w;
  }

  void step(std::string_view name, Time until) {
    while (world_.now() < until) {
      world_.run_until(std::min(until, world_.now() + seconds(1)));
      if (config_.progress)
        config_.progress({name, static_cast<double>(micros(world_.now().time_since_epoch())) * 1e-6, world_.events(),
                          actors_.size()});
    }
  }

  void populate() {
    world_.watch([this](Time, HostId, HostId, ByteView bytes) { oversize_ |= bytes.size() > kMaxDatagram; });
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      actors_.push_back(&add_node(world_, config_, i, supernodes_, nat_of(i)));
      world_.at(Time{} + Duration(seconds(20)) * i / nodes_, [this, i](Time now) {
        actors_[i]->node().start(now, world_.wall());
        world_.settle(HostId{i});
      });
    }
  }

  void check_online() {
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      if (!actors_[i]->online()) report_.broken.push_back("node " + std::to_string(i) + " is not online");
    }
  }

  void call_each_other() {
    const std::uint32_t leaves = nodes_ - supernodes_;
    const Time from = world_.now();
    for (std::uint32_t n = 0; n + 1 < leaves; n += 2) {
      const std::uint32_t caller = supernodes_ + n;
      const std::uint32_t callee = supernodes_ + n + 1;
      pairs_.emplace_back(caller, callee);
      world_.at(from + Duration(seconds(10)) * n / leaves, [this, caller, callee](Time now) {
        node::command::Call call{name_of(callee).text(), true, Duration(kTalk)};
        actors_[caller]->node().command(now, node::CommandId{1}, call);
        world_.settle(HostId{caller});
      });
    }
    step("calling", from + seconds(10) + kTalk + seconds(20));
  }

  // Both sides heard the other's tone, and both say the call ended in the ordinary way.
  void judge() {
    report_.calls = pairs_.size();
    for (const auto& pair : pairs_) {
      const bool ok = heard(pair.first) && heard(pair.second);
      if (ok)
        ++report_.calls_ok;
      else
        report_.broken.push_back("call " + name_of(pair.first).text() + " -> " + name_of(pair.second).text() + ": " +
                                 why(pair.first) + " / " + why(pair.second));
      if (ok && opens(pair.first, pair.second) && !(direct(pair.first) && direct(pair.second)))
        report_.broken.push_back("call " + name_of(pair.first).text() + " -> " + name_of(pair.second).text() +
                                 " stayed relayed");
    }
  }

  // A plain punch leads through both NATs.
  bool opens(std::uint32_t a, std::uint32_t b) const {
    const auto strict = [](NatKind k) { return k == NatKind::symmetric || k == NatKind::port_restricted; };
    const bool symmetric = nat_of(a) == NatKind::symmetric || nat_of(b) == NatKind::symmetric;
    return !(symmetric && strict(nat_of(a)) && strict(nat_of(b)));
  }

  // It came to a direct path; where loss stopped the voice for a moment it may be back on a circuit when the call ends.
  bool direct(std::uint32_t i) const {
    const auto& facts = actors_[i]->ended()[0];
    return facts.path == node::PathWord::direct ||
           std::any_of(facts.path_changes.begin(), facts.path_changes.end(),
                       [](const node::PathChange& c) { return c.to == "direct"; });
  }

  bool heard(std::uint32_t i) const {
    const auto& ended = actors_[i]->ended();
    return ended.size() == 1 && ended[0].result == node::CallResult::ended && ended[0].first_voice_ms &&
           actors_[i]->loudest() > 2000;
  }

  std::string why(std::uint32_t i) const {
    const auto& ended = actors_[i]->ended();
    if (ended.empty()) return "no call ended";
    return std::string(to_string(ended[0].result)) + " " + ended[0].text + " loudest " +
           std::to_string(actors_[i]->loudest());
  }

  Report finish() {
    report_world(report_, config_, {nodes_, supernodes_}, world_, oversize_);
    return std::move(report_);
  }

  ScenarioConfig config_;
  std::uint32_t nodes_;
  std::uint32_t supernodes_;
  World world_;
  std::vector<NodeActor*> actors_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs_;
  bool oversize_ = false;
  Report report_;
};

}  // namespace

Report run_calls(const ScenarioConfig& config) { return CallsScenario(config).run(); }

}  // namespace linnet::sim
