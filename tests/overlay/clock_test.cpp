// Wrong clocks: what time it is is the median of what supernodes say.
#include <gtest/gtest.h>

#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr hours kDay{24};

class WrongClock : public testing::TestWithParam<std::int64_t> {
 protected:
  Net net;
  Node& starts(const std::string& name, Role role, const std::vector<std::string>& bootstrap, seconds off) {
    auto& node = net.add(name, role, bootstrap);
    node.clock_off = off;
    net.start(node);
    return node;
  }
  seconds off() const { return GetParam() * kDay; }
};

TEST_P(WrongClock, OfALeafKeepsItFromNothing) {
  net.start(net.add("s1", Role::supernode));
  net.start(net.add("s2", Role::supernode, {"s1"}));
  net.start(net.add("s3", Role::supernode, {"s1"}));
  net.run(seconds(1));
  auto& alice = starts("alice", Role::leaf, {"s1"}, off());  // one bootstrap: the others are learned of through it
  net.start(net.add("bob", Role::leaf, {"s1", "s2", "s3"}));
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  EXPECT_EQ(alice.peer->wall(net.now), net.wall());
  EXPECT_EQ(alice.peer->network_clock().ahead(), off());
  EXPECT_TRUE(link_up(net, alice, bob).up);
  EXPECT_TRUE(link_up(net, bob, alice).up);
}

TEST_P(WrongClock, OfOneSupernodeOfThreeMovesNobody) {
  net.start(net.add("s1", Role::supernode));
  auto& wrong = starts("s2", Role::supernode, {"s1"}, off());
  net.start(net.add("s3", Role::supernode, {"s1", "s2"}));
  net.run(seconds(2));
  net.start(net.add("alice", Role::leaf, {"s1", "s2", "s3"}));
  net.start(net.add("bob", Role::leaf, {"s1", "s2", "s3"}));
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  net.run(seconds(5));
  EXPECT_LE(std::abs((alice.peer->wall(net.now) - net.wall()).count()), 1);
  EXPECT_LE(std::abs((wrong.peer->wall(net.now) - net.wall()).count()), 1);
  EXPECT_EQ(wrong.peer->dht()->local_records(crypto::user_key(bob.identity.address)).size(), 1U);
  EXPECT_TRUE(link_up(net, alice, bob).up);
}

INSTANTIATE_TEST_SUITE_P(ADayAndTenYears, WrongClock, testing::Values(1, -1, 3652, -3652), [](const auto& param_info) {
  const auto days = param_info.param;
  return std::string(days > 0 ? "Ahead" : "Behind") + std::to_string(std::abs(days)) + "Days";
});

TEST(Clock, ThatIsSetWhileThreeSupernodesSpeakMakesNoOtherRecord) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  ASSERT_TRUE(net.run_to([&] { return online(alice); }));
  net.run(seconds(30));
  const auto key = crypto::user_key(alice.identity.address);
  const auto before = net.at("s1").peer->dht()->local_records(key);
  ASSERT_EQ(before.size(), 1U);
  alice.peer->handle_wall(net.now, net.wall() + kDay);
  net.drain(alice);
  net.run(seconds(30));
  EXPECT_EQ(net.at("s1").peer->dht()->local_records(key)[0].wire, before[0].wire);
  EXPECT_EQ(alice.all<ClockMoved>().size(), 0U);
}

// Its signatures hold, so it may find out what time it is; then it is judged.
TEST(Clock, ACertificateOutOfItsTimeIsGoodForAMinuteAndNotForASecondOneAfterIt) {
  Net net(1, crypto::typed_suite());
  net.start(net.add("s1", Role::supernode));
  net.run(seconds(1));
  auto& late = net.add("late", Role::leaf, {"s1"});
  crypto::renew_certificate(net.suite, late.identity, kWall - 40 * kDay);
  net.start(late);
  ASSERT_TRUE(net.run_to([&] { return attached(late) == 1; }));
  ASSERT_TRUE(net.run_to([&] { return attached(late) == 0; }, seconds(70)));
  for (int s = 0; s < 500; ++s) {
    net.run(seconds(1));
    ASSERT_EQ(attached(late), 0U) << s;
  }
  EXPECT_FALSE(online(late));
  EXPECT_TRUE(net.at("s1").peer->dht()->local_records(crypto::user_key(late.identity.address)).empty());
}

