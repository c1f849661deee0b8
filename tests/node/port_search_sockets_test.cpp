// The sockets that a search for ports opens (node/port_search.h): whole nodes, a symmetric NAT before the one that
// calls and a firewall before the other. However a search ends, no socket outlives it by more than two seconds, but
// those by which the two found each other.
#include "node/port_search.h"
#include "node/sockets.h"
#include "tests/node/calls_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kGone = seconds(2);
const IpAddress kOuter = IpAddress::v4(198, 53, 9, 9);

struct PortSearchSockets : Calls {
  static constexpr std::size_t kMain = 1'000;  // after those of the fan, by their index

  void SetUp() override {
    Calls::SetUp();
    town.leaving = [this](Resident& who, const Endpoint& to, Bytes& bytes) {
      if (&who != alice) return false;
      const auto of_search = adopted.find(to.socket);
      leave(of_search == adopted.end() ? kMain : of_search->second, to, std::move(bytes));
      return true;
    };
    town.searching = [this](Resident&, FanShot shot) {
      searched = true;
      leave(shot.socket, shot.datagram.to, std::move(shot.datagram.bytes));
    };
    town.to_nobody = [this](const Endpoint& from, const Endpoint& to, MutableBytes bytes) { come(from, to, bytes); };
    alice = &town.add(kAlice);
    bob = &town.add(kBob);
    settle();
  }

  // Another port for each socket and destination; the firewall of the other lets in whom he has sent to.
  void leave(std::size_t socket, Endpoint to, Bytes bytes) {
    to.socket = 0;
    auto& port = ports[{socket, to}];
    if (port == 0) port = next_port += 3;
    const Endpoint seen{kOuter, port};
    const bool in = to != bob->endpoint || (passable && town.flows.count({bob->endpoint, seen}) != 0);
    if (in) town.send(seen, to, std::move(bytes));
  }
  void come(Endpoint from, const Endpoint& to, MutableBytes bytes) {
    const auto at = std::find_if(ports.begin(), ports.end(), [&](const auto& p) {
      return p.second == to.port && p.first.second == from && to.ip == kOuter;
    });
    if (at == ports.end()) return;
    const auto socket = at->first.first;
    if (socket != kMain) {
      const auto kept = std::find_if(adopted.begin(), adopted.end(), [&](const auto& a) { return a.second == socket; });
      if (kept == adopted.end()) {
        const bool open = alice->count<event::OpenFan>() > alice->count<event::CloseFan>();
        if (!open || !alice->node->fan_heard(town.now(), socket, Datagram{from, bytes})) return town.drain(*alice);
        from.socket = static_cast<std::uint8_t>(kFirstAdopted + adopted.size());
        adopted[from.socket] = socket;
      } else {
        from.socket = kept->first;
      }
    }
    alice->node->handle_datagram(town.now(), Datagram{from, bytes});
    town.drain(*alice);
  }
  void search() {
    talk();
    ASSERT_TRUE(town.run_until([&] { return searched; }, seconds(30)));
    ASSERT_EQ(alice->count<event::OpenFan>(), 1U);
  }
  bool closed() { return alice->count<event::CloseFan>() == alice->count<event::OpenFan>(); }

  std::map<std::pair<std::size_t, Endpoint>, std::uint16_t> ports;
  std::map<std::uint8_t, std::size_t> adopted;  // sockets that found the other, by the number they are known by
  std::uint16_t next_port = 20'000;
  bool searched = false;
  bool passable = true;
};

TEST_F(PortSearchSockets, AreClosedWithinTwoSecondsWhenOneFoundTheWay) {
  search();
  ASSERT_TRUE(town.run_until([&] { return path(*alice) == PathWord::direct; }, seconds(15)));
  EXPECT_TRUE(town.run_until([&] { return closed(); }, kGone));
  EXPECT_GE(adopted.size(), 1U);
  town.run_for(seconds(10));
  EXPECT_EQ(path(*alice), PathWord::direct) << "the one that found it stays";
  EXPECT_EQ(alice->count<event::OpenFan>(), 1U);
  EXPECT_EQ(alice->count<event::CloseSocket>(), 0U);

  // Those that found it, spares among them, go with the link.
  town.kill(*bob);
  EXPECT_TRUE(town.run_until([&] { return alice->count<event::CloseSocket>() == adopted.size(); }, minutes(5)));
}

TEST_F(PortSearchSockets, AreClosedWithinTwoSecondsOfTheEndOfASearchInVain) {
  passable = false;
  search();
  EXPECT_FALSE(town.run_until([&] { return closed(); }, PortSearch::kLongest - seconds(2)));
  EXPECT_TRUE(town.run_until([&] { return closed(); }, seconds(2) + kGone));
  EXPECT_EQ(path(*alice), PathWord::relayed);
}

TEST_F(PortSearchSockets, AreClosedWithinTwoSecondsWhenTheCallEnds) {
  passable = false;
  search();
  town.tell(*alice, command::Hangup{});
  EXPECT_TRUE(town.run_until([&] { return closed(); }, kGone));
}

TEST_F(PortSearchSockets, AreClosedWithinTwoSecondsWhenTheOtherEndHangsUp) {
  passable = false;
  search();
  town.tell(*bob, command::Hangup{});
  EXPECT_TRUE(town.run_until([&] { return closed(); }, kGone));
}

}  // namespace
}  // namespace linnet::node
