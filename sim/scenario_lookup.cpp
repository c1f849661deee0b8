#include <algorithm>
#include <map>
#include <numeric>

#include "base/blocks.h"
#include "sim/designs.h"
#include "sim/outcome.h"
#include "sim/owner.h"
#include "sim/peer_actor.h"
#include "sim/population.h"
#include "sim/scenario.h"
#include "sim/typed_codec.h"

namespace linnet::sim {
namespace {

using std::chrono::seconds;

constexpr std::uint32_t kLookupNodes = 10'000;
constexpr std::uint32_t kLeavesPerSupernode = 40;
constexpr auto kSupernodesFirst = seconds(20);  // supernodes start within it, leaves after it
constexpr auto kSettle = seconds(90);           // after the last host started
constexpr auto kQuiet = seconds(60);            // upkeep is measured here
constexpr auto kLookupDeadline = seconds(6);
constexpr auto kPublishing = seconds(10);
constexpr std::uint32_t kNamesCounted = 4000;
constexpr std::uint32_t kPublishers = 20;  // one host in so many publishes again while that is measured

class LookupScenario {
 public:
  explicit LookupScenario(const ScenarioConfig& config)
      : config_(config),
        nodes_(config.nodes != 0 ? config.nodes : kLookupNodes),
        who_(population_of(config, nodes_, kLeavesPerSupernode, 3)),
        supernodes_(who_.supernodes),
        codec_(suite_of(config.wire), crypto::network_id("linnet")),
        world_(world_config(config)),
        rng_(config.seed ^ 0x6c6f6f6bU) {}

  Report run() {
    populate();
    phase("supernodes", Time{} + kSupernodesFirst);
    report_.bytes_per_supernode_alone = own_bytes_of_supernodes();
    const Time started = Time{} + start_span() + kSettle;
    phase("joining", started);
    check_online();
    measure_upkeep(started);
    look_up();
    count_memory();
    count_copies();
    measure_publishing();
    return finish();
  }

 private:
  struct Asked {
    std::uint32_t target;
    Time at;
  };

  static WorldConfig world_config(const ScenarioConfig& config) {
    WorldConfig w;
    w.seed = config.seed;
    if (config.loss) w.link.loss = *config.loss;
    return w;
  }

  overlay::PeerConfig shaped() const {
    overlay::PeerConfig out;
    shape(config_, out);
    return out;
  }
  bool is_supernode(std::uint32_t i) const { return i < supernodes_; }
  Duration start_span() const { return kSupernodesFirst + std::chrono::milliseconds(5) * (nodes_ - who_.fit); }
  // Whatever the design, the same hosts start at the same time.
  Duration start_of(std::uint32_t i) const {
    return i < who_.fit ? Duration(kSupernodesFirst) * i / who_.fit
                        : kSupernodesFirst + std::chrono::milliseconds(5) * (i - who_.fit);
  }
  PeerActor& actor(std::uint32_t i) { return *actors_[i]; }

  void phase(std::string_view name, Time until) {
    while (world_.now() < until) {
      world_.run_until(std::min(until, world_.now() + seconds(10)));
      collect();
      if (config_.progress)
        config_.progress({name, static_cast<double>(micros(world_.now().time_since_epoch())) * 1e-6, world_.events(),
                          count_online()});
    }
  }

  void populate() {
    world_.watch([this](Time, HostId, HostId, ByteView bytes) {
      if (bytes.size() > kMaxDatagram) oversize_ = true;
      if (!bytes.empty() && (bytes[0] == dht::kRequestType || bytes[0] == dht::kAnswerType)) ++rpc_datagrams_;
    });
    const auto where = is_closed(config_) ? closed_endpoint : public_endpoint;
    names_ = names_of(config_, nodes_, world_.wall());
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      const Working owner(i);
      overlay::PeerConfig p;
      p.network = crypto::network_id("linnet");
      if (config_.wire == Wire::typed) p.codec = &codec_;
      p.role = is_supernode(i) ? overlay::Role::supernode : overlay::Role::leaf;
      const bool nat = !is_supernode(i);
      const Endpoint inside = nat ? private_endpoint(i) : where(i);
      p.listen = {inside};
      p.bootstrap = bootstrap_for(config_.seed, i, std::min(who_.fit, supernodes_), where);
      shape(config_, p);
      auto identity = identity_for(config_, i, world_.wall());
      identity.address = names_[i];
      auto made =
          std::make_unique<PeerActor>(std::move(p), suite_of(config_.wire), seed_for(config_.seed, i), identity);
      const Working world;
      actors_.push_back(made.get());
      world_.add(std::move(made), inside, i < who_.fit,
                 nat ? std::optional<NatBox>(NatBox(NatKind::port_restricted, public_endpoint(i).ip)) : std::nullopt);
      world_.at(Time{} + start_of(i), [this, i](Time now) {
        const Working host(i);
        actor(i).peer().start(now, world_.wall());
        world_.settle(HostId{i});
      });
    }
  }

