#include "crypto/replay.h"

#include <gtest/gtest.h>

#include <limits>
#include <unordered_set>

#include "base/rng.h"

namespace linnet::crypto {
namespace {

// The window as a sentence: every counter ever accepted, and the highest.
class NaiveWindow {
 public:
  bool accept(std::uint64_t counter) {
    if (any_ && counter <= highest_ && highest_ - counter >= ReplayWindow::kSize) return false;
    if (!seen_.insert(counter).second) return false;
    if (!any_ || counter > highest_) highest_ = counter;
    any_ = true;
    return true;
  }
  std::uint64_t highest() const { return highest_; }

 private:
  std::unordered_set<std::uint64_t> seen_;
  std::uint64_t highest_ = 0;
  bool any_ = false;
};

TEST(ReplayWindow, RefusesAFrameThatWasSeenBefore) {
  ReplayWindow window;
  EXPECT_TRUE(window.accept(7));
  EXPECT_FALSE(window.would_accept(7));
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(window.accept(7));
}

TEST(ReplayWindow, DeliversReorderedFramesOnceWithinTheWindow) {
  ReplayWindow window;
  for (std::uint64_t n = ReplayWindow::kSize; n-- > 0;) EXPECT_TRUE(window.accept(n)) << n;
  for (std::uint64_t n = 0; n < ReplayWindow::kSize; ++n) EXPECT_FALSE(window.accept(n)) << n;
}

TEST(ReplayWindow, RefusesWhatIsTooOld) {
  ReplayWindow window;
  EXPECT_TRUE(window.accept(5000));
  EXPECT_TRUE(window.would_accept(5000 - ReplayWindow::kSize + 1));
  EXPECT_FALSE(window.would_accept(5000 - ReplayWindow::kSize));
}

TEST(ReplayWindow, AskingChangesNothing) {
  ReplayWindow window;
  EXPECT_TRUE(window.would_accept(1'000'000));
  EXPECT_TRUE(window.accept(3));
  EXPECT_TRUE(window.would_accept(1'000'000));
  EXPECT_TRUE(window.accept(2));
}

TEST(ReplayWindow, HoldsTheWholeWindowOnlyWhileSomethingOlderIsMissing) {
  ReplayWindow window;
  const auto least = window.memory_bytes();
  for (std::uint64_t n = 0; n < 1000; ++n) EXPECT_TRUE(window.accept(n));
  EXPECT_EQ(window.memory_bytes(), least);
  for (std::uint64_t n = 1001; n < 1100; ++n) EXPECT_TRUE(window.accept(n));  // 1000 is late
  EXPECT_GT(window.memory_bytes(), least);
  EXPECT_TRUE(window.accept(1000));
  EXPECT_FALSE(window.accept(1000));
  for (std::uint64_t n = 1100; n <= 1000 + ReplayWindow::kSize; ++n) EXPECT_TRUE(window.accept(n));
  EXPECT_EQ(window.memory_bytes(), least);
  EXPECT_FALSE(window.accept(1000));
}

TEST(ReplayWindow, StartsWithAnyCounterTheLastIncluded) {
  constexpr auto kLast = std::numeric_limits<std::uint64_t>::max();
  ReplayWindow window;
  EXPECT_TRUE(window.accept(0));
  EXPECT_TRUE(window.accept(kLast));
  EXPECT_FALSE(window.accept(kLast));
  EXPECT_FALSE(window.accept(0));
  EXPECT_TRUE(window.accept(kLast - ReplayWindow::kSize + 1));
}

TEST(ReplayWindow, AgreesWithANaiveWindowForAMillionSteps) {
  SeededRng rng(20260101);
  ReplayWindow window;
  NaiveWindow naive;
  std::uint64_t delivered = 0;
  for (int step = 0; step < 1'000'000; ++step) {
    const auto top = naive.highest();
    std::uint64_t counter = 0;
    switch (rng.below(16)) {
      case 0: counter = top + rng.below(3 * ReplayWindow::kSize); break;  // a jump ahead
      case 1: counter = top - std::min(top, rng.below(2 * ReplayWindow::kSize)); break;
      case 2: counter = top - std::min(top, ReplayWindow::kSize - 1 + rng.below(3)); break;  // the very edge
      default: counter = top + 3 - std::min(top + 3, rng.below(24)); break;                  // ordinary reordering
    }
    const bool asked = window.would_accept(counter);
    const bool got = window.accept(counter);
    ASSERT_EQ(asked, got) << step;
    ASSERT_EQ(got, naive.accept(counter)) << "step " << step << " counter " << counter << " top " << top;
    delivered += got ? 1 : 0;
  }
  EXPECT_GT(delivered, 100'000U);
  EXPECT_LT(delivered, 900'000U);
}

}  // namespace
}  // namespace linnet::crypto
