// What clients may make a supernode do: lookups that it walks for them, capped for each client, for each prefix and in all.
#include <gtest/gtest.h>

#include <deque>

#include "overlay/hello.h"
#include "overlay/supernode_role.h"
#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::seconds;

// A supernode that knows twenty others, none of whom answers: a lookup lasts until its deadline.
struct Walks : testing::Test {
  Walks() {
    for (std::uint8_t i = 0; i < 20; ++i) {
      SeededRng seeds(500 + i);
      const auto who = crypto::make_identity(net.suite, seeds, name("s" + std::to_string(i)), kWall);
      // Answers one ping, so that it is known, and is dead from then on.
      met.push_back(std::make_unique<dht::Dht>(dht_config(), net.suite, *node.rng, others.emplace_back(who),
                                               Endpoint{IpAddress::v4(10, 9, i, 1), 4400, Transport::udp}));
      role.dht().add_hint(net.now, met.back()->self());
    }
    role.dht().handle_wall(net.now, kWall);
    for (int round = 0; round < 30; ++round) {
      net.now += std::chrono::milliseconds(100);
      exchange();
      role.dht().handle_timeout(net.now);
    }
    met.clear();
    drop();
  }
  void exchange() {
    while (auto out = role.dht().poll_transmit()) {
      for (auto& other : met) {
        if (other->self().endpoint != out->to) continue;
        auto bytes = out->bytes;
        other->handle_wall(net.now, kWall);
        other->handle_datagram(net.now, Datagram{node.endpoint, bytes});
        while (auto back = other->poll_transmit()) {
          if (back->to == node.endpoint) role.dht().handle_datagram(net.now, Datagram{out->to, back->bytes});
        }
      }
    }
    while (auto event = role.dht().poll_event()) role.on_dht_event(c(), *event);
  }
  void drop() {
    while (role.dht().poll_transmit()) {
    }
  }

  static crypto::Address name(const std::string& user) { return *crypto::Address::parse(user + "@demo.example"); }
  dht::Config dht_config() const {
    dht::Config out;
    out.network = node.config.network;
    return out;
  }
  Context c() { return {net.now, kWall, node.config, net.suite, *node.rng, node.identity, sessions}; }

  // A client's session, from this address. It came by a handshake with the supernode's own sessions.
  SessionId client(const IpAddress& from) {
    SeededRng seeds(9000 + clients);
    const auto who = crypto::make_identity(net.suite, seeds, name("c" + std::to_string(clients++)), kWall);
    SessionsConfig config;
    config.network = node.config.network;
    Sessions theirs(config, net.suite, seeds, who);
    const Path there{PathKind::direct, node.endpoint, 0, false};
    const Path back{PathKind::direct, Endpoint{from, 4400, Transport::udp}, 0, false};
    EXPECT_TRUE(theirs.connect(net.now, {node.identity.session_key(), {there}, {}, seconds(10)}));
    std::optional<SessionId> up;
    for (int round = 0; round < 10 && !up; ++round) {
      while (auto packet = theirs.poll_packet()) sessions.handle_packet(net.now, back, packet->bytes);
      while (auto packet = sessions.poll_packet()) theirs.handle_packet(net.now, there, packet->bytes);
      while (auto event = sessions.poll_event()) {
        if (const auto* one = std::get_if<SessionUp>(&*event)) up = one->session;
      }
      while (theirs.poll_event()) {
      }
    }
    EXPECT_TRUE(up);
    sessions.accept(net.now, *up);
    ClientHello hello;
    hello.certificate = who.certificate;
    EXPECT_TRUE(role.on_client(c(), *up, hello));
    return *up;
  }
  void ask(SessionId session) {
    role.on_message(c(), session, control::FindRecords{++requests, crypto::user_key(name(std::to_string(requests))), {}});
  }
  std::size_t busy() const { return role.counters().limited; }

  Net net{1, crypto::typed_suite()};
  Node& node = net.add("me", Role::supernode);
  Sessions sessions{[this] {
                      SessionsConfig out;
                      out.network = node.config.network;
                      out.handshakes_per_prefix = 1e6;
                      out.cookies_over = 1000;
                      return out;
                    }(),
                    net.suite, *node.rng, node.identity};
  SupernodeRole role{node.config, net.suite, *node.rng, node.identity, node.endpoint};
  std::deque<crypto::Identity> others;
  std::vector<std::unique_ptr<dht::Dht>> met;
  std::uint64_t clients = 0;
  std::uint64_t requests = 0;
};

TEST_F(Walks, WhoIsNoSupernodeHasNothingSentInItsName) {
  node.config.second_port = 4401;
  const auto session = client(IpAddress::v4(198, 51, 100, 7));
  control::PartnerSend order;
  order.client = {IpAddress::v4(192, 0, 2, 9), 53, Transport::udp};
  role.on_message(c(), session, control::PartnerAsk{});
  role.on_message(c(), session, order);
  EXPECT_FALSE(role.poll_partner_wanted());
  EXPECT_EQ(role.counters().refused, 1U);
}

TEST_F(Walks, OfOneClientAreSixteenAndTheRestIsToldThatItIsBusy) {
  ASSERT_GT(role.dht().contact_count(), 10U);
  const auto one = client(IpAddress::v4(9, 0, 0, 1));
  for (int i = 0; i < 50; ++i) ask(one);
  EXPECT_EQ(busy(), 50U - SupernodeRole::kPendingPerClient);
  const auto other = client(IpAddress::v4(8, 0, 0, 1));
  ask(other);
  EXPECT_EQ(busy(), 50U - SupernodeRole::kPendingPerClient) << "another one is served";
}

TEST_F(Walks, OfOnePrefixAreItsShareHoweverManyClientsItHas) {
  for (std::uint8_t i = 1; i <= 10; ++i) {
    const auto one = client(IpAddress::v4(9, 9, 9, i));
    for (int n = 0; n < 16; ++n) ask(one);
  }
  EXPECT_EQ(busy(), 160U - SupernodeRole::kWalksOfPrefix);
  ask(client(IpAddress::v4(8, 8, 8, 8)));
  EXPECT_EQ(busy(), 160U - SupernodeRole::kWalksOfPrefix);
}

TEST_F(Walks, OfAllClientsLeaveTheNodeItsOwn) {
  for (std::uint8_t i = 1; i <= 20; ++i) {
    const auto one = client(IpAddress::v4(9, i, 0, 1));
    for (int n = 0; n < 16; ++n) ask(one);
  }
  EXPECT_EQ(busy(), 320U - SupernodeRole::kWalksForClients);
  EXPECT_TRUE(role.dht().find_records(net.now, crypto::user_key(name("mine")), {}));
}

// Who hangs up while his lookups run does not free his prefix's share: it is freed as they end.
TEST_F(Walks, EndWithTheirLookupsNotWithTheSession) {
  for (std::uint8_t i = 1; i <= 4; ++i) {
    const auto one = client(IpAddress::v4(9, 9, 9, i));
    for (int n = 0; n < 16; ++n) ask(one);
    role.on_session_down(c(), one);
  }
  ask(client(IpAddress::v4(9, 9, 9, 50)));
  EXPECT_EQ(busy(), 1U);
  net.now += seconds(11);
  role.dht().handle_timeout(net.now);
  while (auto event = role.dht().poll_event()) role.on_dht_event(c(), *event);
  ask(client(IpAddress::v4(9, 9, 9, 51)));
  EXPECT_EQ(busy(), 1U);
}

}  // namespace
}  // namespace linnet::overlay::test