  std::uint64_t count_online() const {
    std::uint64_t out = 0;
    for (const auto* a : actors_) out += a->online_at() ? 1 : 0;
    return out;
  }
  void check_online() {
    const auto missing = nodes_ - count_online();
    if (missing > 0) report_.broken.push_back(std::to_string(missing) + " peers never came online");
  }

  std::pair<std::uint64_t, std::uint64_t> bytes_out() const {
    std::uint64_t leaf = 0;
    std::uint64_t super = 0;
    for (std::uint32_t i = 0; i < nodes_; ++i) (is_supernode(i) ? super : leaf) += world_.counters(HostId{i}).bytes_out;
    return {leaf, super};
  }

  void measure_upkeep(Time from) {
    const auto before = bytes_out();
    const auto rpc_before = rpc_datagrams_;
    const auto cpu = cpu_seconds();
    phase("quiet", from + kQuiet);
    quiet_cpu_seconds_ = cpu_seconds() - cpu;
    const auto after = bytes_out();
    const double span = static_cast<double>(kQuiet.count());
    report_.upkeep_bps_leaf =
        static_cast<double>(after.first - before.first) / span / std::max(1U, nodes_ - supernodes_);
    report_.upkeep_bps_supernode = static_cast<double>(after.second - before.second) / span / supernodes_;
    rpc_per_second_ = static_cast<double>(rpc_datagrams_ - rpc_before) / span;
  }

