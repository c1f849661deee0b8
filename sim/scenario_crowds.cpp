// Peers that come and go: churn, massacre, partition, join storm.
#include <cmath>

#include "sim/crowd.h"
#include "sim/designs.h"

namespace linnet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kCrowd = 1000;
constexpr std::uint32_t kLeavesForOne = 20;
constexpr auto kSupernodesWithin = seconds(20);
constexpr auto kSettled = seconds(60);
constexpr auto kAfterwards = seconds(60);  // what a fault may take to be forgotten
constexpr auto kCutOff = std::chrono::minutes(10);
constexpr auto kStorm = seconds(5);  // until everybody is online
constexpr double kShape = 0.6;       // of Weibull's law: many stay briefly, some for long

Population population(const ScenarioConfig& config) {
  return population_of(config, config.nodes != 0 ? config.nodes : kCrowd, kLeavesForOne, 4);
}

Duration minutes(double n) { return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(60 * n)); }

// One question a peer and minute.
std::uint64_t questions(const ScenarioConfig& config, const Crowd& crowd) {
  return static_cast<std::uint64_t>(config.minutes * crowd.nodes());
}

void start_between(Crowd& crowd, std::uint32_t first, std::uint32_t end, Time from, Duration span) {
  for (std::uint32_t i = first; i < end; ++i) {
    crowd.world().at(from + span * (i - first) / std::max<std::uint32_t>(1, end - first),
                     [&crowd, i](Time now) { crowd.start(now, i); });
  }
}

// Supernodes, then five milliseconds a leaf; and time to settle. Whatever the design, the same hosts at the same time.
void fill(Crowd& crowd) {
  const Duration leaves = milliseconds(5) * (crowd.nodes() - crowd.fit());
  start_between(crowd, 0, crowd.fit(), Time{}, kSupernodesWithin);
  start_between(crowd, crowd.fit(), crowd.nodes(), Time{} + kSupernodesWithin, leaves);
  crowd.run("joining", Time{} + kSupernodesWithin + leaves + kSettled);
}

void must_find(Crowd& crowd, double share) {
  auto& report = crowd.report();
  if (static_cast<double>(report.lookups_ok) < share * static_cast<double>(report.lookups))
    report.broken.push_back(std::to_string(report.lookups - report.lookups_ok) + " lookups of " +
                            std::to_string(report.lookups) + " did not find whom they asked for");
}

std::uint64_t sent_by_supernodes(Crowd& crowd) {
  std::uint64_t out = 0;
  for (std::uint32_t i = 0; i < crowd.supernodes(); ++i) out += crowd.world().counters(HostId{i}).bytes_out;
  return out;
}

// Asks for so long as the configuration says, and ends.
Report look_up(Crowd& crowd, const ScenarioConfig& config, double share) {
  const Time from = crowd.world().now();
  const auto sent = sent_by_supernodes(crowd);
  const auto lived = crowd.supernode_seconds();
  crowd.ask_around(from, minutes(config.minutes), questions(config, crowd));
  crowd.run("looking up", from + minutes(config.minutes) + seconds(6));
  must_find(crowd, asked_of(config, share));
  crowd.report().sent_bps_supernode =
      static_cast<double>(sent_by_supernodes(crowd) - sent) /
      static_cast<double>(std::max<std::uint64_t>(1, crowd.supernode_seconds() - lived));
  return crowd.finish();
}

class Churn {
 public:
  // The first `stay` hosts do not come and go: the first supernode never does, since whoever comes back after long must
  // know one address that is right.
  Churn(Crowd& crowd, double median_minutes, Time until, std::uint32_t stay)
      : crowd_(crowd),
        median_(median_minutes),
        scale_(median_minutes / std::pow(std::log(2.0), 1 / kShape)),
        until_(until),
        stay_(stay) {}

  void begin(Time now) {
    for (std::uint32_t i = stay_; i < crowd_.nodes(); ++i) session(now, i);
  }

 private:
  double weibull() { return scale_ * std::pow(-std::log(1 - crowd_.rng().unit()), 1 / kShape); }
  double away() { return -0.5 * median_ * std::log(1 - crowd_.rng().unit()); }

  void session(Time now, std::uint32_t i) {
    const Time end = now + minutes(weibull());
    if (end >= until_) return;
    crowd_.world().at(end, [this, i](Time at) {
      if (crowd_.rng().below(2) == 0)
        crowd_.die(i);
      else
        crowd_.leave(at, i);
      const Time back = at + seconds(2) + minutes(away());
      if (back >= until_) return;
      crowd_.world().at(back, [this, i](Time again) {
        crowd_.start(again, i);
        session(again, i);
      });
    });
  }

