// A full supernode, and one that dies: nobody is dropped, everybody finds another, and not all at once.
#include <gtest/gtest.h>

#include <algorithm>

#include "overlay/attach.h"
#include "overlay/supernode_role.h"
#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Redirect, AFullSupernodeKeepsItsLeavesAndNamesOthers) {
  Net net;
  const auto small = [](PeerConfig& config) { config.max_leaves = 2; };
  net.start(net.add("s1", Role::supernode, {}, small));
  for (const auto* name : {"s2", "s3", "s4", "s5"}) net.start(net.add(name, Role::supernode, {"s1"}));
  net.run(seconds(3));
  const auto one_home = [](PeerConfig& config) { config.homes = 1; };
  std::vector<Node*> leaves;
  for (int i = 0; i < 8; ++i) {
    // They know nobody but the one that is soon full.
    auto& leaf = net.add("leaf" + std::to_string(i), Role::leaf, {"s1"}, one_home);
    net.start(leaf);
    ASSERT_TRUE(net.run_to([&] { return online(leaf); }, seconds(5))) << i;
    leaves.push_back(&leaf);
  }
  net.run(seconds(30));
  EXPECT_LE(net.at("s1").peer->leaf_count(), 2U);
  for (auto* leaf : leaves) {
    EXPECT_TRUE(online(*leaf));
    const auto changes = leaf->all<StateChanged>();
    EXPECT_EQ(changes.size(), 1U) << "online once and never again";
    const auto found = look_up(net, *leaves[0], leaf->identity.address);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->devices.size(), 1U);
  }
}

// Handshakes that go from one to the other, by the time since `begin`.
struct Asks {
  Asks(Net& net, const Node& from, const Node& to) : begin(net.now) {
    net.seen = [&net, this, &from, &to](const Endpoint& source, const Endpoint& target, ByteView bytes) {
      if (bytes[0] == 4 && source == from.endpoint && target == to.endpoint) at.push_back(net.now - begin);
    };
  }
  Time begin;
  std::vector<Duration> at;
};

Node& supernode_of_one(Net& net) {
  auto& out = net.add("s1", Role::supernode, {}, [](PeerConfig& config) { config.max_leaves = 1; });
  net.start(out);
  return out;
}

// The one that has the place.
Node& leaf_of_the_only(Net& net) {
  auto& out = net.add("first", Role::leaf, {"s1"});
  net.start(out);
  EXPECT_TRUE(net.run_to([&] { return online(out); }, seconds(5)));
  return out;
}

TEST(Redirect, WhomTheOnlySupernodeTurnsAwayAsksEverMoreSeldomAndComesWhenAPlaceIsFree) {
  Net net;
  auto& s1 = supernode_of_one(net);
  auto& first = leaf_of_the_only(net);
  auto& second = net.add("second", Role::leaf, {"s1"});
  const Asks asks(net, second, s1);
  net.start(second);
  net.run(minutes(5));
  EXPECT_TRUE(online(first));
  EXPECT_FALSE(online(second));
  EXPECT_NE(second.peer->state(), State::alone) << "a supernode answers";
  EXPECT_LE(asks.at.size(), 25U) << "in five minutes";
  EXPECT_GE(asks.at.size(), 10U);
  for (std::size_t i = 1; i < asks.at.size(); ++i)
    EXPECT_LE(asks.at[i] - asks.at[i - 1], Attachments::kMostAskAgain + seconds(1));
  ASSERT_EQ(second.peer->supernodes().size(), 1U);
  EXPECT_TRUE(second.peer->supernodes().front().full);

  first.peer->leave(net.now);
  net.drain(first);
  EXPECT_TRUE(
      net.run_to([&] { return online(second); }, LeafRegistry::kPlaceKept + Attachments::kMostAskAgain + seconds(2)));
  EXPECT_FALSE(second.peer->supernodes().front().full);
}

TEST(Redirect, AFullSupernodeThatDiesIsFullNoMoreAndWhoKnowsNobodyElseIsAlone) {
  Net net;
  auto& s1 = supernode_of_one(net);
  leaf_of_the_only(net);
  auto& second = net.add("second", Role::leaf, {"s1"});
  net.start(second);
  const auto full = [&] {
    const auto all = second.peer->supernodes();
    return std::any_of(all.begin(), all.end(), [](const SupernodeInfo& s) { return s.full; });
  };
  ASSERT_TRUE(net.run_to(full, seconds(5)));
  net.run(minutes(2));
  EXPECT_TRUE(full()) << "as long as it answers";
  EXPECT_EQ(second.peer->state(), State::starting);

  net.kill(s1);
  EXPECT_TRUE(
      net.run_to([&] { return second.peer->state() == State::alone; }, Attachments::kMostAskAgain + minutes(1)));
  EXPECT_FALSE(full());
  net.start(s1);  // its places are free
  EXPECT_TRUE(net.run_to([&] { return online(second); }, minutes(2)));
}

TEST(Redirect, WhomAllTurnAwayIsOnlineSoonAfterThereIsAPlace) {
  Net net;
  const auto one = [](PeerConfig& config) { config.max_leaves = 1; };
  net.start(net.add("s1", Role::supernode, {}, one));
  for (const auto* name : {"s2", "s3"}) net.start(net.add(name, Role::supernode, {"s1"}, one));
  net.run(seconds(3));
  auto& first = net.add("first", Role::leaf, {"s1"});
  net.start(first);
  ASSERT_TRUE(net.run_to([&] { return attached(first) == 3; }, seconds(10)));
  auto& last = net.add("last", Role::leaf, {"s1"});
  net.start(last);
  net.run(minutes(2));
  EXPECT_FALSE(online(last));
  first.peer->leave(net.now);
  net.drain(first);
  EXPECT_TRUE(
      net.run_to([&] { return online(last); }, LeafRegistry::kPlaceKept + Attachments::kMostAskAgain + seconds(2)));
  EXPECT_TRUE(net.run_to([&] { return attached(last) == 3; }, Attachments::kMostAskAgainServed));
}

