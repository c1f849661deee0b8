// "Nobody there yet" (protocol.md section 3): nodes without any configuration on their own links.
#include "overlay/lan.h"

#include <gtest/gtest.h>

#include "overlay/hello.h"
#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// fe80::n, on interface 7 of everybody.
Endpoint link_local(std::size_t n, std::uint32_t scope = 7) {
  auto out = *Endpoint::parse("[fe80::1%7]:4400");
  out.ip.bytes[14] = static_cast<std::uint8_t>(n >> 8);
  out.ip.bytes[15] = static_cast<std::uint8_t>(n);
  out.ip.scope = scope;
  return out;
}

// A machine whose only address is link-local.
Node& on_cable(Net& net, const std::string& name, LanMode mode = LanMode::serve, Role role = Role::leaf) {
  const auto at = link_local(net.nodes().size() + 1);
  auto& node = net.add(name, role, {}, [&](PeerConfig& c) {
    c.listen.clear();
    c.port = 4400;
    c.lan = mode;
  });
  net.move(node, at);
  net.start(node);
  return node;
}

// What DNS-SD does: everybody hears what everybody says.
void introduce(Net& net, const std::function<bool(const Node&, const Node&)>& hears = {}) {
  for (auto& from : net.nodes()) {
    const auto text = from->peer ? from->peer->lan_text() : std::nullopt;
    if (!text) continue;
    const auto strings = write(*text);
    for (auto& to : net.nodes()) {
      if (to == from || !to->peer || (hears && !hears(*to, *from))) continue;
      const auto read = read_lan_text(to->config.network, strings);
      ASSERT_TRUE(read);
      to->peer->handle_neighbour(net.now, {*read, {from->endpoint}});
      net.drain(*to);
    }
  }
}

bool contains(const Bytes& bytes, ByteView what) {
  return std::search(bytes.begin(), bytes.end(), what.begin(), what.end()) != bytes.end();
}

TEST(Lan, WhoseOwnerWantsThatNoMoreServesItsLinksNoMoreAndAgainWhenHeDoes) {
  for (const auto role : {Role::leaf, Role::supernode}) {
    Net net;
    auto& alice = on_cable(net, "alice", LanMode::serve, role);
    ASSERT_TRUE(net.run_to([&] { return alice.peer->serving_links(); }, seconds(30)));
    alice.peer->serve_own_links(net.now, false);
    net.drain(alice);
    EXPECT_FALSE(alice.peer->serving_links());
    EXPECT_EQ(alice.peer->role(), Role::leaf);
    net.run(seconds(120));
    EXPECT_FALSE(alice.peer->serving_links());
    EXPECT_EQ(alice.peer->dht(), nullptr);
    alice.peer->serve_own_links(net.now, true);
    net.drain(alice);
    EXPECT_TRUE(net.run_to([&] { return alice.peer->serving_links(); }, seconds(60)));
  }
}

TEST(Lan, TwoOnACableFindAndReachEachOther) {
  Net net;
  auto& alice = on_cable(net, "alice");
  auto& bob = on_cable(net, "bob");
  introduce(net);
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }, seconds(1)));
  const auto pair = link_up(net, alice, bob);
  ASSERT_TRUE(pair.up);
  EXPECT_EQ(alice.peer->path(pair.a)->kind, PathKind::direct);
  EXPECT_EQ(alice.peer->path(pair.a)->endpoint, bob.endpoint);
  EXPECT_TRUE(link_up(net, bob, alice).up);
}

TEST(Lan, OneThatIsAloneSaysSoAndServesItsLink) {
  Net net;
  auto& alice = on_cable(net, "alice");
  EXPECT_TRUE(alice.peer->serving_links());
  ASSERT_TRUE(net.run_to([&] { return alice.peer->state() == State::alone; }, seconds(3)));
  EXPECT_EQ(alice.peer->lan_text()->role, LanRole::lonely);
  auto& bob = on_cable(net, "bob");
  introduce(net);
  EXPECT_TRUE(net.run_to([&] { return online(alice) && online(bob); }, seconds(1)));
}

TEST(Lan, OneWhoseNeighboursAreGoneIsAloneAgain) {
  Net net;
  auto& alice = on_cable(net, "alice");
  auto& bob = on_cable(net, "bob");
  introduce(net);
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }, seconds(1)));
  net.kill(bob);
  EXPECT_TRUE(net.run_to([&] { return alice.peer->state() == State::alone; }, std::chrono::minutes(30)));
}