  Crowd& crowd_;
  double median_;
  double scale_;
  Time until_;
  std::uint32_t stay_;
};

// The least share found that is asked of churn: 99.9 % when half stay ten minutes, 99 % when they stay for less.
double share_of(double median_minutes) { return median_minutes >= 10 ? 0.999 : 0.99; }

// And of so many supernodes in a hundred that lie (S/Kademlia: 99 % at 20).
double share_right(double malicious) {
  if (malicious <= 10) return 0.995;
  if (malicious <= 20) return 0.99;
  return malicious <= 30 ? 0.95 : 0;
}

// What each supernode sent, second by second.
class Loads {
 public:
  explicit Loads(Crowd& crowd) : crowd_(crowd) {}

  void second(std::string_view phase) {
    const auto before = sent();
    crowd_.run(phase, crowd_.world().now() + seconds(1));
    auto now = sent();
    for (std::size_t i = 0; i < now.size(); ++i) now[i] -= before[i];
    seconds_.push_back(std::move(now));
  }
  // Of a second of one that lives.
  double mean() const {
    double all = 0;
    double living = 0;
    for (std::uint32_t i = 0; i < crowd_.supernodes(); ++i) {
      if (!crowd_.alive(i)) continue;
      living += 1;
      for (const auto& second : seconds_) all += static_cast<double>(second[i]);
    }
    return all / (static_cast<double>(seconds_.size()) * living);
  }
  // The most bytes a second that any supernode that lives sent in so many seconds on end.
  double most(std::size_t span) const {
    std::uint64_t most = 0;
    for (std::uint32_t i = 0; i < crowd_.supernodes(); ++i) {
      if (!crowd_.alive(i)) continue;
      std::uint64_t sum = 0;
      for (std::size_t at = 0; at < seconds_.size(); ++at) {
        sum += seconds_[at][i] - (at >= span ? seconds_[at - span][i] : 0);
        most = std::max(most, sum);
      }
    }
    return static_cast<double>(most) / static_cast<double>(span);
  }

 private:
  std::vector<std::uint64_t> sent() const {
    std::vector<std::uint64_t> out;
    for (std::uint32_t i = 0; i < crowd_.supernodes(); ++i) out.push_back(crowd_.world().counters(HostId{i}).bytes_out);
    return out;
  }

  Crowd& crowd_;
  std::vector<std::vector<std::uint64_t>> seconds_;
};

double share_at_home(Crowd& crowd) {
  std::uint32_t leaves = 0;
  std::uint32_t home = 0;
  for (std::uint32_t i = crowd.supernodes(); i < crowd.nodes(); ++i) {
    leaves += crowd.alive(i) ? 1 : 0;
    home += crowd.has_home(i) ? 1 : 0;
  }
  return static_cast<double>(home) / std::max(1U, leaves);
}

// Of those that live, percent.
double share_online(Crowd& crowd) {
  std::uint32_t live = 0;
  for (std::uint32_t i = 0; i < crowd.nodes(); ++i) live += crowd.alive(i) ? 1 : 0;
  return 100.0 * crowd.count_online() / std::max(1U, live);
}

// Chance spares the others, and the first.
void kill_some(Crowd& crowd, double percent) {
  std::vector<std::uint32_t> doomed;
  for (std::uint32_t i = 1; i < crowd.supernodes(); ++i) doomed.push_back(i);
  const auto wanted = static_cast<std::size_t>(percent / 100 * crowd.supernodes());
  while (doomed.size() > wanted)
    doomed.erase(doomed.begin() + static_cast<std::ptrdiff_t>(crowd.rng().below(doomed.size())));
  for (const auto i : doomed) crowd.die(i);
}

// There and back between two hosts, the median of many pairs.
double usual_rtt_ms(Crowd& crowd) {
  constexpr std::uint32_t kPairs = 10'000;
  SeededRng pairs(1);
  std::vector<double> out;
  for (std::uint32_t n = 0; n < kPairs; ++n) {
    const HostId a{static_cast<std::uint32_t>(pairs.below(crowd.nodes()))};
    const HostId b{static_cast<std::uint32_t>(pairs.below(crowd.nodes()))};
    if (a != b) out.push_back(2e-3 * crowd.world().net().base(a, b));
  }
  return percentile(out, 0.5).value_or(0);
}

// Lookups while the survivors find out.
Report look_up_at_once(Crowd& crowd, const ScenarioConfig& config) {
  const auto rtt = usual_rtt_ms(crowd);
  const Time from = crowd.world().now();
  auto report = look_up(crowd, config, 0);
  report.rtt_ms = rtt;
  report.reachable_s = crowd.reached_after(from);
  if (const auto p95 = percentile(report.lookup_ms, 0.95)) report.beyond_rtt_ms_p95 = *p95 - rtt;
  return report;
}

}  // namespace

