#include "dht/id.h"

#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

Id id_with(std::size_t byte, std::uint8_t value) {
  Id out;
  out.bytes[byte] = value;
  return out;
}

TEST(Id, DistanceIsXor) {
  EXPECT_EQ(distance(id_with(0, 0x0f), id_with(0, 0xf0)), id_with(0, 0xff));
  EXPECT_EQ(distance(id_with(5, 3), id_with(5, 3)), Id{});
}

TEST(Id, CommonPrefixCountsLeadingBits) {
  EXPECT_EQ(common_prefix(Id{}, Id{}), 256);
  EXPECT_EQ(common_prefix(Id{}, id_with(0, 0x80)), 0);
  EXPECT_EQ(common_prefix(Id{}, id_with(0, 0x01)), 7);
  EXPECT_EQ(common_prefix(Id{}, id_with(31, 0x01)), 255);
}

TEST(Id, NearerAgreesWithComparedDistances) {
  SeededRng rng(1);
  for (int i = 0; i < 2000; ++i) {
    const Id target{rng.array<32>()};
    Id a{rng.array<32>()};
    Id b = i % 3 == 0 ? a : Id{rng.array<32>()};
    if (i % 2 == 0) b.bytes[rng.below(32)] ^= 1;
    EXPECT_EQ(nearer(target, a, b), distance(target, a) < distance(target, b));
  }
}

}  // namespace
}  // namespace linnet::dht::test