TEST(Redirect, WhoIsServedElsewhereAsksAFullOneEveryFewMinutesAndChangesNothing) {
  Net net;
  const auto one = [](PeerConfig& config) { config.max_leaves = 1; };
  auto& s1 = net.add("s1", Role::supernode, {}, one);
  net.start(s1);
  net.start(net.add("s2", Role::supernode, {"s1"}));
  net.run(seconds(3));
  auto& first = net.add("first", Role::leaf, {"s1"});
  net.start(first);
  ASSERT_TRUE(net.run_to([&] { return attached(first) == 2; }, seconds(10)));
  auto& second = net.add("second", Role::leaf, {"s1", "s2"});
  net.start(second);
  ASSERT_TRUE(net.run_to([&] { return online(second); }, seconds(5)));
  net.run(minutes(10));
  const Asks asks(net, second, s1);
  net.run(minutes(60));
  EXPECT_LE(asks.at.size(), 60U / 2);
  EXPECT_GE(asks.at.size(), 60U / 5);
  EXPECT_EQ(second.all<StateChanged>().size(), 1U) << "online once and never again";

  // The one that serves it dies: what is full is soon asked again, and has a place by then.
  first.peer->leave(net.now);
  net.drain(first);
  net.kill(net.at("s2"));
  EXPECT_TRUE(
      net.run_to([&] { return attached(second) == 1 && second.peer->supernodes().front().attached; }, minutes(3)));
}

struct Arrivals {
  std::map<std::int64_t, std::size_t> by_tenth;
  std::size_t all = 0;
  std::size_t most() const {
    std::size_t out = 0;
    for (const auto& [tenth, n] : by_tenth) out = std::max(out, n);
    return out;
  }
};

TEST(Redirect, TheLeavesOfASupernodeThatLeavesDoNotComeToTheNextAllAtOnce) {
  Net net(3, crypto::typed_suite());
  net.start(net.add("s1", Role::supernode));
  for (const auto* name : {"s2", "s3", "s4", "s5"}) net.start(net.add(name, Role::supernode, {"s1"}));
  net.run(seconds(3));
  constexpr int kLeaves = 100;
  for (int i = 0; i < kLeaves; ++i) {
    net.start(net.add("leaf" + std::to_string(i), Role::leaf, {"s1", "s2"}));
    net.run(milliseconds(20));
  }
  net.run(seconds(20));
  // Handshakes that leaves begin after one supernode said good-bye.
  Arrivals arrivals;
  const auto begin = net.now;
  net.block = [&](const Endpoint&, const Endpoint&) { return false; };
  net.seen = [&](const Endpoint&, const Endpoint& to, ByteView bytes) {
    if (bytes[0] != 4 || to == net.at("s2").endpoint) return;
    ++arrivals.by_tenth[(net.now - begin) / milliseconds(100)];
    ++arrivals.all;
  };
  const auto lost = net.at("s2").peer->leaf_count();
  ASSERT_GT(lost, 40U);
  net.at("s2").peer->leave(net.now);
  net.drain(net.at("s2"));
  net.kill(net.at("s2"));
  net.run(seconds(20));
  for (int i = 0; i < kLeaves; ++i) {
    EXPECT_TRUE(online(net.at("leaf" + std::to_string(i))));
    EXPECT_EQ(attached(net.at("leaf" + std::to_string(i))), 4U);
  }
  EXPECT_GT(arrivals.all, 0U);
  // Spread over four seconds, a tenth of one sees about a fortieth; a herd would be all of them.
  EXPECT_LE(arrivals.most(), std::max<std::size_t>(8, arrivals.all / 8)) << arrivals.all;
}

// Self-made identities cost nothing, addresses do: one prefix never takes more than its share of a supernode's places.
TEST(Redirect, OnePrefixDoesNotFillASupernode) {
  Net net(5, crypto::typed_suite());
  const auto wide = [](PeerConfig& config) { config.max_leaves = 100; };
  net.start(net.add("s1", Role::supernode, {}, wide));
  net.run(seconds(1));
  const std::size_t share = (2 * 100 + SupernodeRole::kVisitors) / SupernodeRole::kPrefixShare;
  for (std::size_t i = 0; i < share + 20; ++i) {
    auto& leaf = net.add("same" + std::to_string(i), Role::leaf, {"s1"});
    net.move(leaf, {IpAddress::v4(9, 9, 9, static_cast<std::uint8_t>(i + 1)), 4400, Transport::udp});
    net.start(leaf);
    net.run(milliseconds(200));
  }
  net.run(seconds(10));
  EXPECT_EQ(net.at("s1").peer->leaf_count(), share);
  auto& other = net.add("other", Role::leaf, {"s1"});
  net.move(other, {IpAddress::v4(8, 8, 8, 8), 4400, Transport::udp});
  net.start(other);
  EXPECT_TRUE(net.run_to([&] { return online(other); }, seconds(10)));
}

}  // namespace
}  // namespace linnet::overlay::test
