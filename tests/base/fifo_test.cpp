#include "base/fifo.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "base/rng.h"

namespace linnet {
namespace {

TEST(Fifo, GivesBackInOrderWhateverComesBetween) {
  SeededRng rng(1);
  Fifo<std::uint64_t> fifo;
  std::deque<std::uint64_t> naive;
  for (int step = 0; step < 100'000; ++step) {
    if (naive.empty() || rng.below(100) < (step / 1000 % 2 == 0 ? 55 : 45)) {
      naive.push_back(rng.u64());
      fifo.push_back(naive.back());
    } else {
      ASSERT_EQ(fifo.front(), naive.front());
      ASSERT_EQ(fifo.take(), naive.front());
      naive.pop_front();
    }
    ASSERT_EQ(fifo.size(), naive.size());
    ASSERT_EQ(fifo.empty(), naive.empty());
  }
  EXPECT_TRUE(std::equal(fifo.begin(), fifo.end(), naive.begin(), naive.end()));
}

TEST(Fifo, HoldsNoMemoryForABurstThatIsOver) {
  Fifo<std::uint64_t> fifo;
  EXPECT_EQ(fifo.memory_bytes(), 0U);
  for (std::uint64_t i = 0; i < 10'000; ++i) fifo.push_back(i);
  EXPECT_GE(fifo.memory_bytes(), 80'000U);
  while (!fifo.empty()) fifo.pop_front();
  EXPECT_LE(fifo.memory_bytes(), 256U);
}

TEST(Fifo, DoesNotGrowWhileItHoldsFew) {
  Fifo<std::uint64_t> fifo;
  fifo.push_back(0);
  for (std::uint64_t i = 1; i < 10'000; ++i) {
    fifo.push_back(i);
    EXPECT_EQ(fifo.take(), i - 1);
  }
  EXPECT_LE(fifo.memory_bytes(), 64U);
}

TEST(Fifo, MovesWhatCannotBeCopied) {
  Fifo<std::unique_ptr<int>> fifo;
  fifo.push_back(std::make_unique<int>(1));
  fifo.emplace_back(std::make_unique<int>(2));
  EXPECT_EQ(*fifo.back(), 2);
  EXPECT_EQ(*fifo.take(), 1);
  EXPECT_EQ(*fifo.take(), 2);
}

}  // namespace
}  // namespace linnet
