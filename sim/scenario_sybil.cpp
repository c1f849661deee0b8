// One attacker's supernodes around one name.
#include "sim/crowd.h"
#include "sim/sybils.h"

namespace linnet::sim {
namespace {

using std::chrono::seconds;

constexpr std::uint32_t kAround = 1000;
constexpr std::uint32_t kHonestForOne = 20;
constexpr std::uint32_t kTimesK = 20;
constexpr auto kEach = seconds(20);  // the honest supernodes, then the others
constexpr auto kCalm = seconds(60);

std::vector<Placed> attackers(const ScenarioConfig& config, const Population& who,
                              const std::vector<dht::Id>& targets) {
  const Wall now = WorldConfig{}.epoch;
  const auto count = config.sybils ? *config.sybils : kTimesK * static_cast<std::uint32_t>(dht::Config{}.k);
  return config.prefix_rule ? sybils_in_prefixes(config, targets, count, now)
                            : sybils_anywhere(config, targets, count, who, now);
}

void start_all(Crowd& crowd) {
  const auto between = [&](std::uint32_t first, std::uint32_t end, Time from, Duration span) {
    for (std::uint32_t i = first; i < end; ++i)
      crowd.world().at(from + span * (i - first) / (end - first), [&crowd, i](Time now) { crowd.start(now, i); });
  };
  const Duration leaves = std::chrono::milliseconds(5) * (crowd.nodes() - crowd.supernodes());
  between(0, crowd.supernodes(), Time{}, kEach);
  between(crowd.nodes(), crowd.hosts(), Time{} + kEach, kEach);
  between(crowd.supernodes(), crowd.nodes(), Time{} + 2 * kEach, leaves);
  crowd.run("joining", Time{} + 2 * kEach + leaves + kCalm);
}

}  // namespace

Report run_sybil(const ScenarioConfig& config) {
  const auto nodes = config.nodes != 0 ? config.nodes : kAround;
  const Population who{nodes, std::max<std::uint32_t>(4, nodes / kHonestForOne)};
  const auto victim = nodes - 1;
  // Further copies lie at the salted root of the key: who would hide a name has to be around that as well.
  const auto key = crypto::user_key(name_of(victim));
  std::vector<dht::Id> targets{dht::id_of(key)};
  if (config.at_root) targets.push_back(dht::salted_root(key));
  Crowd crowd(config, who, {}, attackers(config, who, targets));
  for (auto i = crowd.nodes(); i < crowd.hosts(); ++i) crowd.corrupt(i, Lie::misroute);
  start_all(crowd);
  auto& report = crowd.report();
  report.sybils = crowd.hosts() - crowd.nodes();
  report.prefix_rule = config.prefix_rule;
  for (const auto& home : crowd.homes(victim)) report.hostile_homes += crowd.honest(home) ? 0 : 1;
  const Time from = crowd.world().now();
  const auto span = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(60 * config.minutes));
  crowd.ask_for(victim, from, span, static_cast<std::uint64_t>(config.minutes * nodes));
  crowd.run("looking up", from + span + seconds(6));
  report.denied = report.lookups - report.lookups_ok;
  return crowd.finish();
}

}  // namespace linnet::sim
