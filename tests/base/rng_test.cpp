#include "base/rng.h"

#include <gtest/gtest.h>

#include <array>

namespace linnet {
namespace {

// Hands out the words it was given.
class Scripted final : public Rng {
 public:
  explicit Scripted(std::vector<std::uint64_t> words) : words_(std::move(words)) {}
  void fill(MutableBytes out) override {
    ASSERT_EQ(out.size(), 8U);
    ASSERT_LT(at_, words_.size());
    std::memcpy(out.data(), &words_[at_++], 8);
  }
  std::size_t used() const { return at_; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t at_ = 0;
};

TEST(SeededRng, ReplaysFromItsSeed) {
  SeededRng a(7);
  SeededRng b(7);
  SeededRng c(8);
  int differing = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto v = a.u64();
    ASSERT_EQ(v, b.u64());
    differing += v != c.u64() ? 1 : 0;
  }
  EXPECT_GT(differing, 990);
}

TEST(SeededRng, FillsEveryByteOfAnyLength) {
  SeededRng rng(1);
  for (std::size_t size = 0; size < 40; ++size) {
    Bytes touched(size, 0);
    for (int i = 0; i < 30; ++i) {
      Bytes out(size);
      rng.fill(out);
      for (std::size_t j = 0; j < size; ++j) touched[j] |= out[j];
    }
    for (std::size_t j = 0; j < size; ++j) EXPECT_NE(touched[j], 0) << size << " " << j;
  }
}

TEST(Rng, BelowStaysBelowAndReachesEveryValueEqually) {
  SeededRng rng(2);
  for (std::uint64_t bound : {1ULL, 2ULL, 3ULL, 10ULL, 1000ULL, (1ULL << 63) + 1, ~0ULL}) {
    for (int i = 0; i < 1000; ++i) ASSERT_LT(rng.below(bound), bound);
  }
  std::array<int, 6> faces{};
  for (int i = 0; i < 60'000; ++i) ++faces[rng.below(6)];
  for (const int n : faces) EXPECT_NEAR(n, 10'000, 500);
}

TEST(Rng, BelowThrowsAwayWhatWouldFavourSmallValues) {
  // 2^64 mod 3 is 1, so the word 0 has no two partners and is drawn again.
  Scripted rng({0, 5});
  EXPECT_EQ(rng.below(3), 2U);
  EXPECT_EQ(rng.used(), 2U);
}

TEST(Rng, UnitIsAtLeastZeroAndLessThanOne) {
  Scripted ends({0, ~0ULL});
  EXPECT_EQ(ends.unit(), 0.0);
  EXPECT_LT(ends.unit(), 1.0);
  SeededRng rng(3);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) sum += rng.unit();
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

}  // namespace
}  // namespace linnet
