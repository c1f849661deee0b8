#include "base/flat_map.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "base/rng.h"

namespace linnet {
namespace {

TEST(FlatMap, AgreesWithATreeWhateverComesAndGoes) {
  SeededRng rng(1);
  FlatMap<std::uint32_t, std::uint64_t> flat;
  std::map<std::uint32_t, std::uint64_t> tree;
  for (int step = 0; step < 200'000; ++step) {
    // Few different keys, so that chains form and are cut in the middle.
    const auto key = static_cast<std::uint32_t>(1 + rng.below(step / 10'000 % 2 == 0 ? 600 : 40));
    if (rng.below(2) == 0) {
      const auto value = rng.u64();
      flat[key] = value;
      tree[key] = value;
    } else {
      ASSERT_EQ(flat.erase(key), tree.erase(key) == 1);
    }
    ASSERT_EQ(flat.size(), tree.size());
    const auto asked = static_cast<std::uint32_t>(1 + rng.below(600));
    const auto* found = flat.find(asked);
    const auto known = tree.find(asked);
    ASSERT_EQ(found != nullptr, known != tree.end()) << step;
    if (found != nullptr) {
      ASSERT_EQ(*found, known->second) << step;
    }
  }
  std::map<std::uint32_t, std::uint64_t> seen;
  flat.each([&](std::uint32_t key, std::uint64_t value) { EXPECT_TRUE(seen.emplace(key, value).second); });
  EXPECT_EQ(seen, tree);
}

TEST(FlatMap, OwnsWhatItHolds) {
  const auto counted = std::make_shared<int>(7);
  FlatMap<std::uint64_t, std::shared_ptr<int>> flat;
  for (std::uint64_t key = 1; key <= 100; ++key) flat[key] = counted;
  EXPECT_EQ(counted.use_count(), 101);
  for (std::uint64_t key = 1; key <= 100; ++key) EXPECT_TRUE(flat.erase(key));
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(FlatMap, GivesMemoryBackWhenItEmpties) {
  FlatMap<std::uint64_t, std::uint64_t> flat;
  EXPECT_EQ(flat.memory_bytes(), 0U);
  for (std::uint64_t key = 1; key <= 10'000; ++key) flat[key] = key;
  EXPECT_LE(flat.memory_bytes(), 16U * 16'384U);
  for (std::uint64_t key = 1; key <= 10'000; ++key) flat.erase(key);
  EXPECT_LE(flat.memory_bytes(), 1024U);
}

}  // namespace
}  // namespace linnet
