// Nodes of OpenDHT (GPL: this program is never packaged), one process, on loopback, as their DhtRunner runs them: each
// with threads of its own. A node stores a value under its own name and is looked up by it, as a peer of ours is.
//   bench_opendht_peers [--nodes 100] [--gets 100] [--puts 40] [--killed 30]
//
// Its receiving threads wait with select(): descriptors must stay below 1,024, so 200 nodes or fewer.
#include <opendht.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "bench/peers/trial.h"

namespace linnet::peers {
namespace {

constexpr auto kTryAgain = std::chrono::milliseconds(200);

class Network {
 public:
  explicit Network(const Plan& plan) : plan_(plan) {}

  Outcome run() {
    storm();
    std::this_thread::sleep_for(kQuiet);
    out_.rss_mb = peak_mb();
    out_.get_cpu = look_up(out_.get);
    for (std::size_t i = 0; i < plan_.puts; ++i) come_late();
    kill();
    out_.killed_cpu = look_up(out_.get_killed);
    const std::lock_guard lock(mutex_);
    return std::move(out_);
  }

 private:
  enum class Stored { no, asked, refused, yes };
  struct One {
    std::unique_ptr<dht::DhtRunner> runner;
    dht::InfoHash name;
    Clock::time_point started;
    Clock::time_point again;
    std::atomic<Stored> stored{Stored::no};
    bool counted = false;
  };

  std::size_t add() {
    auto& one = ones_.emplace_back();
    one.runner = std::make_unique<dht::DhtRunner>();
    one.name = dht::InfoHash::get("n" + std::to_string(ones_.size() - 1));
    return ones_.size() - 1;
  }

  // All are at one address here: what a node takes from one is not limited.
  void start(std::size_t i) {
    auto& one = ones_[i];
    one.started = Clock::now();
    dht::DhtRunner::Config config;
    config.dht_config.node_config.max_req_per_sec = -1;
    config.dht_config.node_config.max_peer_req_per_sec = -1;
    config.threaded = true;
    config.bind4 = dht::SockAddr::resolve("127.0.0.1", "0").front();
    one.runner->run(config, {});
    if (i > 0) one.runner->bootstrap("127.0.0.1", std::to_string(ones_[0].runner->getBoundPort()));
    store(one);
  }

  void store(One& one) {
    one.stored = Stored::asked;
    one.runner->put(one.name, dht::Value(dht::Blob(kValueBytes, 7)),
                    [&one](bool ok) { one.stored = ok ? Stored::yes : Stored::refused; });
  }

  // Whether it can be found by now; a store that was refused is asked for again.
  bool look_at(One& one, Samples& into) {
    if (one.counted) return true;
    if (one.stored == Stored::yes) {
      one.counted = true;
      into.ms.push_back(ms_since(one.started));
      return true;
    }
    if (one.stored == Stored::refused) {
      one.stored = Stored::no;
      one.again = Clock::now() + kTryAgain;
    }
    if (one.stored == Stored::no && Clock::now() >= one.again) store(one);
    return false;
  }

  template <typename Condition>
  void wait_for(Condition condition, Clock::duration limit) {
    const auto until = Clock::now() + limit;
    while (!condition() && Clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  void storm() {
    const double cpu = cpu_now();
    for (std::size_t i = 0; i < plan_.nodes; ++i) add();
    out_.storm.begun = plan_.nodes;
    for (std::size_t i = 0; i < plan_.nodes; ++i) start(i);
    wait_for(
        [&] {
          bool all = true;
          for (auto& one : ones_) all = look_at(one, out_.storm) && all;
          return all;
        },
        kJoinWithin);
    out_.storm_cpu = cpu_now() - cpu;
  }

  void come_late() {
    ++out_.put.begun;
    auto& one = ones_[add()];
    start(ones_.size() - 1);
    wait_for([&] { return look_at(one, out_.put); }, kAnswerWithin);
  }

  std::size_t somebody() {
    for (;;) {
      const auto i = static_cast<std::size_t>(chance_() % plan_.nodes);
      if (ones_[i].runner && ones_[i].counted) return i;
    }
  }

  // Until the first value is there: they are not signed, so there is nothing else to wait for.
  void ask(Samples& into) {
    const auto caller = somebody();
    auto target = somebody();
    while (target == caller) target = somebody();
    ++into.begun;
    ++open_;
    const auto at = Clock::now();
    auto found = std::make_shared<std::atomic_bool>(false);
    ones_[caller].runner->get(
        ones_[target].name,
        [this, at, found, &into](const std::vector<std::shared_ptr<dht::Value>>& values) {
          if (values.empty() || found->exchange(true)) return true;
          const std::lock_guard lock(mutex_);
          into.ms.push_back(ms_since(at));
          return false;
        },
        [this](bool) { --open_; });
  }

  double look_up(Samples& into) {
    const double cpu = cpu_now();
    for (std::size_t n = 0; n < plan_.gets; ++n) {
      ask(into);
      std::this_thread::sleep_for(kBetweenGets);
    }
    wait_for([&] { return open_ == 0; }, kAnswerWithin);
    return cpu_now() - cpu;
  }

  // All at once: each is joined by a thread, since that takes its time. The first stays, as in linnet_peers.
  void kill() {
    const auto from = Clock::now();
    std::vector<std::size_t> doomed;
    for (std::size_t i = 1; i < plan_.nodes; ++i) doomed.push_back(i);
    std::shuffle(doomed.begin(), doomed.end(), chance_);
    doomed.resize(
        std::min(doomed.size(), static_cast<std::size_t>(plan_.killed / 100 * static_cast<double>(plan_.nodes))));
    std::vector<std::thread> threads;
    for (const auto i : doomed) threads.emplace_back([&one = ones_[i]] { one.runner->join(); });
    for (auto& thread : threads) thread.join();
    for (const auto i : doomed) ones_[i].runner.reset();
    out_.kill_ms = ms_since(from);
  }

  Plan plan_;
  std::deque<One> ones_;
  std::mt19937_64 chance_{1};
  std::mutex mutex_;
  std::atomic<int> open_{0};
  Outcome out_;
};

}  // namespace
}  // namespace linnet::peers

int main(int argc, char** argv) {
  const auto plan = linnet::peers::plan_of(argc, argv);
  print("opendht", plan, linnet::peers::Network(plan).run());
  std::fflush(stdout);
  std::_Exit(0);  // joining all their threads would take longer than the trial
}
