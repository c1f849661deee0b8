// Real peers of ours, one process and one thread, on loopback: what opendht_peers does with theirs.
//   bench_linnet_peers [--nodes 100] [--supernodes 100] [--gets 100] [--puts 40] [--killed 30]
#include <deque>
#include <map>
#include <random>

#include "bench/peers/trial.h"
#include "tests/io/real_peer.h"

namespace linnet::peers {
namespace {

class Network {
 public:
  explicit Network(const Plan& plan) : plan_(plan) {}

  Outcome run() {
    storm();
    pause(kQuiet);
    out_.rss_mb = peak_mb();
    out_.get_cpu = look_up(out_.get);
    for (std::size_t i = 0; i < plan_.puts; ++i) come_late(i);
    kill();
    out_.killed_cpu = look_up(out_.get_killed);
    return std::move(out_);
  }

 private:
  struct Question {
    std::size_t target;
    Clock::time_point at;
  };
  struct One {
    std::unique_ptr<io::RealPeer> peer;
    Clock::time_point started;
    bool online = false;
    std::map<overlay::FindId, Question> open;
  };

  std::size_t add(overlay::Role role) {
    const auto i = ones_.size();
    io::RealPeer::Options options;
    options.role = role;
    if (i > 0) options.bootstrap = {ones_[0].peer->endpoint()};
    auto& one = ones_.emplace_back();
    one.peer = std::make_unique<io::RealPeer>(loop_, "n" + std::to_string(i), options);
    one.peer->on_event = [this, i](overlay::PeerEvent& e) { on(i, e); };
    return i;
  }
  void start(std::size_t i) {
    ones_[i].started = Clock::now();
    ones_[i].peer->start();
  }
  void pause(Duration span) {
    (void)io::run_to(
        loop_, [] { return false; }, span);
  }

  void storm() {
    const double cpu = cpu_now();
    for (std::size_t i = 0; i < plan_.nodes; ++i)
      add(i < plan_.supernodes ? overlay::Role::supernode : overlay::Role::leaf);
    joins_ = &out_.storm;
    out_.storm.begun = plan_.nodes;
    for (std::size_t i = 0; i < plan_.nodes; ++i) start(i);
    (void)io::run_to(
        loop_, [&] { return out_.storm.ms.size() == plan_.nodes; }, kJoinWithin);
    out_.storm_cpu = cpu_now() - cpu;
  }

  void come_late(std::size_t number) {
    joins_ = &out_.put;
    ++out_.put.begun;
    const bool leaf = plan_.supernodes < plan_.nodes;
    const auto before = out_.put.ms.size();
    start(add(leaf ? overlay::Role::leaf : overlay::Role::supernode));
    (void)io::run_to(
        loop_, [&] { return out_.put.ms.size() > before; }, kAnswerWithin);
    (void)number;
  }

  void on(std::size_t i, overlay::PeerEvent& event) {
    auto& one = ones_[i];
    const auto* state = std::get_if<overlay::StateChanged>(&event);
    if (state != nullptr && state->state == overlay::State::online && !one.online) {
      one.online = true;
      joins_->ms.push_back(ms_since(one.started));
    }
    const auto* answer = std::get_if<overlay::Found>(&event);
    const auto at = answer != nullptr ? one.open.find(answer->find) : one.open.end();
    if (at == one.open.end()) return;
    const auto right = ones_[at->second.target].peer->identity().device_key();
    const bool found = std::any_of(answer->devices.begin(), answer->devices.end(),
                                   [&](const overlay::FoundDevice& d) { return d.record.device() == right; });
    if (found) gets_->ms.push_back(ms_since(at->second.at));
    --open_;
    one.open.erase(at);
  }

  std::size_t somebody() {
    for (;;) {
      const auto i = static_cast<std::size_t>(chance_() % plan_.nodes);
      if (ones_[i].peer && ones_[i].online) return i;
    }
  }

  // As for a call to somebody known: it ends at the first record that his key signed.
  void ask() {
    const auto caller = somebody();
    auto target = somebody();
    while (target == caller) target = somebody();
    auto& peer = *ones_[caller].peer;
    const auto& who = ones_[target].peer->identity();
    ++gets_->begun;
    const auto id = peer.peer().find(io::now(), who.address, who.account_key(), true);
    if (id) {
      ones_[caller].open[*id] = {target, Clock::now()};
      ++open_;
    }
    peer.pump();
  }

  double look_up(Samples& into) {
    const double cpu = cpu_now();
    gets_ = &into;
    for (std::size_t n = 0; n < plan_.gets; ++n) {
      ask();
      pause(kBetweenGets);
    }
    (void)io::run_to(
        loop_, [&] { return open_ == 0; }, kAnswerWithin);
    return cpu_now() - cpu;
  }

  // Their sockets close without a word. The first stays: whoever comes later knows its address.
  void kill() {
    const auto from = Clock::now();
    std::vector<std::size_t> doomed;
    for (std::size_t i = 1; i < plan_.supernodes; ++i) doomed.push_back(i);
    std::shuffle(doomed.begin(), doomed.end(), chance_);
    doomed.resize(
        std::min(doomed.size(), static_cast<std::size_t>(plan_.killed / 100 * static_cast<double>(plan_.supernodes))));
    for (const auto i : doomed) ones_[i].peer.reset();
    out_.kill_ms = ms_since(from);
  }

  Plan plan_;
  io::Loop loop_;
  std::deque<One> ones_;
  std::mt19937_64 chance_{1};
  Samples* joins_ = nullptr;
  Samples* gets_ = nullptr;
  std::size_t open_ = 0;
  Outcome out_;
};

}  // namespace
}  // namespace linnet::peers

int main(int argc, char** argv) {
  const auto plan = linnet::peers::plan_of(argc, argv);
  print(plan.supernodes == plan.nodes ? "linnet" : "linnet with leaves", plan, linnet::peers::Network(plan).run());
}
