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

// The far supernode allows the near one so many circuits, for all whom that one carries.
TEST_F(Apart, LeaveNothingBehindWhereTheyDoNotReach) {
  world();
  ASSERT_TRUE(joined());
  const auto pair = link_up(net, alice(), bob());
  ASSERT_TRUE(pair.up);
  ASSERT_TRUE(net.run_to([&] { return on_circuit(alice(), pair.a) && on_circuit(bob(), pair.b); }));
  net.lose = [&](const Endpoint& from, const Bytes&) { return from.ip == bob().endpoint.ip; };  // he ends nothing
  alice().peer->leave(net.now);
  net.drain(alice());
  ASSERT_TRUE(net.run_to([&] { return s1().peer->circuit_count() == 0; }));
  EXPECT_TRUE(net.run_to([&] { return s2().peer->circuit_count() == 0; }, seconds(2)));
}

TEST_F(Apart, SpendALittleOfWhatTheNearSupernodeMayAskOfTheFarOne) {
  world();
  ASSERT_TRUE(joined());
  Bytes opening;
  Endpoint from, to;
  std::size_t crossed = 0;
  net.seen = [&](const Endpoint& source, const Endpoint& target, ByteView bytes) {
    const bool opens =
        bytes.size() > kToLeafHeader && bytes[0] == kForwardType && bytes[1] == 1 && bytes[kToLeafHeader] == 4;
    crossed += opens && source.ip == s1().endpoint.ip && target.ip == s2().endpoint.ip ? 1 : 0;
    if (!opens || source.ip != alice().endpoint.ip || target.ip != s1().endpoint.ip) return;
    opening = copy(bytes);
    std::tie(from, to) = std::tie(source, target);
  };
  ASSERT_TRUE(link_up(net, alice(), bob()).up);
  ASSERT_GT(crossed, 0U);
  crossed = 0;
  net.run(seconds(10));
  for (int i = 0; i < 200; ++i) net.send(from, to, opening);
  net.run(seconds(1));
  EXPECT_GT(crossed, 5U) << "a caller's own";
  EXPECT_LT(crossed, 20U) << "of the hundred that the far one takes from us";
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
  // Of a prefix of its own.
  static Bridges::Client elsewhere(std::uint8_t n) {
    return {SessionId{n}, {IpAddress::v4(9, 0, n, 1), 4400, Transport::tcp}};
  }
  static control::PairNonce nonce(std::uint8_t n) {
    control::PairNonce out;
    out.fill(n);
    return out;
  }
  // A way that has the number of its supernode as tag and token.
  bool lead(const Bridges::Client& who, std::uint8_t to) { return bridges.open(now, who, far(to), to, to).has_value(); }
  bool leads(std::uint8_t to) { return bridges.back(now, far(to).endpoint, to).has_value(); }
  // Two supernodes of each of eight prefixes, the first one's first: all places.
  void fill() {
    for (std::uint8_t i = 0; i < Bridges::kFar; ++i) {
      ASSERT_TRUE(lead(elsewhere(1 + i / 2), 1 + i));
      now += seconds(1);
    }
  }
  Context context() { return {now, kWall, node.config, net.suite, *node.rng, node.identity, sessions}; }

  Time now{};
  Net net;
  Node& node = net.add("me", Role::supernode);
  Sessions sessions{{}, net.suite, *node.rng, node.identity};
  Attachments attachments;
  CircuitTable table{CircuitLimits{}};
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

TEST_F(BridgeTable, FollowsAClientThatMoves) {
  ASSERT_TRUE(bridges.open(now, client(1), far(1), 7, 77));
  bridges.moved(SessionId{1}, client(1, 9).at);
  EXPECT_FALSE(bridges.onward(now, client(1).at, 7, 77));
  EXPECT_EQ(bridges.back(now, far(1).endpoint, 77), client(1, 9).at);
}

TEST_F(BridgeTable, ForgetsAClientThatWentAndNobodyElse) {
  ASSERT_TRUE(bridges.open(now, client(1), far(1), 7, 77));
  ASSERT_TRUE(bridges.open(now, client(2, 2), far(1), 8, 88));
  ASSERT_TRUE(bridges.open_circuit(now, client(1), far(1), 7, nonce(1)));
  ASSERT_TRUE(bridges.open_circuit(now, client(2, 2), far(1), 8, nonce(2)));
  bridges.on_down(context(), attachments, SessionId{1});
  EXPECT_FALSE(bridges.onward(now, client(1).at, 7, 77));
  EXPECT_FALSE(bridges.back(now, far(1).endpoint, 77));
  EXPECT_EQ(bridges.onward(now, client(2, 2).at, 8, 88), far(1).endpoint);
  EXPECT_EQ(bridges.forwards(), 1U);
  EXPECT_EQ(bridges.circuits(), 1U);
  bridges.on_down(context(), attachments, SessionId{2});
  EXPECT_EQ(bridges.forwards() + bridges.circuits(), 0U);
  EXPECT_FALSE(bridges.poll()) << "nobody is there to be told";
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
    circuits += bridges.open_circuit(now, client(1), far(1), 7, nonce(i)) ? 1 : 0;
  }
  EXPECT_EQ(circuits, Bridges::kCircuitsOfClient);
}