Report run_churn(const ScenarioConfig& config) {
  Crowd crowd(config, population(config));
  fill(crowd);
  const Time from = crowd.world().now();
  const auto mixing = minutes(config.session_median);  // until the crowd is no more the one that joined at once
  Churn churn(crowd, config.session_median, from + mixing + minutes(config.minutes),
              servers_stay(config) ? crowd.supernodes() : 1);
  churn.begin(from);
  crowd.run("mixing", from + mixing);
  return look_up(crowd, config, share_of(config.session_median));
}

Report run_massacre(const ScenarioConfig& config) {
  constexpr auto kMinute = kAfterwards.count();
  Crowd crowd(config, population(config));
  auto& report = crowd.report();
  fill(crowd);
  crowd.run("standing", crowd.world().now() + minutes(config.stood));
  const auto use = [&] {
    if (config.in_use) crowd.ask_around(crowd.world().now(), kAfterwards, crowd.nodes());
  };
  use();
  Loads usual(crowd);
  for (int i = 0; i < kMinute; ++i) usual.second("quiet");
  const double mean = usual.mean();
  const double second = usual.most(1);
  const double ten = usual.most(10);
  kill_some(crowd, config.killed);
  if (config.at_once) return look_up_at_once(crowd, config);
  use();
  Loads healing(crowd);
  for (int i = 1; i <= kMinute; ++i) {
    healing.second("healing");
    report.online_least_pct = std::min(report.online_least_pct.value_or(100), share_online(crowd));
    if (!report.reattached_s && share_at_home(crowd) >= 0.99) report.reattached_s = i;
  }
  report.survivor_load = healing.most(1) / mean;
  report.survivor_load_10s = healing.most(10) / mean;
  report.survivor_peak = healing.most(1) / second;
  report.survivor_peak_10s = healing.most(10) / ten;
  report.survivor_most_60s = healing.most(static_cast<std::size_t>(kMinute)) / mean;
  report.survivor_mean_60s = healing.mean() / mean;
  return look_up(crowd, config, 0.99);
}

Report run_partition(const ScenarioConfig& config) {
  Crowd crowd(config, population(config));
  fill(crowd);
  for (std::uint32_t i = 0; i < crowd.nodes(); ++i)
    crowd.world().put_on_side(HostId{i}, static_cast<std::uint8_t>(crowd.rng().below(2)));
  crowd.run("cut in two", crowd.world().now() + kCutOff);
  for (std::uint32_t i = 0; i < crowd.nodes(); ++i) crowd.world().put_on_side(HostId{i}, 0);
  crowd.run("healing", crowd.world().now() + kAfterwards);
  return look_up(crowd, config, 0.999);
}

Report run_malicious(const ScenarioConfig& config) {
  Crowd crowd(config, population(config));
  std::vector<std::uint32_t> liars;
  for (std::uint32_t i = 1; i < crowd.supernodes(); ++i) liars.push_back(i);
  const auto wanted = static_cast<std::size_t>(std::lround(config.malicious / 100 * crowd.supernodes()));
  while (liars.size() > wanted)
    liars.erase(liars.begin() + static_cast<std::ptrdiff_t>(crowd.rng().below(liars.size())));
  for (std::size_t n = 0; n < liars.size(); ++n) crowd.corrupt(liars[n], static_cast<Lie>(n % kLies));
  fill(crowd);
  const Time from = crowd.world().now();
  const auto first = crowd.datagrams();
  crowd.run("quiet", from + kAfterwards);
  const double upkeep = static_cast<double>(crowd.datagrams() - first) / static_cast<double>(kAfterwards.count());
  const Time began = crowd.world().now();
  const auto before = crowd.datagrams();
  auto report = look_up(crowd, config, share_right(config.malicious));
  const double lasted = static_cast<double>(micros(crowd.world().now() - began)) * 1e-6;
  report.messages_per_lookup = (static_cast<double>(crowd.datagrams() - before) - upkeep * lasted) /
                               static_cast<double>(std::max<std::uint64_t>(1, report.lookups));
  return report;
}

Report run_joinstorm(const ScenarioConfig& config) {
  Crowd crowd(config, population(config));
  start_between(crowd, 0, crowd.fit(), Time{}, kSupernodesWithin);
  crowd.run("supernodes", Time{} + kSupernodesWithin + kSettled);
  const Time storm = crowd.world().now();
  start_between(crowd, crowd.fit(), crowd.nodes(), storm, seconds(1));
  crowd.ask_around(storm, kStorm, crowd.nodes());  // of those that are online by then
  return look_up(crowd, config, 0.999);
}

}  // namespace linnet::sim
