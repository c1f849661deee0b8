#include "media/limiter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace linnet::media {
namespace {

std::vector<std::int32_t> sine(double amplitude, std::size_t samples) {
  std::vector<std::int32_t> out(samples);
  for (std::size_t i = 0; i < samples; ++i)
    out[i] = static_cast<std::int32_t>(std::lrint(amplitude * std::sin(static_cast<double>(i) * 0.05)));
  return out;
}

TEST(Limiter, ChangesNothingThatFits) {
  Limiter limiter;
  const auto in = sine(29000, 4800);
  std::vector<std::int16_t> out(in.size());
  limiter.process(in, out);
  for (std::size_t i = 0; i < in.size(); ++i) ASSERT_EQ(out[i], in[i]);
}

TEST(Limiter, KeepsThreeTimesFullScaleUnderTheCeiling) {
  Limiter limiter;
  const auto in = sine(98000, 9600);
  std::vector<std::int16_t> out(in.size());
  limiter.process(in, out);
  for (std::size_t i = Limiter::kBlock; i < out.size(); ++i) ASSERT_LE(std::abs(out[i]), Limiter::kCeiling + 1) << i;
}

TEST(Limiter, ComesBackSlowlyAfterAPeak) {
  Limiter limiter;
  std::vector<std::int16_t> out(960);
  limiter.process(sine(90000, 960), out);
  const double low = limiter.gain();
  EXPECT_LT(low, 0.4);
  limiter.process(sine(1000, 960), out);
  EXPECT_LT(limiter.gain(), low * 1.05);
  for (int i = 0; i < 200; ++i) limiter.process(sine(1000, 960), out);
  EXPECT_EQ(limiter.gain(), 1);
}

}  // namespace
}  // namespace linnet::media
