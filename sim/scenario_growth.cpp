// Two supernodes and many leaves, of which some could be supernodes: the network gets as many as it needs, gets over
// the death of half of them, and over the end of what made some fit.
#include <algorithm>
#include <map>

#include "sim/outcome.h"
#include "sim/owner.h"
#include "sim/peer_actor.h"
#include "sim/population.h"
#include "sim/scenario.h"
#include "sim/typed_codec.h"

namespace linnet::sim {
namespace {

using std::chrono::seconds;
using Minutes = std::chrono::minutes;

constexpr std::uint32_t kGrowing = 1000;
constexpr std::uint32_t kAtFirst = 2;
constexpr std::uint32_t kOfTen = 3;         // are fit
constexpr std::uint32_t kCouldServe = 400;  // leaves each
constexpr auto kComing = seconds(60);
constexpr auto kUntilFit = seconds(60);  // after its start, and as much again by lot
constexpr auto kMostGrowth = Minutes(240);
constexpr auto kCalmAfter = Minutes(30);
constexpr auto kHealing = Minutes(20);
constexpr auto kHandingOver = seconds(30);
constexpr auto kLastWords = seconds(6);

class GrowthScenario {
 public:
  explicit GrowthScenario(const ScenarioConfig& config)
      : config_(config),
        nodes_(config.nodes != 0 ? config.nodes : kGrowing),
        codec_(suite_of(config.wire), crypto::network_id("linnet")),
        world_(world_config(config)),
        rng_(config.seed ^ 0x67726f77U),
        serves_(nodes_) {}

  Report run() {
    populate();
    grow();
    look_up("looking up");
    quiet();
    massacre();
    look_up("looking up after deaths");
    lose_fit();
    look_up("looking up after demotions");
    return finish();
  }

 private:
  static WorldConfig world_config(const ScenarioConfig& config) {
    WorldConfig w;
    w.seed = config.seed;
    if (config.loss) w.link.loss = *config.loss;
    return w;
  }

  bool may_serve(std::uint32_t i) const { return i >= kAtFirst && i % 10 < kOfTen; }
  bool alive(std::uint32_t i) const { return world_.alive(HostId{i}); }
  overlay::Peer& peer(std::uint32_t i) { return actors_[i]->peer(); }
  bool serves(std::uint32_t i) { return alive(i) && peer(i).role() == overlay::Role::supernode; }

  std::unique_ptr<PeerActor> make(std::uint32_t i, const Endpoint& inside) {
    overlay::PeerConfig p;
    p.network = crypto::network_id("linnet");
    if (config_.wire == Wire::typed) p.codec = &codec_;
    p.role = i < kAtFirst ? overlay::Role::supernode : overlay::Role::leaf;
    p.promotable = i >= kAtFirst;
    p.listen = {inside};
    p.bootstrap = bootstrap_for(config_.seed, i, kAtFirst);
    if (i != 0) p.bootstrap.push_back(public_endpoint(0));
    return std::make_unique<PeerActor>(std::move(p), suite_of(config_.wire), seed_for(config_.seed, i),
                                       identity_for(config_, i, world_.wall()));
  }

  // Who is fit stands in the open; the others are behind routers.
  void populate() {
    world_.watch([this](Time, HostId, HostId, ByteView bytes) { oversize_ |= bytes.size() > kMaxDatagram; });
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      const Working owner(i);
      const bool open = i < kAtFirst || may_serve(i);
      const auto inside = open ? public_endpoint(i) : private_endpoint(i);
      auto made = make(i, inside);
      actors_.push_back(made.get());
      world_.add(std::move(made), inside, i < kAtFirst,
                 open ? std::nullopt : std::optional<NatBox>(NatBox(NatKind::port_restricted, public_endpoint(i).ip)));
      const Time start = Time{} + Duration(kComing) * i / nodes_;
      world_.at(start, [this, i](Time now) { tell(i, [&](auto& p) { p.start(now, world_.wall()); }); });
      if (may_serve(i)) world_.at(moment(start + kUntilFit, kUntilFit), [this, i](Time now) { set_fit(now, i, true); });
    }
  }

