#include "overlay/leaf_registry.h"

#include <gtest/gtest.h>

namespace linnet::overlay {
namespace {

using std::chrono::minutes;

struct Registry : ::testing::Test {
  static crypto::SessionKey key(std::uint8_t n) {
    crypto::SessionKey out;
    out.bytes.fill(n);
    return out;
  }
  static Endpoint place(std::uint8_t n) { return {IpAddress::v4(10, 1, 0, n), 4400, Transport::udp}; }
  Leaf& attach(std::uint8_t n, std::uint64_t session, const Endpoint& at) {
    return **leaves.attach(now, crypto::shipped_suite(), rng, key(n), SessionId{session}, at);
  }

  SeededRng rng{5};
  Time now{};
  LeafRegistry leaves{10};
};

TEST_F(Registry, FindsALeafByTagSessionKeyAndPlace) {
  auto& leaf = attach(1, 11, place(1));
  attach(2, 12, place(2));
  EXPECT_EQ(leaves.by_tag(leaf.tag), &leaf);
  EXPECT_EQ(leaves.by_session(SessionId{11}), &leaf);
  EXPECT_EQ(leaves.by_key(key(1)), &leaf);
  EXPECT_EQ(leaves.by_endpoint(place(1)), &leaf);
  EXPECT_EQ(leaves.by_endpoint(place(3)), nullptr);
}

TEST_F(Registry, FollowsALeafThatMoves) {
  auto& leaf = attach(1, 11, place(1));
  leaves.moved(SessionId{11}, place(3));
  EXPECT_EQ(leaves.by_endpoint(place(1)), nullptr);
  EXPECT_EQ(leaves.by_endpoint(place(3)), &leaf);
}

TEST_F(Registry, AsksWhoCameLastFromOnePlace) {
  attach(1, 11, place(1));
  auto& later = attach(2, 12, place(1));
  EXPECT_EQ(leaves.by_endpoint(place(1)), &later);
  leaves.detach(now, SessionId{11});
  EXPECT_EQ(leaves.by_endpoint(place(1)), &later);
}

TEST_F(Registry, KeepsTheTagOfALeafThatComesBackInTime) {
  const auto tag = attach(1, 11, place(1)).tag;
  leaves.detach(now, SessionId{11});
  EXPECT_EQ(leaves.size(), 0U);
  EXPECT_EQ(leaves.by_endpoint(place(1)), nullptr);
  now += LeafRegistry::kTagKept - minutes(1);
  EXPECT_EQ(attach(1, 13, place(2)).tag, tag);
  leaves.detach(now, SessionId{13});
  now += LeafRegistry::kTagKept;
  attach(2, 14, place(4));
  EXPECT_EQ(leaves.by_key(key(1)), nullptr);
  EXPECT_EQ(leaves.by_tag(tag), nullptr);
}

TEST_F(Registry, GivesThePlaceOfOneThatWentToANewcomerOnlyWhenAllAreTaken) {
  for (std::uint8_t n = 1; n <= 10; ++n) attach(n, n, place(n));
  const auto newcomer = [&] {
    return leaves.attach(now, crypto::shipped_suite(), rng, key(20), SessionId{20}, place(20));
  };
  EXPECT_FALSE(newcomer());
  leaves.detach(now, SessionId{3});
  leaves.detach(now, SessionId{4});
  EXPECT_FALSE(newcomer()) << "it may be back in a moment";
  now += LeafRegistry::kPlaceKept;
  EXPECT_TRUE(newcomer());
  EXPECT_EQ(leaves.by_key(key(3)), nullptr) << "the one that went first";
  EXPECT_NE(leaves.by_key(key(4)), nullptr);
  EXPECT_EQ(leaves.size(), 9U);
}

TEST_F(Registry, CountsThePlaceOfOneThatWentTwiceFromTheSecondTime) {
  for (std::uint8_t n = 1; n <= 10; ++n) attach(n, n, place(n));
  leaves.detach(now, SessionId{3});
  now += LeafRegistry::kPlaceKept / 2;
  attach(3, 13, place(3));
  leaves.detach(now, SessionId{13});
  now += LeafRegistry::kPlaceKept / 2;
  EXPECT_FALSE(leaves.attach(now, crypto::shipped_suite(), rng, key(20), SessionId{20}, place(20)));
  EXPECT_NE(leaves.by_key(key(3)), nullptr);
}

}  // namespace
}  // namespace linnet::overlay
