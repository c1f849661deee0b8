// A hundred peers start at once on loopback, each on a socket of its own; when all are online all look up all. One
// process, one thread, the shipped cryptography and driver.
//
// One thread carries all of them, so a hundred lookups at once wait for each other until they time out, and the figure
// is the thread's. As many are under way as answer within `kSoon`: the number follows what the machine carries. It ends
// when all are answered or none was for --patience seconds.
//
//   bench_join_storm [--nodes 100] [--supernodes 10] [--at-once 4] [--patience 60]
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>

#include "tests/io/real_peer.h"

namespace linnet::io {
namespace {

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(used.ru_utime) + of(used.ru_stime);
}

struct Storm {
  std::size_t nodes = 100;
  std::size_t supernodes = 10;
  double at_once = 4;  // lookups under way, of all peers: where it begins
  Duration patience = std::chrono::seconds(60);

  Loop loop;
  std::vector<std::unique_ptr<RealPeer>> peers;
  struct Asker {
    std::size_t next = 0;
    std::map<overlay::FindId, std::pair<std::size_t, Time>> open;
  };
  std::vector<Asker> askers;
  std::unique_ptr<Loop::Alarm> alarm;
  static constexpr Duration kSoon = std::chrono::milliseconds(200);
  static constexpr double kMostAtOnce = 64;
  std::size_t under_way = 0, turn = 0;
  double most_at_once = 0;
  Time began{}, all_online{}, looked_at{}, moved_at{}, slowed_at{};
  bool looking = false;
  std::size_t asked = 0, found = 0, empty = 0, wrong = 0, failed = 0, refused = 0;
  std::vector<double> joins, lookups;
  std::vector<bool> was_online;
  struct Told {
    double cpu = 0;
    std::uint64_t datagrams = 0, requests = 0, timeouts = 0;
  } told;

  void start() {
    std::vector<Endpoint> first;
    for (std::size_t i = 0; i < nodes; ++i) {
      RealPeer::Options options;
      options.role = i < supernodes ? overlay::Role::supernode : overlay::Role::leaf;
      options.bootstrap = first;
      peers.push_back(std::make_unique<RealPeer>(loop, "n" + std::to_string(i), options));
      if (i == 0) first = {peers[0]->endpoint()};
      peers[i]->on_event = [this, i](overlay::PeerEvent& e) { on(i, e); };
    }
    askers.resize(nodes);
    was_online.resize(nodes);
    alarm = loop.alarm([this] { look(); });
    began = moved_at = now();
    for (auto& peer : peers) peer->start();
    alarm->set(now());
    loop.run();
  }

  void on(std::size_t i, overlay::PeerEvent& event) {
    if (const auto* state = std::get_if<overlay::StateChanged>(&event);
        state && state->state == overlay::State::online && !was_online[i]) {
      was_online[i] = true;
      joins.push_back(static_cast<double>((now() - began).count()) / 1e3);
      moved_at = now();
    }
    const auto* answer = std::get_if<overlay::Found>(&event);
    if (!answer) return;
    const auto at = askers[i].open.find(answer->find);
    if (at == askers[i].open.end()) return;
    const auto target = at->second.first;
    const auto since = at->second.second;
    askers[i].open.erase(at);
    --under_way;
    moved_at = now();
    pace(since);
    lookups.push_back(static_cast<double>((now() - since).count()) / 1e3);
    const auto right = [&](const overlay::FoundDevice& d) {
      return d.record.device() == peers[target]->identity().device_key();
    };
    if (!answer->status) {
      ++failed;
    } else if (answer->devices.empty()) {
      ++empty;
    } else if (std::all_of(answer->devices.begin(), answer->devices.end(), right)) {
      ++found;
    } else {
      ++wrong;
    }
    if (found + empty + wrong + failed <= 20 && (!answer->status || answer->devices.empty()))
      std::printf("n%zu did not find n%zu: %s\n", i, target, answer->status ? "nobody has it" : "no answer");
    if (looking) loop.post([this] { ask(); });
  }

  // One more after as many soon answers as are under way; half as many after a late one, once for each kSoon.
  void pace(Time since) {
    if (now() - since <= kSoon) {
      at_once = std::min(kMostAtOnce, at_once + 1 / at_once);
    } else if (now() - slowed_at > kSoon) {
      at_once = std::max(1.0, at_once / 2);
      slowed_at = now();
    }
    most_at_once = std::max(most_at_once, at_once);
  }

