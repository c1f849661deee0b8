// Several sockets, two families, two circuits: which way is taken, and what a dead one costs.
#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <set>

#include "nat/ice_agent.h"

namespace linnet::nat::ice {
namespace {

using namespace std::chrono_literals;

constexpr Base kV4 = 0;
constexpr Base kV6 = 1;
constexpr Base kVpn = 2;
constexpr Base kNear = 10;
constexpr Base kFar = 11;

// Both sides have the same bases; each base is a wire of its own to the same base of the other side, or dead.
class Wires {
 public:
  explicit Wires(Policy policy = Policy::move) {
    for (const bool controlling : {true, false}) {
      AgentConfig config;
      config.role = controlling ? Role::controlling : Role::controlled;
      config.policy = policy;
      sides_[controlling ? 0 : 1] = std::make_unique<Agent>(config, rng_);
    }
    EXPECT_TRUE(side(0).set_remote(now, side(1).credentials()));
    EXPECT_TRUE(side(1).set_remote(now, side(0).credentials()));
  }

  Agent& side(int i) { return *sides_[i]; }
  static Endpoint address(Base base, int i) {
    const auto last = static_cast<std::uint8_t>(i + 1);
    if (base == kV6) return {IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last}), 4400};
    return {IpAddress::v4(192, 0, static_cast<std::uint8_t>(2 + base), last), 4400};
  }
  void add_sockets(const std::vector<std::pair<Base, std::uint16_t>>& bases) {
    for (const int i : {0, 1}) {
      for (const auto& [base, preference] : bases) {
        at_[address(base, i)] = {i, base};
        side(i).add_host(now, base, address(base, i), preference);
      }
    }
    drain();
  }
  void add_circuit(Base base, std::uint64_t id) {
    for (const int i : {0, 1}) side(i).add_circuit(now, base, id);
    drain();
  }
  void run_for(Duration time) {
    const auto end = now + time;
    drain();
    for (int i = 0; i < 100'000; ++i) {
      auto next = std::min(side(0).next_timeout(), side(1).next_timeout());
      if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
      if (next > end) break;
      now = std::max(now, next);
      while (!wire_.empty() && wire_.begin()->first <= now) {
        const auto packet = std::move(wire_.extract(wire_.begin()).mapped());
        side(packet.to).handle(now, packet.base, packet.from, *stun::Message::parse(packet.bytes));
      }
      for (const int s : {0, 1}) side(s).handle_timeout(now);
      drain();
    }
    now = end;
  }
  Base selected(int i) { return side(i).selected() ? side(i).selected()->base : 99; }

  Time now{1h};
  std::map<Base, Duration> one_way;  // 10 ms where nothing is said
  std::set<Base> dead;
  int gathered = 0;

 private:
  struct Packet {
    int to = 0;
    Base base = 0;
    Endpoint from;
    Bytes bytes;
  };
  void drain() {
    for (const int i : {0, 1}) {
      while (const auto out = side(i).poll_transmit()) send(i, *out);
      while (const auto e = side(i).poll_event()) {
        if (const auto* c = std::get_if<event::LocalCandidate>(&*e)) (void)side(1 - i).add_remote(now, c->candidate);
        if (std::holds_alternative<event::GatheringDone>(*e)) ++gathered;
      }
    }
  }
  void send(int i, const Outgoing& out) {
    if (dead.count(out.base) != 0) return;
    const auto slow = one_way.find(out.base);
    const auto at = now + (slow == one_way.end() ? Duration(10ms) : slow->second);
    if (out.base >= kNear) {
      wire_.emplace(at, Packet{1 - i, out.base, out.to, out.bytes});
      return;
    }
    const auto to = at_.find(out.to);
    if (to != at_.end() && to->second.second == out.base)
      wire_.emplace(at, Packet{to->second.first, out.base, address(out.base, i), out.bytes});
  }

  SeededRng rng_{3};
  std::unique_ptr<Agent> sides_[2];
  std::map<Endpoint, std::pair<int, Base>> at_;
  std::multimap<Time, Packet> wire_;
};

TEST(IceBases, TheFamilyThatIsPreferredIsTaken) {
  for (const auto policy : {Policy::move, Policy::once}) {
    for (const auto first : {kV4, kV6}) {
      Wires wires(policy);
      wires.add_sockets({{first, 0xffff}, {first == kV4 ? kV6 : kV4, 0xfffe}});
      wires.run_for(3s);
      EXPECT_EQ(wires.selected(0), first);
      EXPECT_EQ(wires.selected(1), first);
    }
  }
}

TEST(IceBases, AnInterfaceThatSwallowsEverythingDelaysNothing) {
  for (const auto policy : {Policy::move, Policy::once}) {
    Wires wires(policy);
    wires.dead = {kVpn};
    wires.add_sockets({{kVpn, 0xffff}, {kV4, 0xfffe}});
    wires.side(0).gather(wires.now, kVpn, *Endpoint::parse("198.51.100.1:3478"));
    wires.side(0).end_of_local(wires.now);
    // Three of the four pairs go first, a pace apart; toward foreign agents they are given some patience.
    wires.run_for(policy == Policy::move ? 300ms : 800ms);
    EXPECT_EQ(wires.selected(0), kV4);
    EXPECT_EQ(wires.selected(1), kV4);
    EXPECT_EQ(wires.gathered, wires.now - Time{1h} >= Gatherer::kDeadline ? 1 : 0);
  }
}

TEST(IceBases, OfTwoCircuitsTheNearerOneCarriesTheCall) {
  for (const bool near_first : {true, false}) {
    Wires wires;
    wires.one_way = {{kNear, 15ms}, {kFar, 60ms}};
    wires.add_circuit(near_first ? kNear : kFar, near_first ? 1 : 2);
    wires.add_circuit(near_first ? kFar : kNear, near_first ? 2 : 1);
    wires.run_for(3s);
    EXPECT_EQ(wires.selected(0), kNear);
    EXPECT_EQ(wires.selected(1), kNear);
  }
}

TEST(IceBases, ACircuitThatDiesLeavesTheCallOnTheOther) {
  Wires wires;
  wires.one_way = {{kNear, 15ms}, {kFar, 60ms}};
  wires.add_circuit(kNear, 1);
  wires.add_circuit(kFar, 2);
  wires.run_for(3s);
  wires.dead = {kNear};
  for (const int i : {0, 1}) wires.side(i).suspect(wires.now);
  wires.run_for(110ms);
  EXPECT_EQ(wires.selected(0), kNear) << "the other is farther away than that";
  wires.run_for(170ms);
  EXPECT_EQ(wires.selected(0), kFar);
  EXPECT_EQ(wires.selected(1), kFar);
}

}  // namespace
}  // namespace linnet::nat::ice
