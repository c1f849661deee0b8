// A promoted node is a leaf again: what it did for others is handed over first (docs/decisions/029).
#include <gtest/gtest.h>

#include "overlay/promotion.h"
#include "tests/overlay/impostor.h"
#include "tests/overlay/promotion.h"

namespace linnet::overlay::test {
namespace {

using namespace std::chrono_literals;

constexpr Duration kAtMost = Promotion::kHandOver + Promotion::kClosing + 500ms;

// Three supernodes and one that was promoted; leaves that all four serve.
struct HandoverTest : ::testing::Test {
  void SetUp() override {
    node = &promoted(net);
    ASSERT_TRUE(serves(*node));
    net.run(Promotion::kOldHomes + 1min);
  }
  void fill(int n) {
    for (int i = 0; i < n; ++i) {
      auto& leaf = net.add("leaf" + std::to_string(i), Role::leaf, {"s1", "s2", "s3"});
      net.start(leaf);
      leaves.push_back(&leaf);
      net.run(20ms);
    }
    ASSERT_TRUE(net.run_to([&] { return node->peer->leaf_count() == static_cast<std::size_t>(n); }, 5min));
    net.run(3min);  // until their records name it
  }
  bool all_found(Node& by) {
    for (auto* leaf : leaves) {
      if (leaf == &by) continue;
      const auto found = look_up(net, by, leaf->identity.address);
      if (!found || found->devices.size() != 1) return false;
    }
    return true;
  }
  std::size_t held_by(Node& holder, const Node& of) {
    holder.peer->handle_wall(net.now, net.wall());
    net.drain(holder);
    return holder.peer->dht()->local_records(crypto::user_key(of.identity.address)).size();
  }
  std::size_t copies(const Node& of) {
    std::size_t out = 0;
    for (const auto& n : net.nodes()) {
      if (n->peer && n->peer->dht() != nullptr) out += held_by(*n, of);
    }
    return out;
  }

  void leave() {
    node->peer->leave(net.now);
    net.drain(*node);
  }
  // The spare takes over before the circuit ends.
  void call_goes_on(const std::function<void()>& ends) {
    fill(2);
    for (const auto* name : {"s2", "s3"}) net.kill(net.at(name));
    net.run(5min);
    auto& a = *leaves[0];
    auto& b = *leaves[1];
    const auto call = link_up(net, a, b);
    ASSERT_TRUE(call.up);
    a.peer->keep(net.now, call.a, true);
    b.peer->keep(net.now, call.b, true);
    net.run(3s);
    const auto proven = a.peer->report(call.a)->proven;
    const auto over_it = std::find_if(proven.begin(), proven.end(), [&](const Path& p) {
      return p.kind == PathKind::circuit && same_place(p.endpoint, node->endpoint);
    });
    ASSERT_NE(over_it, proven.end());
    a.peer->offer_path(net.now, call.a, *over_it, true);
    net.drain(a);
    net.run(1s);
    ASSERT_EQ(a.peer->path(call.a), *over_it);
    Voice there(net, a, call.a, b), back(net, b, call.b, a);
    ends();
    for (int n = 0; n < 15 * 25; ++n) {
      there.say_for(20ms);
      back.say_for(20ms);
    }
    EXPECT_EQ(there.heard(), there.said);
    EXPECT_EQ(back.heard(), back.said);
    EXPECT_TRUE(same_place(a.peer->path(call.a)->endpoint, net.at("s1").endpoint));
    EXPECT_TRUE(a.all<LinkDown>().empty());
  }
  void copies_stay(const std::function<void()>& ends) {
    // Eight supernodes: two of them do not hold it.
    for (int i = 4; i <= 7; ++i) net.start(net.add("s" + std::to_string(i), Role::supernode, {"s1"}));
    net.run(1min);
    for (int i = 0; i < 12; ++i) {
      auto& leaf = net.add("leaf" + std::to_string(i), Role::leaf, {"s1", "s2", "s3"});
      net.start(leaf);
      leaves.push_back(&leaf);
      net.run(20ms);
    }
    net.run(4min);
    std::size_t held = 0;
    std::vector<std::size_t> before;
    for (auto* leaf : leaves) {
      before.push_back(copies(*leaf));
      held += held_by(*node, *leaf);
    }
    ASSERT_GT(held, 4U);
    // No leaf stores anything meanwhile: the copies that come are those handed over.
    for (auto* leaf : leaves) net.kill(*leaf);
    ends();
    for (std::size_t i = 0; i < leaves.size(); ++i)
      EXPECT_GE(copies(*leaves[i]), std::min<std::size_t>(6, before[i])) << i;
  }

