// For how many a machine could mix: what follows from the cost of a frame, and that the cost is that of real work.
#include "node/io/mixer_means.h"

#include <gtest/gtest.h>

#include "node/io/clock.h"

namespace linnet::io {
namespace {

// 14 ms of a frame's 20 may be used: 2 of them go to what everybody shares.
TEST(MixerMeans, FillSeventyPercentOfACore) {
  const MixerCost cost{2, 0.03, 1};
  EXPECT_EQ(members_mixed(cost, 4), 400u);
  EXPECT_EQ(members_mixed(cost, 1), 400u);
  EXPECT_EQ(members_mixed(cost, 0.5), 166u) << "half of the only core is idle";
}

TEST(MixerMeans, AreThoseOfTheShareThatAQuotaLeaves) {
  const MixerCost cost{2, 0.03, 0.25};
  EXPECT_EQ(members_mixed(cost, 4), 50u);
  EXPECT_EQ(members_mixed({2, 0.03, 1}, 0.25), 50u);
}

TEST(MixerMeans, HaveBounds) {
  EXPECT_EQ(members_mixed({30, 0.03, 1}, 1), 1u) << "even a machine that is too slow mixes when nobody else is there";
  EXPECT_EQ(members_mixed({2, 0.03, 1}, 0), 1u);
  EXPECT_EQ(members_mixed({0.001, 0.000001, 1}, 1), kMostMixed);
  EXPECT_EQ(members_mixed({0, 0, 1}, 1), kMostMixed);
}

TEST(MixerMeans, AreToldAnewWhenTheyAreOthers) {
  const node::ConferenceMeans told{400, 10'000, true, true};
  EXPECT_FALSE(worth_telling(told, told));
  EXPECT_FALSE(worth_telling(told, {440, 9'000, true, true})) << "measured twice";
  EXPECT_TRUE(worth_telling(told, {600, 10'000, true, true}));
  EXPECT_TRUE(worth_telling(told, {200, 10'000, true, true}));
  EXPECT_TRUE(worth_telling(told, {400, 1'000, true, true}));
  EXPECT_TRUE(worth_telling({400, 0, true, true}, told)) << "now the line is known";
  EXPECT_TRUE(worth_telling(told, {400, 10'000, false, true}));
  EXPECT_TRUE(worth_telling(told, {400, 10'000, true, false}));
}

TEST(MixerMeans, ComeFromWorkThatTakesTime) {
  const std::atomic<bool> goes_on = false;
  const auto cost = measure_mixer(goes_on);
  ASSERT_TRUE(cost);
  EXPECT_GT(cost->frame_ms, 0.05) << "three are decoded and four frames encoded";
  EXPECT_GT(cost->member_ms, 0.0005) << "two packets are sealed and carried";
  EXPECT_GT(cost->frame_ms, cost->member_ms);
  EXPECT_GT(cost->share, 0);
  EXPECT_LE(cost->share, 1);
}

TEST(MixerMeans, EndEarlyWhenTheProgramDoes) {
  const std::atomic<bool> stopped = true;
  EXPECT_FALSE(measure_mixer(stopped));
}

TEST(MixerMeans, AreMeasuredOnceAndThenKnown) {
  Loop loop;
  MixerMeans means(loop);
  std::vector<std::uint32_t> answers;
  const Time began = now();
  const auto tell = [&](const MixerMeans::Found& found) {
    answers.push_back(found.mixes);
    loop.stop();
  };
  means.ask(began, tell);
  means.ask(began, tell);  // while it runs: one answer
  loop.run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_GE(answers[0], 1u);
  means.ask(now(), tell);
  EXPECT_EQ(answers, (std::vector<std::uint32_t>{answers[0], answers[0]})) << "told at once";
}

}  // namespace
}  // namespace linnet::io