TEST_F(BridgeTable, LeadsThoseOfAPrefixToTheirShareOfSupernodes) {
  std::size_t led = 0;
  for (std::uint8_t i = 1; i <= 100; ++i) led += lead(client(1 + i / 8, 1 + i / 8), i) ? 1 : 0;
  EXPECT_EQ(led, Bridges::kFarOfPrefix);
  EXPECT_TRUE(lead(elsewhere(50), 101)) << "the others have theirs";
  EXPECT_TRUE(bridges.open(now, client(60, 60), far(101), 7, 700)) << "what somebody else brought in costs nothing";
  const Bridges::Client home{SessionId{51}, {IpAddress::v4(192, 168, 1, 1), 4400, Transport::tcp}};
  const Bridges::Client next{SessionId{52}, {IpAddress::v4(192, 168, 1, 2), 4400, Transport::tcp}};
  led = 0;
  for (std::uint8_t i = 110; i < 120; ++i) led += lead(i % 2 == 0 ? home : next, i) ? 1 : 0;
  EXPECT_EQ(led, 2 * Bridges::kFarOfPrefix) << "addresses that are not global stand for themselves";
}

TEST_F(BridgeTable, GivesANewcomerThePlaceThatHasBeenHeldLongestOfThoseWhoHoldMost) {
  ASSERT_NO_FATAL_FAILURE(fill());
  EXPECT_FALSE(lead(elsewhere(1), 100)) << "who has his share";
  EXPECT_TRUE(lead(elsewhere(20), 101));
  EXPECT_FALSE(leads(1));
  EXPECT_TRUE(leads(2) && leads(3) && leads(101));
  EXPECT_FALSE(lead(elsewhere(20), 102)) << "he is no newcomer";
  for (std::uint8_t i = 21; i < 28; ++i) EXPECT_TRUE(lead(elsewhere(i), 100 + i));
  EXPECT_FALSE(lead(elsewhere(28), 128)) << "nobody holds more than one";
  std::size_t kept = 0;
  for (std::uint8_t i = 1; i < 200; ++i) kept += leads(i) ? 1 : 0;
  EXPECT_EQ(kept, Bridges::kFar);
}

TEST_F(BridgeTable, TakesNoPlaceThatOthersUseWhereItMayTakeAnother) {
  ASSERT_NO_FATAL_FAILURE(fill());
  ASSERT_TRUE(bridges.open(now, elsewhere(9), far(1), 9, 900));
  EXPECT_TRUE(lead(elsewhere(20), 101));
  EXPECT_TRUE(leads(1));
  EXPECT_FALSE(leads(2));
}

TEST_F(BridgeTable, TellsThoseWhoseCircuitsLostTheirPlace) {
  ASSERT_TRUE(bridges.open_circuit(now, elsewhere(1), far(1), 7, nonce(5)));
  ASSERT_NO_FATAL_FAILURE(fill());
  bridges.settle(context(), attachments, table);
  ASSERT_FALSE(bridges.poll());
  ASSERT_TRUE(lead(elsewhere(20), 101));
  bridges.settle(context(), attachments, table);
  const auto told = bridges.poll();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->client, SessionId{1});
  const auto* closed = std::get_if<control::CircuitClosed>(&told->message);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->nonce, nonce(5));
  EXPECT_EQ(closed->why, control::CircuitEnd::full);
  EXPECT_EQ(bridges.circuits(), 0U);
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