  void look_up() {
    const auto total = static_cast<std::uint64_t>(static_cast<double>(nodes_) * config_.minutes);
    const auto span = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(60.0 * config_.minutes));
    const Time from = world_.now();
    for (std::uint64_t n = 0; n < total; ++n) {
      const auto caller = static_cast<std::uint32_t>(rng_.below(nodes_));
      auto target = static_cast<std::uint32_t>(rng_.below(nodes_ - 1));
      if (target >= caller) ++target;
      world_.at(from + Duration(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(span.count())))),
                [this, caller, target](Time now) { ask(now, caller, target); });
    }
    report_.lookups = total;
    const double cpu = cpu_seconds();
    const auto rpc_before = rpc_datagrams_;
    phase("looking up", from + span + kLookupDeadline);
    report_.lookup_cpu_seconds = cpu_seconds() - cpu;
    const double seconds_long = static_cast<double>(micros(span + kLookupDeadline)) * 1e-6;
    report_.upkeep_cpu_seconds = quiet_cpu_seconds_ * seconds_long / static_cast<double>(kQuiet.count());
    report_.messages_per_lookup = (static_cast<double>(rpc_datagrams_ - rpc_before) - rpc_per_second_ * seconds_long) /
                                  static_cast<double>(std::max<std::uint64_t>(1, total));
    // A network that loses what it likes may lose lookups too.
    const bool must_find = config_.loss.value_or(0) == 0 && config_.design == Design::supernodes;
    if (must_find && report_.lookups_ok * 1000 < report_.lookups * 999)
      report_.broken.push_back(std::to_string(report_.lookups - report_.lookups_ok) +
                               " lookups did not find whom they asked for");
  }

  void ask(Time now, std::uint32_t caller, std::uint32_t target) {
    const auto id = [&] {
      const Working host(caller);
      return actor(caller).peer().find(now, names_[target], std::nullopt, true);
    }();
    if (id) asked_[{caller, static_cast<std::uint64_t>(*id)}] = {target, now};
    world_.settle(HostId{caller});
  }

  void collect() {
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      for (auto& answer : actor(i).take_answers()) {
        const auto asked = asked_.find({i, static_cast<std::uint64_t>(answer.found.find)});
        if (asked == asked_.end()) {
          report_.broken.push_back("an answer nobody asked for");
          continue;
        }
        judge(asked->second, answer);
      }
    }
  }

  void judge(const Asked& asked, const PeerActor::Answer& answer) {
    count_answer(report_, actor(asked.target).identity().account_key(), answer.found, answer.at - asked.at);
  }

  // What a host holds beside records, contact book and host cache. By allocation where the program counts its
  // allocations (sim/arena.h), else as the peer estimates it.
  double own_bytes(std::uint32_t i) {
    auto& peer = actor(i).peer();
    const auto* dht = peer.dht();
    const auto counted = bytes_of_host(i);
    const auto apart = cache_bytes(i) + (dht == nullptr ? 0 : dht->record_memory_bytes() + dht->contact_book_bytes());
    return static_cast<double>(counted ? *counted - apart : peer.memory_bytes());
  }
  std::size_t cache_bytes(std::uint32_t i) {
    return block_bytes(actor(i).peer().host_cache().hosts().capacity() * sizeof(overlay::CachedHost));
  }
  double own_bytes_of_supernodes() {
    double out = 0;
    for (std::uint32_t i = 0; i < supernodes_; ++i) out += own_bytes(i);
    return out / supernodes_;
  }

  void count_memory() {
    double leaf = 0;
    double records = 0;
    double books = 0;
    double served = 0;
    for (std::uint32_t i = 0; i < nodes_; ++i) {
      report_.bytes_host_cache += static_cast<double>(cache_bytes(i)) / nodes_;
      const auto& peer = actor(i).peer();
      if (!is_supernode(i)) leaf += own_bytes(i);
      if (peer.dht() == nullptr) continue;
      records += static_cast<double>(peer.dht()->record_memory_bytes());
      books += static_cast<double>(peer.dht()->contact_book_bytes());
      served += static_cast<double>(peer.leaf_count());
    }
    report_.bytes_per_leaf = leaf / std::max(1U, nodes_ - supernodes_);
    report_.bytes_per_supernode = own_bytes_of_supernodes();
    report_.bytes_records = records / supernodes_;
    report_.bytes_contact_book = books / supernodes_;
    report_.leaves_per_supernode = served / supernodes_;
    const auto for_leaves = report_.bytes_per_supernode - report_.bytes_per_supernode_alone;
    report_.bytes_per_leaf_served = for_leaves * supernodes_ / std::max(1.0, served);
  }

  // Some hosts are certified anew, so they publish anew. What that costs the supernodes beyond their
  // upkeep, for as many records as a renewal every third of a record's life brings.
  void measure_publishing() {
    const auto before = bytes_out();
    std::uint32_t publishers = 0;
    const Time from = world_.now();
    for (std::uint32_t i = 0; i < nodes_; i += kPublishers) {
      const auto at = from + Duration(seconds(5)) * i / nodes_;
      world_.at(at, [this, i](Time now) {
        {
          const Working host(i);
          actor(i).peer().identity_changed(now);
        }
        world_.settle(HostId{i});
      });
      ++publishers;
    }
    phase("publishing", from + kPublishing);
    const double spent = static_cast<double>(bytes_out().second - before.second) -
                         report_.upkeep_bps_supernode * supernodes_ * static_cast<double>(kPublishing.count());
    const double renewals = nodes_ / (static_cast<double>(shaped().record_life.count()) / 3);
    // Records that are renewed within a minute are part of what a quiet minute costs.
    if (shaped().record_life <= 3 * kQuiet) return;
    report_.publish_bps_supernode = std::max(0.0, spent) / publishers * renewals / supernodes_;
  }

  // The plan stores a record six times and three at its salted root; churn of the region and places where many happen to
  // stand (decision 034) may leave more behind, never more than three times that.
  void count_copies() {
    const auto plan = shaped().replicas + shaped().salted_replicas;
    // Of so many names at most: every store is asked for every one of them.
    const auto step = (nodes_ + kNamesCounted - 1) / kNamesCounted;
    std::vector<crypto::UserKey> keys;
    for (std::uint32_t i = 0; i < nodes_; i += step) keys.push_back(crypto::user_key(names_[i]));
    std::vector<std::uint64_t> copies(keys.size());
    for (std::uint32_t s = 0; s < supernodes_; ++s) {  // one store after the other: each is in the cache once
      for (std::size_t i = 0; i < keys.size(); ++i)
        copies[i] += actor(s).peer().dht()->local_records(keys[i]).empty() ? 0 : 1;
    }
    const auto sum = std::accumulate(copies.begin(), copies.end(), std::uint64_t{0});
    report_.copies_max = *std::max_element(copies.begin(), copies.end());
    report_.copies_mean = static_cast<double>(sum) / static_cast<double>(keys.size());
    if (config_.design == Design::supernodes && report_.copies_max > 3 * plan)
      report_.broken.push_back("a record is stored more than three times as often as planned");
  }

  Report finish() {
    report_world(report_, config_, who_, world_, oversize_);
    if (config_.wire == Wire::typed) report_.wire_checked_pct = codec_.check().checked_pct();
    for (const auto& what : codec_.check().different()) report_.broken.push_back(what);
    if (report_.wrong_keys > 0) report_.broken.push_back("a lookup gave a wrong key");
    return std::move(report_);
  }

  ScenarioConfig config_;
  std::uint32_t nodes_;
  Population who_;
  std::uint32_t supernodes_;
  std::vector<crypto::Address> names_;
  TypedCodec codec_;  // outlives the peers of the world
  World world_;
  SeededRng rng_;
  std::vector<PeerActor*> actors_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Asked> asked_;
  std::uint64_t rpc_datagrams_ = 0;
  double rpc_per_second_ = 0;
  double quiet_cpu_seconds_ = 0;
  bool oversize_ = false;
  Report report_;
};

}  // namespace

Report run_lookup(const ScenarioConfig& config) { return LookupScenario(config).run(); }

}  // namespace linnet::sim
