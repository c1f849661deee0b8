#include "node/io/reserve.h"

#include <gtest/gtest.h>

#include <limits>
#include <new>

namespace linnet::io {
namespace {

TEST(MemoryReserve, GivesItsBlocksOneByOneAndThenSaysNo) {
  MemoryReserve reserve;
  EXPECT_EQ(reserve.blocks(), MemoryReserve::kBlocks);
  const auto handler = std::get_new_handler();
  ASSERT_NE(handler, nullptr);
  for (std::size_t left = MemoryReserve::kBlocks; left > 0; --left) {
    handler();
    EXPECT_EQ(reserve.blocks(), left - 1);
  }
  EXPECT_THROW(handler(), std::bad_alloc);
  reserve.refill();
  EXPECT_EQ(reserve.blocks(), MemoryReserve::kBlocks);
}

TEST(MemoryReserve, LeavesNothingBehind) {
  { const MemoryReserve reserve; }
  EXPECT_EQ(std::get_new_handler(), nullptr);
}

}  // namespace
}  // namespace linnet::io
