// Two ends that reach no supernode in common: each has its own, and these carry for each other, one hop more.
#include "overlay/bridges.h"

#include <gtest/gtest.h>

#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// alice gets out to s1 alone, by TCP; bob to s2 alone, by TCP. Supernodes reach each other.
struct Apart : testing::Test {
  void world(int supernodes = 2) {
    net.start(net.add("s1", Role::supernode));
    for (int i = 2; i <= supernodes; ++i) net.start(net.add("s" + std::to_string(i), Role::supernode, {"s1"}));
    net.block = [this](const Endpoint& from, const Endpoint& to) { return barred(from, to) || barred(to, from); };
    net.run(seconds(5));
    const auto tcp = [](PeerConfig& config) { config.tcp = true; };
    net.start(net.add("alice", Role::leaf, {"s1"}, tcp));
    net.start(net.add("bob", Role::leaf, {"s2"}, tcp));
    net.seen = [this](const Endpoint& from, const Endpoint& to, ByteView) {
      strayed = strayed || (from.ip == alice().endpoint.ip && to.ip == net.at("s2").endpoint.ip &&
                            !net.block(over(to.transport, from), to));
    };
  }
  bool barred(const Endpoint& one, const Endpoint& other) const {
    for (const auto& [leaf, supernode] : only) {
      if (one.ip != leaf) continue;
      return other.ip != supernode || one.transport == Transport::udp || other.transport == Transport::udp;
    }
    return false;
  }
  bool joined() {
    return net.run_to([&] { return online(alice()) && online(bob()); }, seconds(30));
  }
  Node& alice() { return net.at("alice"); }
  Node& bob() { return net.at("bob"); }
  Node& s1() { return net.at("s1"); }
  Node& s2() { return net.at("s2"); }

  bool on_circuit(const Node& n, SessionId link) {
    const auto path = n.peer->path(link);
    return path && path->kind == PathKind::circuit;
  }

  Net net;
  std::map<IpAddress, IpAddress> only{{IpAddress::v4(10, 0, 3, 1), IpAddress::v4(10, 0, 1, 1)},
                                      {IpAddress::v4(10, 0, 4, 1), IpAddress::v4(10, 0, 2, 1)}};
  bool strayed = false;
};

TEST_F(Apart, MeetAcrossTheirTwoSupernodesAndSpeakBothWays) {
  world();
  ASSERT_TRUE(joined());
  for (const bool hers : {true, false}) {
    auto& from = hers ? alice() : bob();
    auto& to = hers ? bob() : alice();
    from.events.clear();
    to.events.clear();
    const auto pair = link_up(net, from, to);
    ASSERT_TRUE(pair.up);
    ASSERT_TRUE(net.run_to([&] { return on_circuit(from, pair.a) && on_circuit(to, pair.b); }));
    EXPECT_EQ(from.peer->path(pair.a)->id, to.peer->path(pair.b)->id) << "one number, in both pieces";
    EXPECT_EQ(alice().peer->path(hers ? pair.a : pair.b)->endpoint.ip, s1().endpoint.ip);
    EXPECT_EQ(bob().peer->path(hers ? pair.b : pair.a)->endpoint.ip, s2().endpoint.ip);
    const Bytes voice(100, 0x80);
    ASSERT_TRUE(from.peer->send(net.now, pair.a, Channel::sip, Bytes{1}));
    ASSERT_TRUE(to.peer->send(net.now, pair.b, Channel::sip, Bytes{2}));
    from.peer->send_voice(net.now, pair.a, voice);
    to.peer->send_voice(net.now, pair.b, voice);
    const auto heard = [](const Node& n) { return n.last<LinkVoice>() && n.last<LinkMessage>(); };
    net.drain(from);
    net.drain(to);
    EXPECT_TRUE(net.run_to([&] { return heard(from) && heard(to); }));
    from.peer->close(net.now, pair.a);
    net.drain(from);
    net.run(seconds(2));
  }
  EXPECT_FALSE(strayed);
}