TEST(Lan, SixtyOnACableAllFindEachOther) {
  Net net;
  for (int i = 0; i < 60; ++i) on_cable(net, "n" + std::to_string(i));
  introduce(net);
  const auto all = [&] {
    return std::all_of(net.nodes().begin(), net.nodes().end(), [](const auto& n) { return online(*n); });
  };
  ASSERT_TRUE(net.run_to(all, seconds(2)));
  net.run(seconds(3));
  std::size_t found = 0;
  for (std::size_t i = 0; i < 60; ++i) {
    const auto f = look_up(net, *net.nodes()[i], net.nodes()[(i * 7 + 11) % 60]->identity.address);
    found += f && f->devices.size() == 1 ? 1 : 0;
  }
  EXPECT_EQ(found, 60U);
}

TEST(Lan, NoLinkLocalAddressIsEverSent) {
  Net net;
  net.log = true;
  auto& alice = on_cable(net, "alice");
  auto& bob = on_cable(net, "bob");
  introduce(net);
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }, seconds(1)));
  const auto found = look_up(net, alice, bob.identity.address);
  ASSERT_TRUE(found && found->devices.size() == 1);
  ASSERT_EQ(found->devices[0].body.homes.size(), 1U);
  EXPECT_TRUE(found->devices[0].body.homes[0].endpoint.ip.is_unspecified());
  const ByteArray<2> prefix{0xfe, 0x80};
  Writer home;
  home.bytes(bob.endpoint.ip.bytes);
  for (const auto& node : net.nodes()) {
    for (const auto& packet : node->received) EXPECT_FALSE(contains(packet, home.written()));
  }
  EXPECT_TRUE(alice.peer->host_cache().hosts().empty());  // and none is remembered
  EXPECT_EQ(equal(ByteView(bob.endpoint.ip.bytes).first(2), prefix), true);
}

TEST(Lan, WhoServesItsLinkIsShutToEverybodyElse) {
  Net net;
  auto& alice = on_cable(net, "alice");
  ASSERT_TRUE(alice.peer->serving_links());
  // A handshake, a request and a FORWARD from the Internet; then the same handshake from the link.
  SeededRng rng(3);
  const auto knock = [&](const Endpoint& from) {
    Sessions::Event event;
    SessionsConfig config;
    config.network = alice.config.network;
    const auto who = crypto::make_identity(net.suite, rng, *crypto::Address::parse("x@demo.example"), kWall);
    Sessions caller(config, net.suite, rng, who);
    EXPECT_TRUE(caller.connect(
        net.now, {alice.identity.session_key(), {Path{PathKind::direct, alice.endpoint, 0, false}}, {}, seconds(1)}));
    auto packet = caller.poll_packet();
    alice.peer->handle_datagram(net.now, {from, packet->bytes});
    std::size_t answers = 0;
    while (alice.peer->poll_transmit()) ++answers;
    return answers;
  };
  for (const auto* far : {"198.51.100.7:4400", "[2001:db8::1]:4400"}) {
    EXPECT_EQ(knock(*Endpoint::parse(far)), 0U) << far;
    for (const std::uint8_t type : {9, 10, 11}) {
      Bytes packet(600, type);
      alice.peer->handle_datagram(net.now, {*Endpoint::parse(far), packet});
      EXPECT_FALSE(alice.peer->poll_transmit()) << far << " " << int{type};
    }
  }
  for (const auto* near : {"[fe80::99%7]:4400", "192.168.1.9:4400", "169.254.3.4:4400", "[fd00::5]:4400"})
    EXPECT_EQ(knock(*Endpoint::parse(near)), 1U) << near;
}

TEST(Lan, WithLanOffALeafIsShutAsBefore) {
  Net net;
  auto& alice = on_cable(net, "alice", LanMode::off);
  net.run(seconds(5));
  EXPECT_FALSE(alice.peer->serving_links());
  EXPECT_FALSE(alice.peer->lan_text());
  auto& bob = on_cable(net, "bob");
  introduce(net);
  net.run(seconds(5));
  EXPECT_FALSE(online(bob));
}

