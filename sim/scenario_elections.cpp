// Who is elected, and how soon all agree: members with scores that are given come into a room one after another.
#include <algorithm>
#include <cmath>

#include "node/conference_roster.h"
#include "sim/gathering.h"
#include "sim/scenario_conference.h"

namespace linnet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
namespace room = node::conference;

constexpr std::uint32_t kElectors = 3;  // supernodes
constexpr Duration kLook = milliseconds(10);
constexpr Duration kWithin = seconds(1);    // all are to agree
constexpr Duration kComesIn = seconds(15);  // at the most, until the call stands
constexpr Duration kDecides = seconds(15);  // after the last join, at the most
constexpr Duration kStaysSo = seconds(5);
constexpr std::uint64_t kMostPause = 3000;  // ms between two joins
constexpr double kClearly = room::kGain;    // times the second: whoever mixed before, this one comes to mix

double worth_of(const node::ConferenceMeans& means) {
  room::Claim claim;
  claim.mixes = means.mixes;
  claim.uplink_kbps = means.uplink_kbps;
  return room::worth(claim);
}

double between(Rng& rng, double low, double high) { return low * std::exp(rng.unit() * std::log(high / low)); }

// 3 to 16, whose scores and lines are far apart; in three of four rooms one is clearly the strongest.
std::vector<node::ConferenceMeans> draw_means(Rng& rng) {
  std::vector<node::ConferenceMeans> out(3 + rng.below(14));
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto& m = out[i];
    m.mixes = static_cast<std::uint32_t>(between(rng, 20, 600));
    m.uplink_kbps = rng.below(3) == 0 ? 0 : static_cast<std::uint32_t>(between(rng, 1'000, 50'000));
    m.mains = rng.below(3) != 0;
    m.reachable = nat_of(static_cast<std::uint32_t>(i)) == NatKind::none;
  }
  if (rng.below(4) == 0) return out;
  double most = 0;
  for (const auto& m : out) most = std::max(most, worth_of(m));
  auto& best = out[rng.below(out.size())];
  best.mixes = static_cast<std::uint32_t>(std::ceil(most * between(rng, kClearly, 3)));
  best.uplink_kbps = 0;
  return out;
}

class Election {
 public:
  Election(const ScenarioConfig& config, Report& report, ElectionFigures& figures)
      : config_(config),
        rng_(config.seed ^ 0x656c656374U),
        means_(draw_means(rng_)),
        gathering_(config, kElectors, means_),
        report_(report),
        figures_(figures) {}

  void run() {
    gathering_.go_online(report_);
    for (std::uint32_t i = 1; i < gathering_.members(); ++i) {
      if (!bring_in(i)) return;
      if (i + 1 < gathering_.members()) pass(milliseconds(rng_.below(kMostPause)));
    }
    const Time last = gathering_.world().now();
    const auto decided = [this] { return agreed(joins_.size()) && mixer() && elected() == mixer(); };
    if (watch("deciding", last + kDecides, decided))
      figures_.decided_ms.push_back(millis(gathering_.world().now() - last));
    pass(kStaysSo);
    judge(decided());
  }

  const Gathering& gathering() const { return gathering_; }

 private:
  struct Join {
    Time at{};
    std::optional<Time> agreed;
  };

  bool watch(std::string_view phase, Time until, const std::function<bool()>& enough) {
    return gathering_.run(phase, until, kLook, [&] {
      look();
      return enough();
    });
  }
  void pass(Duration length) {
    (void)watch("between joins", gathering_.world().now() + length, [] { return false; });
  }

  // By whoever starts it, by a member who invites, or of itself to a member it knows.
  bool bring_in(std::uint32_t who) {
    const auto other = static_cast<std::uint32_t>(rng_.below(who));
    const bool joins = rng_.below(2) == 0;
    if (who == 1) {
      gathering_.confer(0, {1});
    } else if (joins) {
      gathering_.join(who, other);
    } else {
      gathering_.invite(other, who);
    }
    const bool in =
        watch("coming in", gathering_.world().now() + kComesIn, [&] { return gathering_.came_in(who).has_value(); });
    if (!in) {
      broken(gathering_.name(who) + (joins ? " did not come in by " : " was not brought in by ") +
             gathering_.name(other));
    }
    return in;
  }

  // The first `members` of those who came in, and whoever started it.
  bool agreed(std::size_t joined) {
    const auto first = gathering_.shown(0);
    if (!first) return false;
    for (std::uint32_t i = 0; i <= joined; ++i) {
      const auto& s = gathering_.shown(i);
      if (!s || s->mixer != first->mixer || s->deputy != first->deputy || s->term != first->term) return false;
      if (s->members < joined + 1) return false;
    }
    return true;
  }

