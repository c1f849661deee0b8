#include "nat/port_prediction.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace linnet::nat {
namespace {

std::optional<PortGuess> guess(const std::vector<std::uint16_t>& ports) { return guess_ports(ports); }

TEST(PortGuess, ANatThatCountsIsToldByThreeFlows) {
  EXPECT_EQ(guess({5000, 5001, 5002}), (PortGuess{5003, 1}));
  EXPECT_EQ(guess({5000, 5004, 5008, 5012}), (PortGuess{5016, 4}));
  EXPECT_EQ(guess({5000, 4998, 4996}), (PortGuess{4994, -2}));
  EXPECT_FALSE(guess({5000, 5001}));
}

TEST(PortGuess, FlowsOfOthersInBetweenMakeAStepAMultiple) {
  EXPECT_EQ(guess({5000, 5002, 5003, 5006}), (PortGuess{5007, 1}));
  EXPECT_EQ(guess({5000, 5006, 5008}), (PortGuess{5010, 2}));
}

TEST(PortGuess, ScatteredPortsTellNothing) {
  EXPECT_FALSE(guess({5000, 31'000, 12'345, 60'000}));
  EXPECT_FALSE(guess({5000, 5001, 4990}));
  EXPECT_FALSE(guess({5000, 5000, 5000}));
  EXPECT_FALSE(guess({5000, 5065, 5130}));
  EXPECT_FALSE(guess({5000, 5001, 5050}));
}

TEST(PortGuess, TheHighestPortIsFollowedByTheLowest) {
  EXPECT_EQ(guess({65'533, 65'534, 65'535}), (PortGuess{PortPlan::kLowest, 1}));
  EXPECT_EQ(guess({1026, 1025, 1024}), (PortGuess{65'535, -1}));
}

TEST(PortPlan, BeginsWhereTheGuessSays) {
  SeededRng rng(1);
  PortPlan plan(PortGuess{65'534, 1});
  EXPECT_EQ(plan.next(rng), 65'534);
  EXPECT_EQ(plan.next(rng), 65'535);
  EXPECT_EQ(plan.next(rng), PortPlan::kLowest);
  EXPECT_EQ(plan.next(rng), PortPlan::kLowest + 1);
}

TEST(PortPlan, TriesNoPortTwiceAndNoneBelow1024) {
  SeededRng rng(2);
  PortPlan plan(PortGuess{40'000, -3});
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 20'000; ++i) {
    const auto port = plan.next(rng);
    EXPECT_GE(port, PortPlan::kLowest);
    EXPECT_TRUE(seen.insert(port).second) << port;
  }
}

TEST(PortPlan, AsksForMoreThanThereAreAndBeginsAgain) {
  SeededRng rng(3);
  PortPlan plan(std::nullopt);
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 65'536 - PortPlan::kLowest; ++i) seen.insert(plan.next(rng));
  EXPECT_EQ(seen.size(), 65'536U - PortPlan::kLowest);
  EXPECT_GE(plan.next(rng), PortPlan::kLowest);
}

}  // namespace
}  // namespace linnet::nat