TEST_F(Apart, StayTogetherForAnHour) {
  world();
  ASSERT_TRUE(joined());
  const auto pair = link_up(net, alice(), bob());
  ASSERT_TRUE(pair.up);
  ASSERT_TRUE(net.run_to([&] { return on_circuit(alice(), pair.a) && on_circuit(bob(), pair.b); }));
  alice().peer->keep(net.now, pair.a, true);
  bob().peer->keep(net.now, pair.b, true);
  net.run(minutes(61));
  EXPECT_TRUE(on_circuit(alice(), pair.a));
  EXPECT_TRUE(on_circuit(bob(), pair.b));
}

TEST_F(Apart, LeaveNothingBehindAtTheSupernodes) {
  world();
  ASSERT_TRUE(joined());
  const auto pair = link_up(net, alice(), bob());
  ASSERT_TRUE(pair.up);
  ASSERT_TRUE(net.run_to([&] { return on_circuit(alice(), pair.a) && on_circuit(bob(), pair.b); }));
  EXPECT_EQ(s1().peer->circuit_count(), 1U);
  EXPECT_EQ(s2().peer->circuit_count(), 1U);
  alice().peer->close(net.now, pair.a);
  net.drain(alice());
  net.run(minutes(3));
  EXPECT_EQ(s1().peer->circuit_count(), 0U);
  EXPECT_EQ(s2().peer->circuit_count(), 0U);
}

TEST_F(Apart, NoticeWhenTheFarSupernodeDies) {
  world();
  ASSERT_TRUE(joined());
  const auto pair = link_up(net, alice(), bob());
  ASSERT_TRUE(pair.up);
  ASSERT_TRUE(net.run_to([&] { return on_circuit(alice(), pair.a) && on_circuit(bob(), pair.b); }));
  net.kill(s2());
  net.run(minutes(2));
  EXPECT_EQ(s1().peer->circuit_count(), 0U);
}

TEST_F(Apart, AreCarriedForNobodyWhoReachesTheOthersHomesHimself) {
  world();
  only.erase(alice().endpoint.ip);  // she reaches everybody, by UDP
  ASSERT_TRUE(joined());
  const auto pair = link_up(net, alice(), bob());
  ASSERT_TRUE(pair.up);
  ASSERT_TRUE(net.run_to([&] { return on_circuit(alice(), pair.a) && on_circuit(bob(), pair.b); }));
  EXPECT_EQ(alice().peer->path(pair.a)->endpoint.ip, s2().endpoint.ip);
  EXPECT_EQ(s1().peer->circuit_count(), 0U);
}

// What a bridge takes, without the network around it.
struct BridgeTable : testing::Test {
  static Bridges::Client client(std::uint8_t n, std::uint8_t host = 1) {
    return {SessionId{n}, {IpAddress::v4(198, 51, 100, host), 4400, Transport::tcp}};
  }
  static dht::Contact far(std::uint8_t n) {
    dht::Contact out;
    out.endpoint = {IpAddress::v4(203, 0, n, 1), 4400, Transport::udp};
    out.session.bytes.fill(n);
    return out;
  }
  Time now{};
  Bridges bridges;
};

TEST_F(BridgeTable, PassesOnlyWhatItsClientSaidAndTheFarSupernodeAnswers) {
  ASSERT_TRUE(bridges.open(now, client(1), far(1), 7, 77));
  EXPECT_EQ(bridges.onward(now, client(1).at, 7, 77), far(1).endpoint);
  EXPECT_FALSE(bridges.onward(now, client(1).at, 8, 77)) << "another leaf";
  EXPECT_FALSE(bridges.onward(now, client(1).at, 7, 78)) << "another token";
  EXPECT_FALSE(bridges.onward(now, client(2, 2).at, 7, 77)) << "somebody else";
  EXPECT_EQ(bridges.back(now, far(1).endpoint, 77), client(1).at);
  EXPECT_FALSE(bridges.back(now, far(2).endpoint, 77)) << "not whom it asked";
  EXPECT_FALSE(bridges.onward(now, far(1).endpoint, 7, 77)) << "no loop: answers are no questions";
}

