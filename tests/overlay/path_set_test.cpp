#include "overlay/path_set.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet::overlay::test {
namespace {

Path to(std::uint16_t port) {
  return Path{PathKind::direct, {IpAddress::v4(192, 0, 2, 1), port, Transport::udp}, 0, false};
}

TEST(PathSet, NumbersAPathAsNoneThatStandsHoweverManyFailed) {
  PathSet paths;
  auto* first = paths.add(to(1));
  paths.set_current(to(1));
  paths.ask(*first);
  const auto standing = first->number;
  for (std::uint16_t port = 2; port < 200; ++port) {
    auto* tried = paths.add(to(port));
    ASSERT_NE(tried, nullptr);
    paths.ask(*tried);
    EXPECT_NE(tried->number, standing) << port;
    EXPECT_NE(tried->number, 0);
    paths.remove(to(port));
  }
}

TEST(PathSet, AChallengeOfThePeerLetsAFirstOneOfOursThatWasEarlyGoAgainOnce) {
  SeededRng rng(1);
  PathSet paths;
  paths.add(to(1));
  paths.set_current(to(1));
  auto& circuit = *paths.add(to(2));
  paths.ask(circuit);
  const Time start{std::chrono::seconds(1)};
  const Duration rtt = std::chrono::milliseconds(200);
  paths.probe(start, circuit, rng);
  ASSERT_TRUE(paths.challenge(start, circuit, rtt, 60));
  const Time heard = start + std::chrono::milliseconds(100);
  EXPECT_FALSE(paths.challenge(heard, circuit, rtt, 60)) << "two round trips would be waited for";
  paths.stands(heard, circuit);
  EXPECT_TRUE(paths.challenge(heard, circuit, rtt, 60));
  paths.stands(heard, circuit);
  EXPECT_FALSE(paths.challenge(heard, circuit, rtt, 60)) << "a peer that challenges often is not followed";
}

// A path whose round of challenges ended without an answer.
struct Unanswered : ::testing::Test {
  void SetUp() override {
    paths.add(to(1));
    paths.set_current(to(1));
    paths.ask(*paths.add(to(2)));
    round();
  }
  PathState& path() { return *paths.find(to(2)); }
  void round() {
    paths.probe(now, path(), rng);
    for (int i = 0; i < kMaxChallenges; ++i) {
      now = std::max(now, path().next_at);
      const auto token = paths.challenge(now, path(), std::chrono::milliseconds(20), 60);
      if (i == 0) first = *token;
    }
    now = path().next_at;
    ASSERT_EQ(paths.on_timeout(now, now, std::chrono::seconds(25), rng).size(), 1U);
    ASSERT_FALSE(path().proven);
  }
  SeededRng rng{1};
  PathSet paths;
  Time now{std::chrono::seconds(1)};
  std::uint64_t first = 0;
};

TEST_F(Unanswered, IsProvenByAnAnswerThatIsOnlyLate) {
  now += std::chrono::milliseconds(700);
  const auto proof = paths.answered(now, path(), first);
  ASSERT_TRUE(proof);
  EXPECT_TRUE(proof->newly);
  EXPECT_GT(proof->rtt, std::chrono::milliseconds(700)) << "the queue is in it";
  EXPECT_TRUE(path().proven);
  EXPECT_FALSE(paths.answered(now, path(), first)) << "once";
}

TEST_F(Unanswered, IsNotProvenByAnAnswerThatIsOlderThanAQueueHolds) {
  now += PathSet::kLate;
  EXPECT_FALSE(paths.answered(now, path(), first));
}

TEST_F(Unanswered, IsProvenByTheLastRoundAlone) {
  const auto before = first;
  round();
  EXPECT_FALSE(paths.answered(now, path(), before));
  EXPECT_TRUE(paths.answered(now, path(), first));
}

}  // namespace
}  // namespace linnet::overlay::test
