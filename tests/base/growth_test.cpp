#include "base/growth.h"

#include <gtest/gtest.h>

namespace linnet {
namespace {

TEST(Growth, LittleStandsEmptyAndElementsAreSeldomMoved) {
  std::vector<int> table;
  std::size_t moved = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto before = table.capacity();
    make_room_for_one(table);
    if (table.capacity() != before) moved += table.size();
    table.push_back(i);
    EXPECT_LE(table.capacity(), table.size() + table.size() / 8 + 1);
  }
  EXPECT_LE(moved, 10U * table.size());
}

}  // namespace
}  // namespace linnet
