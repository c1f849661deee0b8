// A leaf whose network lets no UDP through: joins, is found, links and speaks over TCP; goes back to UDP when it can.
#include <gtest/gtest.h>

#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Blocked : testing::Test {
  // Nothing but TCP passes to and from `blocked`.
  void world() {
    net.block = [this](const Endpoint& from, const Endpoint& to) {
      const bool concerned = blocked.contains(from.ip) || blocked.contains(to.ip);
      return to.transport == Transport::udp && concerned;
    };
    small_world(net, [](PeerConfig& config) { config.tcp = true; });
    blocked.insert(net.at("alice").endpoint.ip);
  }
  static std::size_t over_tcp(const Node& n) {
    std::size_t out = 0;
    for (const auto& s : n.peer->supernodes()) out += s.attached && s.endpoint.transport == Transport::tcp ? 1 : 0;
    return out;
  }

  Net net;
  std::set<IpAddress> blocked;
};

TEST_F(Blocked, ALeafJoinsAndSaysHonestlyHow) {
  world();
  auto& alice = net.at("alice");
  ASSERT_TRUE(net.run_to([&] { return online(alice); }, seconds(3)));
  net.run(seconds(2));
  EXPECT_EQ(over_tcp(alice), 3U);
  ASSERT_TRUE(net.run_to([&] { return online(net.at("bob")); }));
  EXPECT_EQ(over_tcp(net.at("bob")), 0U);  // UDP answered before TCP was tried
}

TEST_F(Blocked, StaysOnlineForAnHour) {
  world();
  auto& alice = net.at("alice");
  ASSERT_TRUE(net.run_to([&] { return online(alice); }, seconds(3)));
  net.run(seconds(3));
  alice.events.clear();
  net.run(minutes(61));
  EXPECT_TRUE(online(alice));
  EXPECT_EQ(alice.all<StateChanged>().size(), 0U);
  EXPECT_EQ(over_tcp(alice), 3U);
}

TEST_F(Blocked, LinksGoThroughTcpInBothDirections) {
  world();
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  for (auto* from : {&alice, &bob}) {
    auto& to = from == &alice ? bob : alice;
    const auto pair = link_up(net, *from, to);
    ASSERT_TRUE(pair.up);
    const auto on_circuit = [&](const Node& n, SessionId link) {
      const auto path = n.peer->path(link);
      return path && path->kind == PathKind::circuit;
    };
    ASSERT_TRUE(net.run_to([&] { return on_circuit(*from, pair.a) && on_circuit(to, pair.b); }));
    const auto& hers = from == &alice ? pair.a : pair.b;
    const auto& his = from == &alice ? pair.b : pair.a;
    EXPECT_EQ(alice.peer->path(hers)->endpoint.transport, Transport::tcp);
    EXPECT_EQ(bob.peer->path(his)->endpoint.transport, Transport::udp);
    // A message and voice, both ways.
    const Bytes voice(100, 0x80);
    ASSERT_TRUE(alice.peer->send(net.now, hers, Channel::sip, Bytes{1}));
    ASSERT_TRUE(bob.peer->send(net.now, his, Channel::sip, Bytes{2}));
    alice.peer->send_voice(net.now, hers, voice);
    bob.peer->send_voice(net.now, his, voice);
    const auto heard = [&](const Node& n) { return n.last<LinkVoice>() && n.last<LinkMessage>(); };
    net.drain(alice);
    net.drain(bob);
    EXPECT_TRUE(net.run_to([&] { return heard(alice) && heard(bob); }));
    from->peer->close(net.now, pair.a);
    net.drain(*from);
    net.run(seconds(1));
  }
}

TEST_F(Blocked, BothEndsBlockedStillMeet) {
  world();
  blocked.insert(net.at("bob").endpoint.ip);
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  const auto pair = link_up(net, alice, bob);
  ASSERT_TRUE(pair.up);
  open_direct(net, alice, pair.a, bob, pair.b);
  net.run(seconds(5));
  ASSERT_TRUE(alice.peer->path(pair.a));
  EXPECT_EQ(alice.peer->path(pair.a)->kind, PathKind::circuit);
  EXPECT_EQ(alice.peer->path(pair.a)->endpoint.transport, Transport::tcp);
}

TEST_F(Blocked, CallsTheOwnerOfASupernode) {
  world();
  auto& alice = net.at("alice");
  ASSERT_TRUE(net.run_to([&] { return online(alice); }, seconds(3)));
  const auto pair = link_up(net, alice, net.at("s2"));
  ASSERT_TRUE(pair.up);
  EXPECT_EQ(alice.peer->path(pair.a)->endpoint.transport, Transport::tcp);
}