  // The peers take turns.
  void ask() {
    for (std::size_t tried = 0; tried < nodes && static_cast<double>(under_way) + 1 <= at_once; ++tried) {
      if (ask_one(turn)) tried = 0;
      turn = (turn + 1) % nodes;
    }
  }

  bool ask_one(std::size_t i) {
    auto& asker = askers[i];
    if (asker.next == 0) asker.next = 1;  // nobody asks for itself, nor all for the same one at once
    if (asker.next >= nodes) return false;
    const auto target = (i + asker.next) % nodes;
    const auto id = peers[i]->peer().find(now(), peers[target]->identity().address, std::nullopt, true);
    if (!id) {
      ++refused;
      return false;
    }
    ++asker.next;
    ++asked;
    ++under_way;
    asker.open[*id] = {target, now()};
    peers[i]->pump();
    return true;
  }

  // What it took since the last report.
  void report(const char* what) {
    std::uint64_t datagrams = 0, requests = 0, timeouts = 0;
    for (const auto& peer : peers) {
      datagrams += peer->peer().counters().datagrams_in;
      if (const auto* dht = peer->peer().dht()) {
        requests += dht->counters().requests_out;
        timeouts += dht->counters().timeouts;
      }
    }
    const double cpu = cpu_seconds();
    std::printf("%s: %.2f s CPU, %llu datagrams, %llu DHT requests, %llu of them unanswered\n", what, cpu - told.cpu,
                static_cast<unsigned long long>(datagrams - told.datagrams),
                static_cast<unsigned long long>(requests - told.requests),
                static_cast<unsigned long long>(timeouts - told.timeouts));
    told = {cpu, datagrams, requests, timeouts};
  }

  void look() {
    if (!looking && joins.size() == nodes) {
      looking = true;
      all_online = now();
      report("join");
      ask();
    }
    const bool done = looking && found + empty + wrong + failed == nodes * (nodes - 1);
    if (done || now() - moved_at > patience) {
      looked_at = now();
      report(looking ? "lookups" : "join, not all");
      return loop.stop();
    }
    alarm->set(now() + std::chrono::milliseconds(10));
  }
};

double at(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

}  // namespace
}  // namespace linnet::io

int main(int argc, char** argv) {
  using namespace linnet::io;
  Storm storm;
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto n = static_cast<std::size_t>(std::strtoul(argv[i + 1], nullptr, 10));
    if (std::strcmp(argv[i], "--nodes") == 0) storm.nodes = n;
    if (std::strcmp(argv[i], "--supernodes") == 0) storm.supernodes = std::max<std::size_t>(1, n);
    if (std::strcmp(argv[i], "--at-once") == 0) storm.at_once = static_cast<double>(std::max<std::size_t>(1, n));
    if (std::strcmp(argv[i], "--patience") == 0) storm.patience = std::chrono::seconds(n);
  }
  storm.supernodes = std::min(storm.supernodes, storm.nodes);
  storm.start();
  const double all = static_cast<double>(storm.nodes * (storm.nodes - 1));
  std::printf("%zu peers, %zu of them supernodes, started at once\n", storm.nodes, storm.supernodes);
  std::printf("online %zu; join p50 %.0f ms, p95 %.0f ms, most %.0f ms\n", storm.joins.size(), at(storm.joins, .5),
              at(storm.joins, .95), at(storm.joins, 1));
  std::printf("lookups %zu: found %zu (%.3f %%), nobody %zu, wrong %zu, no answer %zu\n", storm.asked, storm.found,
              100.0 * static_cast<double>(storm.found) / all, storm.empty, storm.wrong, storm.failed);
  std::printf("at most %.0f lookups under way\n", storm.most_at_once);
  std::printf("lookup p50 %.1f ms, p99 %.1f ms, most %.1f ms; %.1f s in all\n", at(storm.lookups, .5),
              at(storm.lookups, .99), at(storm.lookups, 1),
              std::chrono::duration<double>(storm.looked_at - storm.all_online).count());
  return static_cast<double>(storm.found) >= .999 * all ? 0 : 1;
}