// Identities cost nothing: with them one prefix must not keep those out whose clock is wrong.
TEST(Clock, OnePrefixFillsNoMoreThanAnEighthOfTheRoomForCertificatesOutOfTheirTime) {
  constexpr std::uint8_t kMost = 256 / 8;
  Net net(1, crypto::typed_suite());
  auto& s1 = net.add("s1", Role::supernode);
  const Endpoint public_place{IpAddress::v4(198, 51, 100, 1), 4400};
  net.move(s1, public_place);
  s1.config.listen = {public_place};
  net.start(s1);
  net.run(seconds(1));
  const auto late_at = [&](const std::string& name, const IpAddress& ip) -> Node& {
    auto& late = net.add(name, Role::leaf, {"s1"});
    net.move(late, Endpoint{ip, 4400});
    late.config.listen = {late.endpoint};
    crypto::renew_certificate(net.suite, late.identity, kWall - 40 * kDay);
    net.start(late);
    return late;
  };
  std::vector<Node*> crowd;
  for (std::uint8_t i = 1; i <= kMost + 4; ++i) {
    crowd.push_back(&late_at("late" + std::to_string(i), IpAddress::v4(203, 0, 113, i)));
    net.run(milliseconds(300));
  }
  net.run(seconds(10));
  EXPECT_EQ(std::count_if(crowd.begin(), crowd.end(), [](Node* n) { return attached(*n) == 1; }), kMost);
  auto& elsewhere = late_at("elsewhere", IpAddress::v4(192, 0, 2, 1));
  EXPECT_TRUE(net.run_to([&] { return attached(elsewhere) == 1; }));
}

TEST(Clock, AMonthThatNeverWasIsForgottenOnceThreeClocksSayWhichItIs) {
  Net net;
  auto& s1 = net.add("s1", Role::supernode, {}, [](PeerConfig& config) {
    config.month_bytes = 1'000'000;
    config.relayed = {month_of(kWall + 3652 * kDay), 999'999};  // its clock was ahead once
  });
  net.start(s1);
  net.start(net.add("s2", Role::supernode, {"s1"}));
  net.start(net.add("s3", Role::supernode, {"s1"}));
  ASSERT_TRUE(net.run_to([&] { return s1.peer->network_clock().by_median(); }));
  s1.peer->relayed_beside(net.now, 1);
  net.drain(s1);
  const RelayedMonth right{month_of(kWall), 1'000'000};
  EXPECT_EQ(s1.peer->relay_status()->month, right);
  net.run(minutes(2));
  ASSERT_NE(s1.last<overlay::Relayed>(), nullptr);
  EXPECT_EQ(s1.last<overlay::Relayed>()->month, right);
  s1.peer->handle_wall(net.now, net.wall() + 40 * kDay);  // one wrong clock of three begins no month
  s1.peer->relayed_beside(net.now, 1);
  EXPECT_EQ(s1.peer->relay_status()->month.month, right.month);
}

TEST(Clock, AMendedSupernodeKeepsWhomItTookForLate) {
  Net net;
  auto& wrong = net.add("s1", Role::supernode);
  wrong.clock_off = 365 * kDay;
  net.start(wrong);
  net.run(seconds(1));
  net.start(net.add("alice", Role::leaf, {"s1"}));
  auto& alice = net.at("alice");
  ASSERT_TRUE(net.run_to([&] { return attached(alice) == 1; }));
  net.start(net.add("s2", Role::supernode, {"s1"}));
  net.start(net.add("s3", Role::supernode, {"s1"}));
  ASSERT_TRUE(net.run_to([&] { return attached(alice) == 3 && online(alice); }, seconds(90)));
  const auto path_ends = alice.all<StateChanged>().size();
  net.run(seconds(120));
  EXPECT_EQ(attached(alice), 3U);
  EXPECT_EQ(alice.all<StateChanged>().size(), path_ends);
}

}  // namespace
}  // namespace linnet::overlay::test
