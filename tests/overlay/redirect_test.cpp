// A full supernode, and one that dies: nobody is dropped, everybody finds another, and not all at once.
#include <gtest/gtest.h>

#include "overlay/supernode_role.h"
#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
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
