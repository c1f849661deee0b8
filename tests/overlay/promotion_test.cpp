// A leaf becomes a supernode while it runs (protocol.md section 3; docs/decisions/029).
#include "tests/overlay/promotion.h"

#include <gtest/gtest.h>

#include "overlay/promotion.h"
#include "overlay/supernode_role.h"
#include "tests/overlay/impostor.h"

namespace linnet::overlay::test {
namespace {

using namespace std::chrono_literals;

// A pair of leaves at three supernodes, and `auto`, fit, that has been called.
struct PromotionTest : ::testing::Test {
  Net net;

  Node& leaf(const std::string& name) {
    auto& node = net.add(name, Role::leaf, {"s1", "s2", "s3"});
    net.start(node);
    EXPECT_TRUE(net.run_to([&] { return online(node); }));
    return node;
  }
  // Three supernodes, and a leaf of theirs that may be promoted.
  Node& auto_with_three() {
    net.start(net.add("s1", Role::supernode));
    net.start(net.add("s2", Role::supernode, {"s1"}));
    net.start(net.add("s3", Role::supernode, {"s1"}));
    net.run(1s);
    auto& node = add_auto(net, "auto", {"s1", "s2", "s3"});
    net.start(node);
    EXPECT_TRUE(net.run_to([&] { return online(node); }));
    return node;
  }
  bool known_to(const std::string& who, const Node& whom) {
    const auto all = net.at(who).peer->dht()->nearest(whom.peer->dht()->self().position, 16);
    return std::any_of(all.begin(), all.end(),
                       [&](const dht::Contact& c) { return c.device == whom.identity.device_key(); });
  }
};

TEST_F(PromotionTest, AFitLeafIsCalledWhereSupernodesAreFewAndStandsAmongThem) {
  auto& node = promoted(net);
  ASSERT_TRUE(serves(node));
  ASSERT_NE(node.last<RoleChanged>(), nullptr);
  EXPECT_EQ(node.last<RoleChanged>()->role, Role::supernode);
  EXPECT_EQ(node.peer->place(), node.endpoint);
  EXPECT_TRUE(node.peer->standby()->called);
  EXPECT_TRUE(node.peer->standby()->serves_since);
  EXPECT_FALSE(node.peer->standby()->offered);
  for (const auto* s : {"s1", "s2", "s3"}) EXPECT_TRUE(net.run_to([&] { return known_to(s, node); }, 60s)) << s;
  // It serves who comes, and its own person is found at it.
  auto& alice = leaf("alice");
  EXPECT_TRUE(net.run_to([&] { return node.peer->leaf_count() == 1; }, 2min));
  net.run(2s);
  const auto found = look_up(net, alice, node.identity.address);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->devices.size(), 1U);
  ASSERT_EQ(found->devices[0].body.homes.size(), 1U);
  EXPECT_EQ(found->devices[0].body.homes[0].endpoint, node.endpoint);
  EXPECT_TRUE(link_up(net, alice, node).up);
}

TEST_F(PromotionTest, ItIsOnlineAllTheWhile) {
  auto& node = promoted(net);
  net.run(20min);
  EXPECT_EQ(node.all<StateChanged>().size(), 1U) << "online once and never again";
}

TEST_F(PromotionTest, NobodyServesWhoIsNotFit) {
  promoted(net);
  auto& unfit = add_auto(net, "unfit", {"s1"});
  net.start(unfit);
  net.run(10min);
  EXPECT_FALSE(serves(unfit));
  EXPECT_FALSE(unfit.peer->standby()->offered);
  set_fit(net, unfit, true, 0);
  net.run(5min);
  EXPECT_FALSE(serves(unfit)) << "fit for no leaf at all";
}

TEST_F(PromotionTest, NobodyServesWhoIsALeafByItsOwnersWord) {
  promoted(net);
  auto& plain = net.add("plain", Role::leaf, {"s1"});
  net.start(plain);
  net.run(1s);
  set_fit(net, plain, true);
  net.run(10min);
  EXPECT_FALSE(serves(plain));
  EXPECT_FALSE(plain.peer->standby());
  EXPECT_EQ(plain.peer->dht(), nullptr);
}

TEST_F(PromotionTest, NobodyIsCalledWhereThereIsNoNeed) {
  net.start(net.add("s1", Role::supernode));
  for (int i = 2; i <= 8; ++i) net.start(net.add("s" + std::to_string(i), Role::supernode, {"s1"}));
  net.run(5s);
  auto& node = add_auto(net, "auto", {"s1", "s2"});
  net.start(node);
  net.run_to([&] { return online(node); });
  set_fit(net, node, true);
  net.run(10min);
  EXPECT_FALSE(serves(node));
  EXPECT_TRUE(node.peer->standby()->offered);
  EXPECT_EQ(node.peer->standby()->at, 4U);
}

TEST_F(PromotionTest, OneMoreIsCalledWhereASupernodeHasMoreLeavesThanWanted) {
  const auto wants_eight = [](PeerConfig& config) { config.leaves_wanted = 8; };
  net.start(net.add("s1", Role::supernode, {}, wants_eight));
  for (int i = 2; i <= 8; ++i) net.start(net.add("s" + std::to_string(i), Role::supernode, {"s1"}, wants_eight));
  net.run(5s);
  auto& node = add_auto(net, "auto", {"s1", "s2"});
  net.start(node);
  net.run_to([&] { return online(node); });
  set_fit(net, node, true);
  for (int i = 0; i < 7; ++i) leaf("one" + std::to_string(i));
  net.run(3min);
  EXPECT_FALSE(serves(node)) << "there are eight leaves";
  for (int i = 0; i < 12; ++i) leaf("two" + std::to_string(i));
  EXPECT_TRUE(net.run_to([&] { return serves(node); }, 2min));
}

TEST_F(PromotionTest, ItsOldHomesAnswerForItUntilItsOldRecordIsNobodysAnyMore) {
  auto& node = promoted(net);
  ASSERT_EQ(attached(node), 3U);
  net.run(Promotion::kOldHomes - 1min);
  EXPECT_EQ(attached(node), 3U);
  net.run(2min);
  EXPECT_EQ(attached(node), 0U);
  EXPECT_TRUE(net.run_to([&] { return net.at("s1").peer->leaf_count() == 0; }));
}

TEST_F(PromotionTest, WhoFoundItAsALeafReachesItAllTheSame) {
  auto& node = auto_with_three();
  auto& alice = leaf("alice");
  const auto before = look_up(net, alice, node.identity.address);
  ASSERT_TRUE(before);
  ASSERT_EQ(before->devices.size(), 1U);
  set_fit(net, node, true);
  ASSERT_TRUE(net.run_to([&] { return serves(node); }, 1min));
  net.run(5min);
  const auto link = alice.peer->connect(net.now, node.identity.address, before->devices[0], true);
  ASSERT_TRUE(link);
  net.drain(alice);
  EXPECT_TRUE(net.run_to([&] { return alice.last<LinkUp>() != nullptr && alice.last<LinkUp>()->link == *link; }));
}

// One of them by circuits at its own old homes, the other by those at the homes of whom it called.
TEST_F(PromotionTest, CallsThatStandDoNotNotice) {
  auto& node = auto_with_three();
  auto& alice = leaf("alice");
  auto& bob = leaf("bob");
  const auto in = link_up(net, alice, node);
  const auto out = link_up(net, node, bob);
  ASSERT_TRUE(in.up && out.up);
  for (auto* n : {&alice, &node}) n->peer->keep(net.now, in.a, true);
  node.peer->keep(net.now, in.b, true);
  node.peer->keep(net.now, out.a, true);
  bob.peer->keep(net.now, out.b, true);
  net.run(3s);
  ASSERT_EQ(alice.peer->path(in.a)->kind, PathKind::circuit);
  ASSERT_EQ(node.peer->path(out.a)->kind, PathKind::circuit);
  Voice called(net, alice, in.a, node), calls(net, node, out.a, bob);
  set_fit(net, node, true);
  for (int i = 0; i < 14 * 60; ++i) {
    called.say_for(40ms);
    calls.say_for(40ms);
    net.run(920ms);
  }
  ASSERT_TRUE(serves(node));
  EXPECT_EQ(attached(node), 0U) << "the old homes do not answer for it any more";
  EXPECT_EQ(called.heard(), called.said);
  EXPECT_EQ(calls.heard(), calls.said);
  EXPECT_TRUE(alice.all<LinkDown>().empty());
  EXPECT_TRUE(node.all<LinkDown>().empty());
  EXPECT_TRUE(bob.all<LinkDown>().empty());
}

TEST_F(PromotionTest, OverItsBudgetItTurnsAwayAndKeepsTheRole) {
  auto& node = promoted(net, "auto", 2);
  ASSERT_TRUE(serves(node));
  for (int i = 0; i < 6; ++i) leaf("leaf" + std::to_string(i));
  net.run(3min);
  EXPECT_EQ(node.peer->leaf_count(), 2U);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(online(net.at("leaf" + std::to_string(i))));
  set_fit(net, node, true, 1);
  net.run(10min);
  EXPECT_EQ(node.peer->leaf_count(), 2U) << "whom it has it keeps";
  EXPECT_TRUE(serves(node));
  set_fit(net, node, true, 4);
  EXPECT_TRUE(net.run_to([&] { return node.peer->leaf_count() == 4; }, 10min));
}

TEST_F(PromotionTest, FollowsItsPlace) {
  auto& node = promoted(net);
  ASSERT_TRUE(serves(node));
  auto elsewhere = node.endpoint;
  elsewhere.ip = IpAddress::v4(10, 9, 9, 9);
  net.move(node, elsewhere);
  set_fit(net, node, true);
  EXPECT_EQ(node.peer->place(), elsewhere);
  EXPECT_NE(node.last<PlaceChanged>(), nullptr);
  auto& alice = leaf("alice");
  const auto there = [&] {
    const auto found = look_up(net, alice, node.identity.address);
    return found && !found->devices.empty() && found->devices[0].body.homes.at(0).endpoint == elsewhere;
  };
  net.run(10s);
  EXPECT_TRUE(there());
  EXPECT_TRUE(serves(node));
}

TEST_F(PromotionTest, AFitNodeThatAllTurnAwayAsFullPromotesItself) {
  const auto one = [](PeerConfig& config) { config.max_leaves = 1; };
  for (const auto* name : {"s1", "s2"})
    net.start(net.add(name, Role::supernode,
                      name[1] == '1' ? std::vector<std::string>{} : std::vector<std::string>{"s1"}, one));
  net.run(1s);
  auto& first = net.add("first", Role::leaf, {"s1"});
  net.start(first);
  ASSERT_TRUE(net.run_to([&] { return attached(first) == 2; }, 30s));
  auto& unfit = add_auto(net, "unfit", {"s1"});
  auto& node = add_auto(net, "auto", {"s1"});
  net.start(unfit);
  net.start(node);
  net.run(1min);
  EXPECT_FALSE(online(unfit));
  EXPECT_FALSE(online(node));
  set_fit(net, node, true);
  EXPECT_TRUE(net.run_to([&] { return serves(node) && online(node); }, 2min));
  EXPECT_TRUE(net.run_to([&] { return online(unfit); }, 2min)) << "there is a place for it now";
  EXPECT_FALSE(serves(unfit));
}

TEST_F(PromotionTest, WhoFindsNoOtherSupernodeIsNoneAndRests) {
  auto& mallory = net.add("mallory", Role::leaf);
  Impostor impostor(net, mallory);
  auto& node = add_auto(net, "auto", {"mallory"});
  net.start(node);
  ASSERT_TRUE(impostor.run_to([&] { return attached(node) == 1; }));
  set_fit(net, node, true);
  impostor.call();
  ASSERT_TRUE(impostor.run_to([&] { return node.peer->dht() != nullptr; }));
  EXPECT_TRUE(impostor.run_to([&] { return node.peer->dht() == nullptr; }, Promotion::kJoin + 1s));
  EXPECT_TRUE(node.all<RoleChanged>().empty());
  EXPECT_TRUE(node.peer->standby()->rests_until);
  EXPECT_EQ(attached(node), 1U) << "its home served it all the while";
}

TEST_F(PromotionTest, AHostileSupernodeThatCallsEverybodyMakesNobodyServeWhoIsNotFit) {
  auto& mallory = net.add("mallory", Role::leaf);
  Impostor impostor(net, mallory);
  auto& unfit = add_auto(net, "unfit", {"mallory"});
  auto& plain = net.add("plain", Role::leaf, {"mallory"});
  net.start(unfit);
  net.start(plain);
  ASSERT_TRUE(impostor.run_to([&] { return attached(unfit) == 1 && attached(plain) == 1; }));
  for (int i = 0; i < 50; ++i) {
    impostor.call();
    impostor.run(100ms);
    EXPECT_EQ(unfit.peer->dht(), nullptr);
    EXPECT_EQ(plain.peer->dht(), nullptr);
  }
  EXPECT_GT(impostor.called, 90U);
}

TEST_F(PromotionTest, OneNetworkCannotFillTheLineOfASupernode) {
  net.start(net.add("s1", Role::supernode));
  for (int i = 2; i <= 8; ++i) net.start(net.add("s" + std::to_string(i), Role::supernode, {"s1"}));
  net.run(5s);
  for (int i = 1; i <= 20; ++i) {
    auto& node = add_auto(net, "same" + std::to_string(i), {"s1", "s2", "s3"});
    net.move(node, {IpAddress::v4(9, 9, 9, static_cast<std::uint8_t>(i)), 4400, Transport::udp});
    net.start(node);
    net.run_to([&] { return online(node); });
    set_fit(net, node, true);
  }
  auto& other = add_auto(net, "other", {"s1", "s2", "s3"});
  net.move(other, {IpAddress::v4(8, 8, 8, 8), 4400, Transport::udp});
  net.start(other);
  net.run_to([&] { return online(other); });
  set_fit(net, other, true);
  net.run(1min);
  // Four die: those who are left call, first who is first in line, and soon the other one.
  for (int i = 5; i <= 8; ++i) net.kill(net.at("s" + std::to_string(i)));
  EXPECT_TRUE(net.run_to([&] { return serves(other); }, 10min));
}

}  // namespace
}  // namespace linnet::overlay::test