  void look() {
    const Time now = gathering_.world().now();
    for (auto n = static_cast<std::uint32_t>(joins_.size() + 1); n < gathering_.members(); ++n) {
      const auto at = gathering_.came_in(n);
      if (!at) break;
      joins_.push_back({*at, std::nullopt});
    }
    bool pending = joins_.empty();
    for (std::size_t n = 0; n < joins_.size(); ++n) {
      auto& join = joins_[n];
      if (!join.agreed && agreed(n + 1)) join.agreed = now;
      pending = pending || !join.agreed;
    }
    const auto who = mixer();
    if (who && mixer_ && *who != *mixer_) ++figures_.handed_over;
    if (who) mixer_ = who;
    look_for_a_spell(now, pending);
  }
  void look_for_a_spell(Time now, bool pending) {
    if (pending) return apart_since_.reset();
    const bool together = agreed(joins_.size());
    if (!together && !apart_since_) apart_since_ = now;
    if (together && apart_since_) {
      figures_.apart_ms.push_back(millis(now - *apart_since_));
      apart_since_.reset();
    }
  }

  // As whoever started it sees it.
  std::optional<std::uint32_t> mixer() {
    const auto& s = gathering_.shown(0);
    for (std::uint32_t i = 0; s && i < gathering_.members(); ++i)
      if (gathering_.name(i) == s->mixer) return i;
    return std::nullopt;
  }
  crypto::DeviceKey key(std::uint32_t i) const { return gathering_.member(i).node().identity().device_key(); }

  // By the rule of the nodes, from the scores that were given.
  std::optional<std::uint32_t> elected() {
    room::Roster roster;
    if (const auto who = mixer()) roster.head.mixer = key(*who);
    for (std::uint32_t i = 0; i < gathering_.members(); ++i) {
      room::Member m;
      auto& claim = m.claim.claim;
      claim.certificate.device = key(i);
      claim.mixes = means_[i].mixes;
      claim.uplink_kbps = means_[i].uplink_kbps;
      claim.reachable = means_[i].reachable;
      claim.mains = means_[i].mains;
      roster.members.emplace(key(i), std::move(m));
    }
    const auto device = room::elect(roster);
    for (std::uint32_t i = 0; device && i < gathering_.members(); ++i)
      if (key(i) == *device) return i;
    return std::nullopt;
  }
  // Whoever is worth half as much again as anybody else.
  std::optional<std::uint32_t> clearly_strongest() const {
    std::uint32_t best = 0;
    double second = 0;
    for (std::uint32_t i = 1; i < means_.size(); ++i) {
      const bool better = worth_of(means_[i]) > worth_of(means_[best]);
      second = std::max(second, worth_of(means_[better ? best : i]));
      if (better) best = i;
    }
    return worth_of(means_[best]) >= kClearly * second ? std::optional(best) : std::nullopt;
  }

  void judge(bool decided) {
    ++figures_.runs;
    figures_.members += gathering_.members();
    for (std::uint32_t n = 0; n < joins_.size(); ++n) {
      const auto& join = joins_[n];
      const auto took = join.agreed.value_or(gathering_.world().now()) - join.at;
      figures_.agreed_ms.push_back(millis(took));
      if (took <= kWithin) continue;
      ++figures_.joins_late;
      broken(gathering_.name(n + 1) + " is in, and all agree after " + std::to_string(std::lround(millis(took))) +
             " ms");
    }
    if (decided) ++figures_.won;
    if (!decided) broken("another mixes than is to");
    const auto strongest = clearly_strongest();
    if (!strongest) return;
    ++figures_.clear;
    if (mixer() == strongest) ++figures_.clear_won;
    if (mixer() != strongest) broken("the strongest does not mix");
  }
  void broken(const std::string& what) {
    report_.broken.push_back("seed " + std::to_string(config_.seed) + ": " + what);
  }

  ScenarioConfig config_;
  SeededRng rng_;
  std::vector<node::ConferenceMeans> means_;
  Gathering gathering_;
  Report& report_;
  ElectionFigures& figures_;
  std::vector<Join> joins_;  // in the order of members, from the second on
  std::optional<Time> apart_since_;
  std::optional<std::uint32_t> mixer_;
};

}  // namespace

Report run_elections(const ScenarioConfig& config) {
  Report report;
  ElectionFigures figures;
  std::uint64_t trace = config.elections, events = 0, nodes = 0;
  double virtual_seconds = 0;
  bool oversize = false;
  for (std::uint32_t n = 0; n < config.elections; ++n) {
    auto one = config;
    one.seed = config.seed + n;
    Election election(one, report, figures);
    election.run();
    const auto& world = election.gathering().world();
    trace = (trace ^ world.trace_hash()) * 0x100000001b3U;
    events += world.events();
    nodes += election.gathering().population().nodes;
    virtual_seconds += static_cast<double>(micros(world.now().time_since_epoch())) * 1e-6;
    oversize |= election.gathering().oversize();
    if (n + 1 == config.elections) report_world(report, config, election.gathering().population(), world, oversize);
  }
  report.seed = config.seed;
  report.nodes = nodes;
  report.supernodes = std::uint64_t{kElectors} * config.elections;
  report.trace_hash = trace;
  report.events = events;
  report.virtual_seconds = virtual_seconds;
  report.elections = std::move(figures);
  return report;
}

}  // namespace linnet::sim
