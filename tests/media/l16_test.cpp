#include "media/l16.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace linnet::media {
namespace {

constexpr std::size_t kTenMs = 10 * kSamplesPerMs;

std::vector<std::int16_t> ramp() {
  std::vector<std::int16_t> out(kTenMs);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::int16_t>(static_cast<int>(i) * 136 - 32'768);  // both signs, to the least there is
  return out;
}

TEST(L16, WritesTwoOctetsASampleTheUpperFirst) {
  L16Codec codec;
  Bytes out;
  ASSERT_TRUE(codec.encode(std::array<std::int16_t, 4>{0x0102, -1, -32'768, 32'767}, out));
  EXPECT_EQ(out, (Bytes{0x01, 0x02, 0xff, 0xff, 0x80, 0x00, 0x7f, 0xff}));
}

TEST(L16, GivesBackWhatWasSaid) {
  L16Codec codec;
  const auto said = ramp();
  Bytes payload;
  ASSERT_TRUE(codec.encode(said, payload));
  EXPECT_EQ(payload.size(), 960U);
  ASSERT_EQ(codec.duration(payload), kTenMs);
  std::vector<std::int16_t> heard(kTenMs);
  ASSERT_EQ(codec.decode(payload, heard), kTenMs);
  EXPECT_EQ(heard, said);
}

TEST(L16, RefusesFramesThatFitNoDatagramAndHalfSamples) {
  L16Codec codec;
  Bytes out;
  EXPECT_FALSE(codec.encode(std::vector<std::int16_t>(2 * kTenMs), out)) << "20 ms are 1,920 octets";
  EXPECT_FALSE(codec.encode({}, out));
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(codec.duration(Bytes(961)), 0U);
  EXPECT_EQ(codec.duration(Bytes(2 * kMaxFrame + 2)), 0U);
}

TEST(L16, ConcealsWithoutASeamAndIsSilentAfterFortyMilliseconds) {
  L16Codec codec;
  const auto said = ramp();
  Bytes payload;
  ASSERT_TRUE(codec.encode(said, payload));
  std::vector<std::int16_t> heard(kTenMs);
  ASSERT_EQ(codec.decode(payload, heard), kTenMs);
  std::vector<std::int16_t> filled(5 * kTenMs);
  codec.conceal(filled);
  EXPECT_EQ(filled.front(), said.back());
  for (std::size_t i = 1; i < 4 * kTenMs; ++i) EXPECT_LT(std::abs(filled[i] - filled[i - 1]), 300) << i;
  for (std::size_t i = 4 * kTenMs; i < filled.size(); ++i) EXPECT_EQ(filled[i], 0) << i;
  ASSERT_EQ(codec.decode(payload, heard), kTenMs);
  EXPECT_EQ(heard, said) << "what comes again is as it was said";
}

}  // namespace
}  // namespace linnet::media