TEST_F(Blocked, GoesBackToUdpWhenItIsLetThrough) {
  world();
  auto& alice = net.at("alice");
  ASSERT_TRUE(net.run_to([&] { return online(alice); }, seconds(3)));
  net.run(seconds(2));
  blocked.clear();
  alice.events.clear();
  EXPECT_TRUE(net.run_to([&] { return over_tcp(alice) == 0; }, minutes(2)));
  net.run(seconds(5));
  EXPECT_EQ(alice.all<StateChanged>().size(), 0U);
  const auto pair = link_up(net, net.at("bob"), alice);
  ASSERT_TRUE(pair.up);
}

TEST_F(Blocked, TurnsToTcpWhenUdpDiesLater) {
  world();
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(bob); }));
  net.run(seconds(5));
  blocked.insert(bob.endpoint.ip);
  EXPECT_TRUE(net.run_to([&] { return over_tcp(bob) == 3; }, minutes(2)));
}

// A network with a door for some ways only.
struct Narrow : testing::Test {
  void world(std::set<Way> open) {
    ways = std::move(open);
    net.block = [this](const Endpoint& from, const Endpoint& to) {
      if (from.ip == inside) return !ways.contains(way_of(to));
      return to.ip == inside && to.transport == Transport::udp && !ways.contains(Way::udp);
    };
    net.seen = [this](const Endpoint& from, const Endpoint& to, ByteView bytes) {
      if (from.ip == inside && bytes[0] == 4) tried.insert(way_of(to));
    };
    small_world(net, [this](PeerConfig& config) {
      config.tcp = config.proxy = true;
      if (inside == IpAddress{}) inside = config.listen[0].ip;  // alice's, before she says a word
    });
  }
  // The ways of the supernodes that answer for her.
  std::set<Way> taken() {
    std::set<Way> out;
    for (const auto& s : net.at("alice").peer->supernodes()) {
      if (s.attached) out.insert(way_of(s.way));
    }
    return out;
  }
  bool joins() {
    return net.run_to([&] { return online(net.at("alice")); }, seconds(5));
  }

  Net net;
  IpAddress inside;
  std::set<Way> ways, tried;
};

TEST_F(Narrow, IsJoinedAndCalledThroughTheOneWayThatIsOpen) {
  world({Way::tls});
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(joins());
  net.run(seconds(3));
  EXPECT_EQ(taken(), std::set{Way::tls});
  for (const auto& s : alice.peer->supernodes()) {
    if (!s.attached) continue;
    EXPECT_EQ(s.endpoint.port, 4400) << "a supernode is known by its own port";
  }
  ASSERT_TRUE(net.run_to([&] { return online(bob); }));
  EXPECT_TRUE(link_up(net, alice, bob).up);
  EXPECT_TRUE(link_up(net, bob, alice).up);
  EXPECT_EQ(alice.peer->udp_answers(), 0U);
  EXPECT_GE(alice.peer->udp_probes(), 3U);
  EXPECT_EQ(bob.peer->udp_answers(), bob.peer->udp_probes());
}

struct OneWay : Narrow, testing::WithParamInterface<Way> {};

TEST_P(OneWay, IsEnoughToJoin) {
  world({GetParam()});
  ASSERT_TRUE(joins());
  net.run(seconds(3));
  EXPECT_EQ(taken(), std::set{GetParam()});
}

std::string way_name(const testing::TestParamInfo<Way>& each) {
  constexpr const char* kNames[kWays] = {"Udp", "Tcp", "Tls", "Web", "TlsByProxy", "TcpByProxy"};
  return kNames[static_cast<std::size_t>(each.param)];
}

INSTANTIATE_TEST_SUITE_P(Each, OneWay,
                         testing::Values(Way::udp, Way::tcp, Way::tls, Way::web, Way::tls_by_proxy, Way::tcp_by_proxy),
                         way_name);

TEST_F(Narrow, IsTriedWayAfterWayAndNoFurtherThanTheFirstThatAnswers) {
  world({Way::udp, Way::tls});
  ASSERT_TRUE(joins());
  net.run(seconds(10));
  EXPECT_EQ(tried, std::set{Way::udp}) << "datagrams answered before a stream was begun";
}

TEST_F(Narrow, ThatOpensGoesBackToDatagramsAtTheSupernodesOwnPort) {
  world({Way::tls});
  ASSERT_TRUE(joins());
  net.run(seconds(3));
  ways.insert(Way::udp);
  EXPECT_TRUE(net.run_to([&] { return taken() == std::set{Way::udp}; }, minutes(3)));
}

TEST_F(Narrow, IsRememberedSoThatTheNextStartBeginsThere) {
  world({Way::tls});
  ASSERT_TRUE(joins());
  net.run(seconds(3));
  auto& alice = net.at("alice");
  const auto saved = HostCache::load(alice.peer->host_cache().save());
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->latest_way(), Way::tls);
  net.kill(alice);
  net.run(minutes(1));
  tried.clear();
  net.start(alice, *saved);
  ASSERT_TRUE(joins());
  EXPECT_FALSE(tried.contains(Way::web)) << "what did not work last time was begun before what did";
  EXPECT_FALSE(tried.contains(Way::tcp));
}

}  // namespace
}  // namespace linnet::overlay::test