  template <class What>
  void tell(std::uint32_t i, What what) {
    if (!alive(i)) return;
    {
      const Working owner(i);
      what(peer(i));
    }
    world_.settle(HostId{i});
  }

  void set_fit(Time now, std::uint32_t i, bool fit) {
    const auto could = fit ? std::optional(overlay::Fit{public_endpoint(i), kCouldServe}) : std::nullopt;
    tell(i, [&](auto& p) { p.set_fit(now, could); });
  }

  Time moment(Time from, Duration span) {
    return from + Duration(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(micros(span)))));
  }

  void step(std::string_view name, Time until) {
    while (world_.now() < until) {
      world_.run_until(std::min(until, world_.now() + seconds(1)));
      look_at_roles();
      collect();
      if (config_.progress)
        config_.progress({name, static_cast<double>(micros(world_.now().time_since_epoch())) * 1e-6, world_.events(),
                          count_online()});
    }
  }

  std::uint64_t count_online() {
    std::uint64_t out = 0;
    for (std::uint32_t i = 0; i < nodes_; ++i) out += alive(i) && peer(i).state() == overlay::State::online ? 1 : 0;
    return out;
  }

  void look_at_roles() {
    std::uint32_t now = 0;
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      const bool serve = serves(i);
      now += serve ? 1 : 0;
      if (serve == serves_[i]) continue;
      serves_[i] = serve;
      if (i < kAtFirst || !alive(i)) continue;
      ++(serve ? report_.promotions : report_.demotions);
      if (serve) promoted_at_ = world_.now();
      if (serve && !may_serve(i)) report_.broken.push_back("host " + std::to_string(i) + " serves and is not fit");
    }
    if (world_.now() >= next_minute_) {
      report_.supernodes_by_minute.push_back(now);
      next_minute_ += Minutes(1);
    }
    supernodes_ = now;
  }

  std::size_t most_leaves() {
    std::size_t out = 0;
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      if (serves(i)) out = std::max(out, peer(i).leaf_count());
    }
    return out;
  }

  // Nobody has more than wanted; or nobody has twice as many, and nobody who could help stands near who has more.
  bool grown(std::size_t wanted) {
    const auto most = most_leaves();
    return supernodes_ >= kEnough &&
           (most <= wanted || (most <= 2 * wanted && world_.now() - promoted_at_ >= kCalmAfter));
  }

  void grow() {
    const auto wanted = overlay::PeerConfig().leaves_wanted;
    const Time from = Time{} + kComing;
    step("coming", from + 2 * kUntilFit);
    while (world_.now() < from + kMostGrowth && !grown(wanted)) step("growing", world_.now() + seconds(10));
    report_.grown_s = static_cast<double>(micros(world_.now() - Time{})) * 1e-6;
    report_.supernodes_grown = supernodes_;
    report_.most_leaves = most_leaves();
    if (report_.most_leaves > 2 * wanted || supernodes_ < kEnough)
      report_.broken.push_back("it did not grow to what it needs");
  }

  // Nobody comes and nobody goes: few roles change.
  void quiet() {
    const auto promotions = report_.promotions;
    const auto demotions = report_.demotions;
    step("quiet", world_.now() + kCalmAfter);
    report_.quiet_promotions = report_.promotions - promotions;
    if (report_.demotions != demotions) report_.broken.push_back("somebody was demoted who was fit");
  }

  // The first stays: it is the one address that everybody was given.
  void massacre() {
    std::vector<std::uint32_t> doomed;
    for (std::uint32_t i = 1; i < nodes_; ++i) {
      if (serves(i)) doomed.push_back(i);
    }
    const auto dying = doomed.size() - doomed.size() / 2;
    while (doomed.size() > dying) doomed.erase(doomed.begin() + static_cast<std::ptrdiff_t>(rng_.below(doomed.size())));
    const auto promotions = report_.promotions;
    for (const auto i : doomed) world_.kill(HostId{i});
    step("healing", world_.now() + kHealing);
    report_.stepped_in = report_.promotions - promotions;
    if (report_.stepped_in == 0) report_.broken.push_back("nobody stepped in for those who died");
  }

  // A quarter of them, one after another; during each drain others look for its person, and for everybody.
  void lose_fit() {
    std::vector<std::uint32_t> going;
    unsigned serving = 0;
    for (std::uint32_t i = kAtFirst; i < nodes_; ++i) {
      if (serves(i) && serving++ % 4 == 0) going.push_back(i);  // not by lot: some time nobody would go
    }
    for (const auto i : going) {
      set_fit(world_.now(), i, false);
      for (int n = 0; n < 20; ++n) ask_somebody(moment(world_.now(), seconds(10)));
      step("handing over", world_.now() + kHandingOver);
      if (serves(i)) report_.broken.push_back("host " + std::to_string(i) + " serves on and is not fit");
    }
    step("settling", world_.now() + Minutes(2));
  }

  void look_up(std::string_view phase) {
    const auto questions = static_cast<std::uint64_t>(config_.minutes * nodes_);
    const auto span = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(60 * config_.minutes));
    for (std::uint64_t n = 0; n < questions; ++n) ask_somebody(moment(world_.now(), span));
    step(phase, world_.now() + span + kLastWords);
  }

  void ask_somebody(Time when) {
    const auto caller = static_cast<std::uint32_t>(rng_.below(nodes_));
    const auto target = static_cast<std::uint32_t>(rng_.below(nodes_));
    world_.at(when, [this, caller, target](Time now) {
      if (!alive(caller) || !alive(target) || caller == target) return;
      ++report_.lookups;
      tell(caller, [&](auto& p) {
        if (const auto id = p.find(now, name_of(target), std::nullopt, true))
          asked_[{caller, static_cast<std::uint64_t>(*id)}] = {target, now};
      });
    });
  }

  void collect() {
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      if (!alive(i)) continue;
      for (auto& answer : actors_[i]->take_answers()) {
        const auto asked = asked_.find({i, static_cast<std::uint64_t>(answer.found.find)});
        if (asked == asked_.end()) continue;
        const auto right = actors_[asked->second.first]->identity().account_key();
        count_answer(report_, right, answer.found, answer.at - asked->second.second);
        asked_.erase(asked);
      }
    }
  }

  Report finish() {
    report_world(report_, config_, {nodes_, supernodes_}, world_, oversize_);
    if (config_.wire == Wire::typed) report_.wire_checked_pct = codec_.check().checked_pct();
    for (const auto& what : codec_.check().different()) report_.broken.push_back(what);
    if (static_cast<double>(report_.lookups_ok) < 0.999 * static_cast<double>(report_.lookups))
      report_.broken.push_back(std::to_string(report_.lookups - report_.lookups_ok) + " lookups of " +
                               std::to_string(report_.lookups) + " did not find whom they asked for");
    if (report_.wrong_keys > 0) report_.broken.push_back("a lookup gave a wrong key");
    return std::move(report_);
  }

  static constexpr std::uint32_t kEnough = 8;

  ScenarioConfig config_;
  std::uint32_t nodes_;
  TypedCodec codec_;
  World world_;
  SeededRng rng_;
  std::vector<PeerActor*> actors_;  // of those who live
  std::vector<bool> serves_;        // when last looked at
  std::uint32_t supernodes_ = kAtFirst;
  Time next_minute_{};
  Time promoted_at_{};  // the latest
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::pair<std::uint32_t, Time>> asked_;
  bool oversize_ = false;
  Report report_;
};

}  // namespace

Report run_growth(const ScenarioConfig& config) { return GrowthScenario(config).run(); }

}  // namespace linnet::sim
