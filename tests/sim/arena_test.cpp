#include "sim/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace linnet::sim {
namespace {

std::uint64_t held_by(std::uint32_t host) { return arena::state.live[host + 1]; }

TEST(Arena, CountsABlockForTheHostThatTookItWhoeverFreesIt) {
  void* block = [] {
    const Working host(3);
    return arena::allocate(100);
  }();
  EXPECT_EQ(held_by(3), 112U) << "in steps of 16 bytes";
  {
    const Working other(4);
    arena::release(block, 100);
  }
  EXPECT_EQ(held_by(3), 0U);
  EXPECT_EQ(held_by(4), 0U);
}

TEST(Arena, HandsTheLatestFreedBlockToTheNextHost) {
  void* first = arena::allocate(48);
  arena::release(first, 48);
  const Working host(5);
  void* second = arena::allocate(40);
  EXPECT_EQ(second, first);
  EXPECT_EQ(held_by(5), 48U);
  arena::release(second);
  EXPECT_EQ(held_by(5), 0U);
}

TEST(Arena, BlocksOfEverySizeAreTheirOwnersAlone) {
  const Working host(6);
  std::vector<std::pair<std::uint8_t*, std::size_t>> blocks;
  for (std::size_t size = 1; size < 3 * arena::kHuge; size += 1 + size / 7) {
    for (int copies = 0; copies < 3; ++copies) {
      auto* p = static_cast<std::uint8_t*>(arena::allocate(size));
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(p) % 16, 0U) << size;
      std::memset(p, static_cast<int>(blocks.size() % 251), size);
      blocks.emplace_back(p, size);
    }
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto [p, size] = blocks[i];
    for (const auto at : {std::size_t{0}, size / 2, size - 1}) ASSERT_EQ(p[at], i % 251) << size;
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i % 2 == 0) {
      arena::release(blocks[i].first, blocks[i].second);
    } else {
      arena::release(blocks[i].first);
    }
  }
  EXPECT_EQ(held_by(6), 0U);
}

}  // namespace
}  // namespace linnet::sim
