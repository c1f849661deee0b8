// RFC 2198 payloads: what is written is read, and nothing else is believed.
#include "media/redundancy.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet::media {
namespace {

const Bytes kOld{1, 2, 3}, kNew{4, 5};

Bytes two_blocks() {
  Bytes out;
  const std::array<RedBlock, 2> blocks{RedBlock{111, 960, kOld}, RedBlock{111, 0, kNew}};
  write_red(out, blocks);
  return out;
}

TEST(Redundancy, ReadsBackWhatItWrites) {
  const Bytes bytes = two_blocks();
  EXPECT_EQ(bytes[0], 0x80 | 111) << "more blocks follow";
  const auto red = parse_red(bytes);
  ASSERT_TRUE(red);
  ASSERT_EQ(red->count, 2U);
  EXPECT_EQ(red->copies()[0].offset, 960U);
  EXPECT_TRUE(equal(red->copies()[0].payload, kOld));
  EXPECT_TRUE(equal(red->primary().payload, kNew));
}

TEST(Redundancy, RefusesEveryTruncationOfHeadersAndCopies) {
  const Bytes bytes = two_blocks();
  for (std::size_t n = 0; n < 5 + kOld.size(); ++n) EXPECT_FALSE(parse_red(ByteView(bytes).first(n))) << n;
  EXPECT_TRUE(parse_red(ByteView(bytes).first(5 + kOld.size()))) << "an empty primary block is one";
}

TEST(Redundancy, SurvivesEveryFlippedBitAndNeverReadsOutside) {
  const Bytes bytes = two_blocks();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes changed = bytes;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto red = parse_red(changed);
    if (!red) continue;
    std::size_t total = 0;
    for (std::size_t i = 0; i < red->count; ++i) total += red->blocks[i].payload.size();
    EXPECT_LE(total, changed.size());
  }
}

TEST(Redundancy, RefusesMoreBlocksThanItHasRoomFor) {
  Bytes bytes;
  for (std::size_t i = 0; i < kMaxRedBlocks; ++i) append(bytes, Bytes{0xef, 0, 0, 0});
  bytes.push_back(0x6f);
  EXPECT_EQ(parse_red(bytes).error(), Fault::too_big);
}

TEST(SentFrames, GiveCopiesOfTheDistancesAsked) {
  SentFrames sent;
  for (std::uint32_t i = 0; i < 4; ++i) sent.add(i * 960, 960, Bytes{static_cast<std::uint8_t>(i)});
  Bytes out;
  const std::array<std::uint8_t, 3> distances{1, 3, 0};
  sent.write(out, 111, 4 * 960, 960, Bytes{9}, distances);
  const auto red = parse_red(out);
  ASSERT_TRUE(red);
  ASSERT_EQ(red->count, 3U);
  EXPECT_EQ(red->blocks[0].offset, 3 * 960U) << "oldest first";
  EXPECT_EQ(red->blocks[0].payload[0], 1);
  EXPECT_EQ(red->blocks[1].payload[0], 3);
  EXPECT_EQ(red->primary().payload[0], 9);
}

TEST(SentFrames, BeginAnewWhenTheLengthOfFramesChangesOrTimeJumps) {
  SentFrames sent;
  sent.add(0, 960, Bytes{1});
  Bytes out;
  const std::array<std::uint8_t, 1> one{1};
  sent.write(out, 111, 960, 1920, Bytes{9}, one);
  EXPECT_EQ(parse_red(out)->count, 1U) << "the receiver counts sequence numbers in frames of one length";
  out.clear();
  sent.write(out, 111, 5000, 960, Bytes{9}, one);
  EXPECT_EQ(parse_red(out)->count, 1U) << "frames between were not sent";
}

TEST(SentFrames, KeepThePayloadWithinADatagramAndOffsetsWithinFourteenBits) {
  SentFrames sent;
  for (std::uint32_t i = 0; i < 30; ++i) sent.add(i * 960, 960, Bytes(400, 7));
  Bytes out;
  const std::array<std::uint8_t, 3> distances{1, 2, 20};
  sent.write(out, 111, 30 * 960, 960, Bytes(400, 8), distances);
  EXPECT_LE(out.size(), 1100U);
  const auto red = parse_red(out);
  ASSERT_TRUE(red);
  EXPECT_EQ(red->count, 2U) << "the nearest copy has the room; 400 ms back is beyond the format";
}

}  // namespace
}  // namespace linnet::media
