// Supernodes with one address find a partner for NAT behaviour discovery, and another when it goes.
#include "overlay/partner.h"

#include <gtest/gtest.h>

#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint16_t kSecondPort = 4401;

struct Partnered : testing::Test {
  void world(int supernodes, std::uint16_t second = kSecondPort) {
    for (int i = 1; i <= supernodes; ++i) {
      const std::vector<std::string> first{"s1"};
      net.start(net.add("s" + std::to_string(i), Role::supernode, i == 1 ? std::vector<std::string>{} : first,
                        [&](PeerConfig& config) { config.second_port = second; }));
    }
  }
  Node& s(int i) { return net.at("s" + std::to_string(i)); }
  bool all_have_one() {
    return net.run_to(
        [&] {
          return std::all_of(net.nodes().begin(), net.nodes().end(),
                             [](const auto& n) { return !n->peer || n->peer->partner().has_value(); });
        },
        minutes(2));
  }
  control::PartnerSend order() {
    control::PartnerSend out;
    out.client = {IpAddress::v4(10, 9, 9, 9), 5000, Transport::udp};
    out.transaction = {1, 2, 3};
    out.room = 96;
    return out;
  }
  Node& partner_of(Node& who) {
    const auto at = who.peer->partner();
    for (auto& n : net.nodes()) {
      if (at && n->endpoint.ip == at->ip) return *n;
    }
    std::abort();
  }

  Net net;
};

TEST_F(Partnered, EachNamesAnotherAtTheSecondPort) {
  world(3);
  ASSERT_TRUE(all_have_one());
  for (int i = 1; i <= 3; ++i) {
    EXPECT_NE(s(i).peer->partner()->ip, s(i).endpoint.ip);
    EXPECT_EQ(s(i).peer->partner()->port, kSecondPort);
    EXPECT_NE(s(i).last<PartnerChanged>(), nullptr);
  }
  net.run(minutes(10));
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(s(i).peer->partner()) << "stands by, however little is said";
}

TEST_F(Partnered, AnOrderReachesThePartnerWithWhoAsksAndTheAnswerComesBack) {
  world(2);
  ASSERT_TRUE(all_have_one());
  for (const bool sends : {true, false}) {
    s(2).events.clear();
    std::size_t largest = 0;
    net.seen = [&](const Endpoint& from, const Endpoint&, ByteView bytes) {
      if (from == s(1).endpoint) largest = std::max(largest, bytes.size());
    };
    ASSERT_TRUE(s(1).peer->ask_partner(net.now, order()));
    net.drain(s(1));
    ASSERT_TRUE(net.run_to([&] { return s(2).last<PartnerWanted>() != nullptr; }));
    const auto wanted = *s(2).last<PartnerWanted>();
    EXPECT_EQ(wanted.asker, s(1).endpoint.ip);
    EXPECT_EQ(wanted.order.client, order().client);
    EXPECT_EQ(wanted.order.transaction, order().transaction);
    EXPECT_EQ(wanted.order.room, order().room);
    EXPECT_GT(largest, 76U) << "longer than anything that a partner sends (nat/binding_server.h)";
    s(2).peer->answer_partner(net.now, wanted.from, wanted.order.number, sends);
    net.drain(s(2));
    net.run(seconds(5));
    EXPECT_EQ(s(1).all<PartnerFailed>().size(), sends ? 0U : 1U);
  }
}

TEST_F(Partnered, WhatThePartnerDoesNotAnswerForWasNotSent) {
  world(2);
  ASSERT_TRUE(all_have_one());
  std::size_t asked = 0;
  while (asked < 1000 && s(1).peer->ask_partner(net.now, order())) ++asked;
  EXPECT_EQ(asked, Partners::kPending) << "and no more at once";
  net.drain(s(1));
  net.run(Partners::kAnswer + milliseconds(100));
  EXPECT_EQ(s(1).all<PartnerFailed>().size(), asked);
  EXPECT_TRUE(s(1).peer->ask_partner(net.now, order()));
}

TEST_F(Partnered, WhoseOneDiesFindsAnother) {
  world(3);
  ASSERT_TRUE(all_have_one());
  auto& gone = partner_of(s(1));
  net.kill(gone);
  ASSERT_TRUE(
      net.run_to([&] { return !s(1).peer->partner() || s(1).peer->partner()->ip != gone.endpoint.ip; }, minutes(3)));
  ASSERT_TRUE(all_have_one());
  EXPECT_NE(s(1).peer->partner()->ip, gone.endpoint.ip);
}

TEST_F(Partnered, WithOtherPortsOrNoSecondOneTheyAreNotPartners) {
  world(1);
  net.start(net.add("plain", Role::supernode, {"s1"}));
  auto& elsewhere =
      net.add("elsewhere", Role::supernode, {"s1"}, [](PeerConfig& config) { config.second_port = kSecondPort; });
  auto at = elsewhere.endpoint;
  at.port = 5500;
  net.move(elsewhere, at);
  elsewhere.config.listen = {at};
  net.start(elsewhere);
  net.run(minutes(5));
  EXPECT_FALSE(s(1).peer->partner());
  EXPECT_FALSE(elsewhere.peer->partner());
  EXPECT_FALSE(s(1).peer->ask_partner(net.now, order()));
  EXPECT_EQ(net.at("plain").last<PartnerWanted>(), nullptr);
}

TEST_F(Partnered, AnAddressIsProvenByASessionThatIsHeardThere) {
  world(2);
  ASSERT_TRUE(all_have_one());
  net.start(net.add("alice", Role::leaf, {"s1"}));
  ASSERT_TRUE(net.run_to([&] { return online(net.at("alice")); }, seconds(20)));
  EXPECT_TRUE(s(1).peer->proves(net.at("alice").endpoint.ip));
  EXPECT_FALSE(s(1).peer->proves(IpAddress::v4(10, 9, 9, 9)));
  EXPECT_FALSE(net.at("alice").peer->proves(s(1).endpoint.ip)) << "a leaf has no clients";
}

}  // namespace
}  // namespace linnet::overlay::test
