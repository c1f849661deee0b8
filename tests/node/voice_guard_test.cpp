#include "node/voice_guard.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

overlay::Path circuit(std::uint8_t n) {
  return {overlay::PathKind::circuit, {IpAddress::v4(203, 0, n, 1), 4400}, n, false};
}

struct Guard : ::testing::Test {
  void SetUp() override {
    guard.uses(circuit(1));
    guard.expect(now, true, milliseconds(20), 1.0);
  }
  // One packet every 20 ms: on which ways it comes.
  void packet(bool by_first, bool by_second = false) {
    now += milliseconds(20);
    while (guard.next_timeout() <= now) tick(guard.next_timeout());
    ++sequence;
    if (by_first) guard.heard(now, circuit(1), sequence, true);
    if (by_second) guard.heard(now, circuit(2), sequence, !by_first);
    note(now);
  }
  void tick(Time at) {
    guard.handle_timeout(at);
    note(at);
  }
  void note(Time at) {
    while (const auto ask = guard.poll()) {
      ++(ask->urgent ? urgent : calm);
      last_ask = at;
    }
  }

  Time now = Time{} + seconds(100);
  VoiceGuard guard;
  std::uint16_t sequence = 65'500;  // wraps
  int urgent = 0, calm = 0;
  Time last_ask{};
};

TEST_F(Guard, AsksForNothingWhileAllComes) {
  for (int i = 0; i < 1000; ++i) packet(true);
  EXPECT_EQ(urgent + calm, 0);
  EXPECT_FALSE(guard.protected_once());
}

TEST_F(Guard, NoticesSilenceWithinTheTimeAllowed) {
  for (int i = 0; i < 100; ++i) packet(true);
  const auto last = now;
  EXPECT_LE(guard.next_timeout() - last, milliseconds(125));
  EXPECT_GE(guard.next_timeout() - last, VoiceGuard::kSilence);
  tick(guard.next_timeout());
  EXPECT_EQ(urgent, 1);
}

TEST_F(Guard, WaitsLongerWhileItHasHeardTooLittleToKnowThePace) {
  for (int i = 1; i < VoiceGuard::kYoung; ++i) {
    packet(true);
    EXPECT_EQ(guard.next_timeout() - now, VoiceGuard::kMostSilence) << i;
  }
  packet(true);
  EXPECT_EQ(guard.next_timeout() - now, VoiceGuard::kSilence + milliseconds(3));
}

TEST_F(Guard, AsksAgainSoonAndThenSeldomWhileItIsSilent) {
  for (int i = 0; i < 100; ++i) packet(true);
  const auto until = now + seconds(60);
  while (guard.next_timeout() < until) tick(guard.next_timeout());
  EXPECT_GE(urgent, 6);
  EXPECT_LE(urgent, 12);
  EXPECT_LT(last_ask, now + seconds(4)) << "then the link has to find a way";
}

TEST_F(Guard, AllowsForLongFramesAndJitter) {
  guard.expect(now, true, milliseconds(60), 20.0);
  for (int i = 0; i < 10; ++i) packet(true);
  EXPECT_EQ(guard.next_timeout() - now, milliseconds(180 + 60));
}

TEST_F(Guard, TakesNoQueueOfASlowLineForSilenceAndAsksForNoSecondWay) {
  guard.expect(now, true, milliseconds(120), 20.0, true);
  for (int i = 0; i < 200; ++i) packet(i % 5 != 0);
  EXPECT_EQ(urgent + calm, 0) << "two ways would be twice what the line carries";
  const auto last = now;
  EXPECT_EQ(guard.next_timeout() - last, VoiceGuard::kSlowSilence);
  while (guard.next_timeout() < last + seconds(60)) tick(guard.next_timeout());
  EXPECT_GE(urgent, 1);
  EXPECT_LE(urgent, 3);
}

TEST_F(Guard, ExpectsNothingOnHold) {
  for (int i = 0; i < 10; ++i) packet(true);
  guard.expect(now, false, milliseconds(20), 1.0);
  EXPECT_EQ(guard.next_timeout(), kNever);
  now += seconds(60);
  guard.expect(now, true, milliseconds(20), 1.0);
  EXPECT_GE(guard.next_timeout(), now + VoiceGuard::kSilence) << "the pause was no silence";
}

TEST_F(Guard, AsksForTheSecondWayOnLossAndLeavesItWhenBothAreWhole) {
  for (int i = 0; i < 200; ++i) packet(i % 20 != 0);
  EXPECT_GE(calm, 1);
  EXPECT_EQ(urgent, 0);
  EXPECT_TRUE(guard.protecting(now));
  for (int i = 0; i < 500; ++i) packet(i % 20 != 0, true);
  EXPECT_TRUE(guard.protecting(now)) << "one way still loses";
  for (int i = 0; i < 800; ++i) packet(true, true);
  EXPECT_FALSE(guard.protecting(now));
  const auto asked = calm;
  for (int i = 0; i < 500; ++i) packet(true);
  EXPECT_EQ(calm, asked);
  EXPECT_TRUE(guard.protected_once());
}

TEST_F(Guard, LeavesLossOnADirectPathToRedundancy) {
  guard.uses({overlay::PathKind::direct, {IpAddress::v4(203, 0, 1, 1), 4400}, 0, false});
  for (int i = 0; i < 400; ++i) packet(i % 10 != 0);
  EXPECT_EQ(calm, 0);
}

TEST_F(Guard, OneLostPacketInAHundredIsNoReason) {
  for (int i = 0; i < 1000; ++i) packet(i % 150 != 0);
  EXPECT_EQ(calm + urgent, 0);
}

TEST_F(Guard, DoubtsAWayThatWentWhileTheOtherCarries) {
  for (int i = 0; i < 200; ++i) packet(i % 20 != 0);
  for (int i = 0; i < 100; ++i) packet(true, true);
  const auto before = urgent;
  for (int i = 0; i < 60; ++i) packet(false, true);
  EXPECT_GT(urgent, before);
}

}  // namespace
}  // namespace linnet::node