TEST(Lan, ASupernodeThatAppearsTakesOver) {
  Net net;
  auto& alice = on_cable(net, "alice");
  auto& bob = on_cable(net, "bob");
  introduce(net);
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }, seconds(1)));
  auto& s1 = net.add("s1", Role::supernode, {}, [](PeerConfig& c) { c.lan = LanMode::serve; });
  net.start(s1);
  introduce(net);
  ASSERT_TRUE(net.run_to([&] { return !alice.peer->serving_links() && !bob.peer->serving_links(); }, seconds(3)));
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob) && s1.peer->leaf_count() == 2; }, seconds(3)));
  net.run(seconds(2));
  EXPECT_TRUE(link_up(net, alice, bob).up);
  // And when it goes, they serve themselves again.
  net.kill(s1);
  ASSERT_TRUE(net.run_to([&] { return alice.peer->serving_links() && bob.peer->serving_links(); }, seconds(60)));
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }, seconds(30)));
  net.run(seconds(5));
  EXPECT_TRUE(link_up(net, alice, bob).up);
}

TEST(Lan, ANewcomerJoinsThroughTheSupernodesThatANeighbourNames) {
  Net net;
  auto& s1 =
      net.add("s1", Role::supernode, {}, [](PeerConfig& c) { c.listen = {*Endpoint::parse("198.51.100.1:4400")}; });
  net.move(s1, *Endpoint::parse("198.51.100.1:4400"));
  net.start(s1);
  auto& alice = net.add("alice", Role::leaf, {"s1"}, [](PeerConfig& c) { c.lan = LanMode::serve; });
  net.start(alice);
  ASSERT_TRUE(net.run_to([&] { return online(alice); }, seconds(3)));
  ASSERT_EQ(alice.peer->lan_text()->supernodes, std::vector{s1.endpoint});
  auto& bob = net.add("bob", Role::leaf, {}, [](PeerConfig& c) { c.lan = LanMode::serve; });
  net.start(bob);
  introduce(net);
  ASSERT_TRUE(net.run_to([&] { return online(bob) && !bob.peer->serving_links(); }, seconds(3)));
  EXPECT_EQ(s1.peer->leaf_count(), 2U);
}

TEST(Lan, OneThatMayNotServeIsALeafOfANeighbour) {
  Net net;
  auto& alice = on_cable(net, "alice");
  auto& quiet = on_cable(net, "quiet", LanMode::listen);
  introduce(net);
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(quiet); }, seconds(3)));
  EXPECT_FALSE(quiet.peer->serving_links());
  EXPECT_EQ(alice.peer->leaf_count(), 1U);
  net.run(seconds(1));
  EXPECT_TRUE(link_up(net, alice, quiet).up);
  EXPECT_TRUE(link_up(net, quiet, alice).up);
}

TEST(Lan, AnotherNetworkIsPassedBy) {
  Net net;
  auto& alice = on_cable(net, "alice");
  const auto strings = write(*alice.peer->lan_text());
  EXPECT_EQ(read_lan_text(crypto::network_id("other"), strings).error(), Fault::mismatch);
  for (std::size_t cut = 0; cut < strings.size(); ++cut) {
    auto fewer = strings;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(cut));
    EXPECT_EQ(read_lan_text(alice.config.network, fewer).has_value(), strings[cut].substr(0, 2) == "r=")
        << strings[cut];
  }
  for (const auto& s : strings) {
    EXPECT_LE(s.size(), 255U);
    EXPECT_EQ(s.find("alice"), std::string::npos);
    EXPECT_EQ(s.find("demo.example"), std::string::npos);
  }
}

TEST(Lan, AnnouncementsWithoutTheirKeysSignatureAreRefused) {
  Net net;
  auto& alice = on_cable(net, "alice");
  auto& bob = on_cable(net, "bob");
  auto text = *bob.peer->lan_text();
  text.signature[5] ^= 1;
  alice.peer->handle_neighbour(net.now, {text, {bob.endpoint}});
  net.drain(alice);
  net.run(seconds(5));
  EXPECT_FALSE(online(alice));
}

TEST(Lan, ACopiedAnnouncementDoesNotTakeANodeAway) {
  Net net;
  auto& alice = on_cable(net, "alice");
  auto& bob = on_cable(net, "bob");
  // Somebody repeats bob's announcement from an address where nobody is, before and after bob's own.
  const Neighbour forged{*bob.peer->lan_text(), {link_local(0x66)}};
  alice.peer->handle_neighbour(net.now, forged);
  introduce(net);
  alice.peer->handle_neighbour(net.now, forged);
  net.drain(alice);
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }, seconds(10)));
  net.run(seconds(1));
  EXPECT_TRUE(link_up(net, alice, bob).up);
}