  Net net;
  Node* node = nullptr;
  std::vector<Node*> leaves;
};

TEST_F(HandoverTest, ItsLeavesGoElsewhereAndAreFoundAllTheWhile) {
  fill(12);
  set_fit(net, *node, false);
  const auto end = net.now + kAtMost;
  EXPECT_TRUE(node->peer->standby()->handing_over);
  EXPECT_TRUE(serves(*node));
  auto& by = net.at("leaf0");
  while (net.now < end && serves(*node)) {
    EXPECT_TRUE(all_found(by));
    net.run(100ms);
  }
  EXPECT_FALSE(serves(*node));
  EXPECT_EQ(node->peer->dht(), nullptr);
  EXPECT_EQ(node->last<RoleChanged>()->role, Role::leaf);
  EXPECT_TRUE(all_found(by));
  net.run(5min);
  EXPECT_TRUE(all_found(by));
  for (auto* leaf : leaves) {
    EXPECT_EQ(attached(*leaf), 3U);
    EXPECT_EQ(leaf->all<StateChanged>().size(), 1U) << "online once and never again";
    const auto found = look_up(net, by, leaf->identity.address);
    if (leaf == &by) continue;
    ASSERT_TRUE(found && found->devices.size() == 1);
    for (const auto& home : found->devices[0].body.homes) EXPECT_NE(home.endpoint, node->endpoint);
  }
}

TEST(Handover, OfManyLeavesEachHasAnotherHomeBeforeItsOldOneEnds) {
  Net net(2, crypto::typed_suite());
  auto& node = promoted(net);
  ASSERT_TRUE(serves(node));
  std::vector<Node*> leaves;
  for (int i = 0; i < 90; ++i) {
    leaves.push_back(&net.add("leaf" + std::to_string(i), Role::leaf, {"s1", "s2", "s3"}));
    net.start(*leaves.back());
    net.run(20ms);
  }
  ASSERT_TRUE(net.run_to([&] { return node.peer->leaf_count() == leaves.size(); }, 5min));
  set_fit(net, node, false);
  ASSERT_TRUE(net.run_to([&] { return node.peer->leaf_count() == 0; }, Promotion::kHandOver));
  EXPECT_TRUE(serves(node)) << "the last of them went by itself";
  for (auto* leaf : leaves) EXPECT_EQ(attached(*leaf), 3U);
}

TEST_F(HandoverTest, AnyLeafCanBeCalledWhileItLasts) {
  fill(6);
  set_fit(net, *node, false);
  for (std::size_t i = 1; i < leaves.size(); ++i) {
    EXPECT_TRUE(link_up(net, *leaves[0], *leaves[i]).up) << i;
    net.run(1s);
  }
}

TEST_F(HandoverTest, ItsOwnPersonIsFoundAndReachedAllTheWhile) {
  fill(1);
  set_fit(net, *node, false);
  for (int i = 0; i < 30; ++i) {
    const auto found = look_up(net, *leaves[0], node->identity.address);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->devices.size(), 1U) << i;
    net.run(500ms);
  }
  EXPECT_FALSE(serves(*node));
  EXPECT_TRUE(online(*node));
  EXPECT_EQ(attached(*node), 3U);
  EXPECT_TRUE(link_up(net, *leaves[0], *node).up);
}

TEST_F(HandoverTest, ACallThatItRelaysGoesOnByItsSpare) {
  call_goes_on([&] { set_fit(net, *node, false); });
  EXPECT_FALSE(serves(*node));
}

TEST_F(HandoverTest, NobodyNewIsTakenMeanwhile) {
  fill(4);
  auto& late = net.add("late", Role::leaf, {"auto", "s1"});
  set_fit(net, *node, false);
  net.start(late);
  std::size_t most = 0;
  while (serves(*node)) {
    net.run(100ms);
    most = std::max(most, node->peer->leaf_count());
  }
  EXPECT_LE(most, 4U);
  EXPECT_TRUE(online(late)) << "others took it";
}

TEST_F(HandoverTest, RecordsHaveAsManyCopiesAsBefore) {
  copies_stay([&] {
    set_fit(net, *node, false);
    ASSERT_TRUE(net.run_to([&] { return !serves(*node); }, 12s));
  });
}

TEST_F(HandoverTest, ItEndsInTimeThoughNoLeafGoes) {
  fill(4);
  // Deaf leaves: whatever is told to them does not arrive.
  net.block = [&](const Endpoint& from, const Endpoint& to) {
    return from == node->endpoint &&
           std::any_of(leaves.begin(), leaves.end(), [&](const Node* l) { return l->endpoint == to; });
  };
  set_fit(net, *node, false);
  EXPECT_TRUE(net.run_to([&] { return !serves(*node); }, kAtMost));
  net.block = {};
  net.run(2min);
  for (auto* leaf : leaves) EXPECT_TRUE(online(*leaf));
}

TEST_F(HandoverTest, AfterwardsItRestsLongerEachTime) {
  auto rest = Promotion::kFirstRest;
  for (int i = 0; i < 4; ++i) {
    set_fit(net, *node, false);
    ASSERT_TRUE(net.run_to([&] { return !serves(*node); }, kAtMost)) << i;
    const auto from = net.now;
    set_fit(net, *node, true);
    EXPECT_FALSE(node->peer->standby()->offered);
    ASSERT_TRUE(node->peer->standby()->rests_until);
    net.run(rest - 1min);
    EXPECT_FALSE(serves(*node)) << i;
    ASSERT_TRUE(net.run_to([&] { return serves(*node); }, 4min)) << i;
    EXPECT_GE(net.now - from, rest);
    rest = std::min(2 * rest, Promotion::kMostRest);
  }
}

TEST_F(HandoverTest, AnHourOfServiceMakesTheRestShortAgain) {
  for (int i = 0; i < 3; ++i) {
    set_fit(net, *node, false);
    ASSERT_TRUE(net.run_to([&] { return !serves(*node); }, kAtMost));
    set_fit(net, *node, true);
    ASSERT_TRUE(net.run_to([&] { return serves(*node); }, 70min));
  }
  net.run(Promotion::kMostRest + 1min);
  set_fit(net, *node, false);
  ASSERT_TRUE(net.run_to([&] { return !serves(*node); }, kAtMost));
  EXPECT_LE(*node->peer->standby()->rests_until - net.now, Promotion::kFirstRest);
}

TEST_F(HandoverTest, WhoLeavesSaysSoAtOnceAlsoWhilePromoted) {
  fill(4);
  node->peer->leave(net.now);
  net.drain(*node);
  EXPECT_TRUE(net.run_to([&] { return node->peer->left(); }, 2s));
  net.kill(*node);
  net.run(30s);
  for (auto* leaf : leaves) EXPECT_TRUE(online(*leaf));
}

TEST_F(HandoverTest, ACallThatItRelaysGoesOnByItsSpareAlsoWhenItLeaves) {
  call_goes_on([&] { leave(); });
}

TEST_F(HandoverTest, RecordsHaveAsManyCopiesAsBeforeAlsoWhenItLeaves) {
  copies_stay([&] {
    leave();
    EXPECT_TRUE(net.run_to([&] { return node->peer->left(); }, 2s));
    net.kill(*node);
  });
}

// Where many serve, who has nobody to serve is a leaf again after a while, but not who has leaves, is one of few, or is
// one by its owner's wish.
struct Superfluous : ::testing::Test {
  Net net{3, crypto::typed_suite()};
  Node& one_of(int supernodes) {
    auto& node = promoted(net);
    EXPECT_TRUE(serves(node));
    for (int i = 4; i < supernodes; ++i) net.start(net.add("s" + std::to_string(i), Role::supernode, {"s1"}));
    return node;
  }
};

TEST_F(Superfluous, WhoHasServedNobodyForAnHourAmongManyIsALeafAgain) {
  auto& node = one_of(34);
  net.run(Promotion::kIdle);
  EXPECT_TRUE(serves(node));
  EXPECT_TRUE(net.run_to([&] { return !serves(node); }, 6h));
  EXPECT_TRUE(online(node));
  EXPECT_TRUE(node.peer->standby()->rests_until);
}

TEST_F(Superfluous, AmongFewItStays) {
  auto& node = one_of(20);
  net.run(4h);
  EXPECT_TRUE(serves(node));
}

TEST_F(Superfluous, WhoHasLeavesStays) {
  auto& node = one_of(34);
  for (std::size_t i = 0; node.peer->leaf_count() < node.config.leaves_wanted / 8; ++i) {
    ASSERT_LT(i, 400U);
    net.start(net.add("leaf" + std::to_string(i), Role::leaf, {"auto"}));
    net.run(200ms);
  }
  net.run(150min);
  EXPECT_TRUE(serves(node));
}

TEST_F(HandoverTest, ACrowdedOneIsLeftByThoseWhoAreOnlyAnchoredThere) {
  net.kill(net.at("s3"));
  auto& mallory = net.add("mallory", Role::leaf);
  Impostor crowded(net, mallory);
  for (int i = 0; i < 12; ++i) {
    auto& leaf = net.add("leaf" + std::to_string(i), Role::leaf, {"mallory", "s1", "s2"});
    net.start(leaf);
    leaves.push_back(&leaf);
  }
  const auto there = [&](const Node& leaf) {
    const auto all = leaf.peer->supernodes();
    const auto at = std::find_if(all.begin(), all.end(),
                                 [&](const SupernodeInfo& s) { return s.attached && s.endpoint == mallory.endpoint; });
    return at == all.end() ? ' ' : at->home ? 'h' : at->anchor ? 'a' : ' ';
  };
  crowded.run(20s);
  // All four serve everybody; two come later.
  for (const auto* name : {"s4", "s5"}) net.start(net.add(name, Role::supernode, {"s1", "s2"}));
  crowded.run(90s);
  std::string before;
  std::string after;
  for (const auto* leaf : leaves) before += there(*leaf);
  ASSERT_NE(before.find('h'), std::string::npos) << before;
  ASSERT_NE(before.find('a'), std::string::npos) << before;
  crowded.say(control::Crowded{});
  crowded.run(5s);
  for (const auto* leaf : leaves) {
    after += there(*leaf);
    EXPECT_EQ(attached(*leaf), 4U);
  }
  std::replace(before.begin(), before.end(), 'a', ' ');
  EXPECT_EQ(after, before);
}

// What a supernode says of its end moves its own leaves alone, and only away from itself.
TEST_F(HandoverTest, AFalseHandoverCostsItsSpeakerItsLeafAndNobodyElse) {
  auto& mallory = net.add("mallory", Role::leaf);
  Impostor impostor(net, mallory);
  auto& leaf = net.add("leaf", Role::leaf, {"mallory", "s1", "s2"});
  net.start(leaf);
  ASSERT_TRUE(impostor.run_to([&] { return attached(leaf) >= 3; }, 20s));
  impostor.say(control::Handover{});
  impostor.run(5s);
  EXPECT_TRUE(online(leaf));
  for (const auto& s : leaf.peer->supernodes()) EXPECT_FALSE(s.attached && s.endpoint == mallory.endpoint);
}

}  // namespace
}  // namespace linnet::overlay::test