TEST_F(BridgeTable, FollowsAClientThatMovesAndForgetsOneThatWent) {
  ASSERT_TRUE(bridges.open(now, client(1), far(1), 7, 77));
  bridges.moved(SessionId{1}, client(1, 9).at);
  EXPECT_FALSE(bridges.onward(now, client(1).at, 7, 77));
  EXPECT_EQ(bridges.back(now, far(1).endpoint, 77), client(1, 9).at);
}

TEST_F(BridgeTable, HoldsSoManyOfAClientOfAPrefixAndInAll) {
  std::size_t of_client = 0;
  for (std::uint64_t i = 0; i < 100; ++i) of_client += bridges.open(now, client(1), far(1), i, 1000 + i) ? 1 : 0;
  EXPECT_EQ(of_client, Bridges::kForwardsOfClient);
  EXPECT_TRUE(bridges.open(now, client(1), far(1), 0, 1000)) << "the same again";
  EXPECT_FALSE(bridges.open(now, client(2), far(2), 0, 1000)) << "a token that is taken";
  for (std::uint64_t i = 0; i < 10'000; ++i)
    (void)bridges.open(now, client(static_cast<std::uint8_t>(2 + i / 8 % 250)), far(1), i, 100'000 + i);
  EXPECT_EQ(bridges.forwards(), Bridges::kForwards / Bridges::kPrefixShare) << "neighbours have an eighth together";
  std::size_t circuits = 0;
  for (std::uint8_t i = 0; i < 100; ++i) {
    control::PairNonce nonce{};
    nonce[0] = i;
    circuits += bridges.open_circuit(now, client(1), far(1), 7, nonce) ? 1 : 0;
  }
  EXPECT_EQ(circuits, Bridges::kCircuitsOfClient);
}

TEST_F(BridgeTable, LeadsToSoManySupernodesAtOnce) {
  std::size_t led = 0;
  for (std::uint8_t i = 1; i <= 100; ++i)
    led += bridges.open(now, client(static_cast<std::uint8_t>(1 + i / 8)), far(i), i, i) ? 1 : 0;
  EXPECT_EQ(led, Bridges::kFar);
}

TEST(JoinedCircuits, HaveTheLimitsOfAllOthers) {
  CircuitLimits limits;
  limits.per_session = 2;
  limits.month_bytes = 1000;
  CircuitTable table(limits);
  const auto end = [](std::uint8_t n) {
    return CircuitTable::End{SessionId{n}, {IpAddress::v4(10, 0, n, 1), 4400, Transport::udp}};
  };
  const Time now{};
  EXPECT_TRUE(table.join(now, 5, end(1), end(9), {}));
  EXPECT_EQ(table.join(now, 5, end(2), end(9), {}).error(), Fault::mismatch) << "the number is taken";
  EXPECT_EQ(table.join(now, 6, end(9), end(9), {}).error(), Fault::refused);
  EXPECT_TRUE(table.join(now, 7, end(2), end(9), {}));
  EXPECT_EQ(table.join(now, 8, end(3), end(9), {}).error(), Fault::full) << "the far supernode is a session too";
  auto packet = write_tagged(ForwardKind::circuit, 5, Bytes(500, 0x80));
  const auto on = table.forward(now, end(1).endpoint, packet);
  ASSERT_TRUE(on);
  EXPECT_FALSE(on->dropped);
  EXPECT_EQ(on->to, end(9).endpoint);
  EXPECT_TRUE(table.forward(now, end(9).endpoint, packet)->dropped) << "the month is used up";
}

}  // namespace
}  // namespace linnet::overlay::test