TEST(Lan, AFloodOfAnnouncementsMakesAFewHandshakesASecond) {
  Net net;
  auto& alice = on_cable(net, "alice");
  SeededRng rng(9);
  std::size_t sent = 0;
  const auto count = [&] {
    while (const auto t = alice.peer->poll_transmit()) sent += t->to.ip.is_global() ? 1 : 0;
  };
  for (int i = 0; i < 1000; ++i) {
    const auto who = crypto::make_identity(net.suite, rng, *crypto::Address::parse("x@demo.example"), kWall);
    LanText text{net.at("alice").config.network,
                 who.device_key(),
                 who.session_key(),
                 crypto::sign_session_key(net.suite, who.device, net.at("alice").config.network, who.session_key()),
                 LanRole::served,
                 {{IpAddress::v4(198, 51, static_cast<std::uint8_t>(i), 1), 4400, Transport::udp},
                  {IpAddress::v4(198, 52, static_cast<std::uint8_t>(i), 1), 4400, Transport::udp}}};
    net.now += milliseconds(1);
    alice.peer->handle_neighbour(net.now, {text, {link_local(static_cast<std::size_t>(i))}});
    if (alice.peer->next_timeout() <= net.now) alice.peer->handle_timeout(net.now);
    count();
  }
  EXPECT_LE(sent, 40U);
}

// Keys cost nothing: a table that is full of them keeps nobody out, and drives out nobody who answered us.
TEST(Lan, AFloodOfKeysKeepsNobodyOutAndDrivesOutNobodyWhomWeMet) {
  Net net(1, crypto::typed_suite());
  auto& alice = on_cable(net, "alice");
  auto& bob = on_cable(net, "bob");
  auto& carol = on_cable(net, "carol");
  introduce(net, [&](const Node&, const Node& of) { return &of != &carol; });
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }, seconds(1)));
  SeededRng rng(9);
  for (std::size_t i = 0; i < Neighbours::kCapacity + 50; ++i) {
    const auto who = crypto::make_identity(net.suite, rng, *crypto::Address::parse("x@demo.example"), kWall);
    const auto signature = crypto::sign_session_key(net.suite, who.device, alice.config.network, who.session_key());
    const LanText text{alice.config.network, who.device_key(), who.session_key(), signature, LanRole::quiet, {}};
    alice.peer->handle_neighbour(net.now, {text, {link_local(1000 + i)}});
  }
  net.drain(alice);
  const auto knows = [&](const Node& node) { return !alice.peer->on_lan(node.identity.session_key())->empty(); };
  EXPECT_TRUE(knows(bob));
  EXPECT_FALSE(knows(carol));
  alice.peer->handle_neighbour(net.now, {*carol.peer->lan_text(), {carol.endpoint}});
  net.drain(alice);
  EXPECT_TRUE(knows(carol));
  EXPECT_TRUE(knows(bob));
}

TEST(Lan, OnTwoCablesNoAddressOfOneIsUsedOnTheOther) {
  // a - b - c: b stands on both cables, a and c on one each. The same fe80 addresses stand on both.
  Net net;
  auto& a = on_cable(net, "a");
  auto& b = on_cable(net, "b");
  auto& c = on_cable(net, "c");
  std::vector<std::pair<std::string, Endpoint>> wrong;
  net.block = [&](const Endpoint& from, const Endpoint& to) {
    const bool a_to_c = (from == a.endpoint && to == c.endpoint) || (from == c.endpoint && to == a.endpoint);
    if (a_to_c) wrong.emplace_back(from.to_string(), to);
    return a_to_c;
  };
  introduce(net, [&](const Node& to, const Node& from) { return &to == &b || &from == &b; });
  ASSERT_TRUE(net.run_to([&] { return online(a) && online(b) && online(c); }, seconds(2)));
  net.run(seconds(10));
  EXPECT_TRUE(link_up(net, a, b).up);
  EXPECT_TRUE(link_up(net, c, b).up);
  (void)link_up(net, a, c);  // found through b or not: c cannot be reached from here, and nobody tries
  net.run(seconds(30));
  EXPECT_TRUE(wrong.empty());
}

}  // namespace
}  // namespace linnet::overlay::test
