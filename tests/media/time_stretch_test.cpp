#include "media/time_stretch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/rng.h"
#include "media/codec_kind.h"

namespace linnet::media {
namespace {

std::vector<std::int16_t> sine(double hz, std::size_t n = 960) {
  std::vector<std::int16_t> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<std::int16_t>(8000 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / kRate));
  }
  return out;
}

int steepest(const std::vector<std::int16_t>& s) {
  int out = 0;
  for (std::size_t i = 1; i < s.size(); ++i) out = std::max(out, std::abs(s[i] - s[i - 1]));
  return out;
}

TEST(TimeStretch, TakesWholePeriodsOutOfATone) {
  const auto in = sine(200);  // a period is 240 samples
  std::vector<std::int16_t> out;
  const auto removed = accelerate(in, 600, out);
  EXPECT_GT(removed, 0U);
  EXPECT_EQ(removed % 240, 0U);
  EXPECT_EQ(out.size(), in.size() - removed);
  EXPECT_LE(steepest(out), steepest(in) + 20) << "no click at the joint";
  EXPECT_EQ(out.front(), in.front());
  EXPECT_EQ(out.back(), in.back());
}

TEST(TimeStretch, PutsWholePeriodsIn) {
  const auto in = sine(200);
  std::vector<std::int16_t> out;
  const auto added = expand(in, 600, out);
  EXPECT_GT(added, 0U);
  EXPECT_EQ(added % 240, 0U);
  EXPECT_EQ(out.size(), in.size() + added);
  EXPECT_LE(steepest(out), steepest(in) + 20);
  EXPECT_EQ(out.front(), in.front());
  EXPECT_EQ(out.back(), in.back());
}

TEST(TimeStretch, NeverMovesFurtherThanAsked) {
  SeededRng rng(1);
  for (int i = 0; i < 200; ++i) {
    const auto in = sine(80 + static_cast<double>(rng.below(400)), 480 + rng.below(1000));
    const auto max = rng.below(700);
    std::vector<std::int16_t> out;
    const auto removed = accelerate(in, max, out);
    EXPECT_LE(removed, max);
    EXPECT_EQ(out.size(), in.size() - removed);
    out.clear();
    const auto added = expand(in, max, out);
    EXPECT_LE(added, max);
    EXPECT_EQ(out.size(), in.size() + added);
  }
}

TEST(TimeStretch, LeavesNoiseAndShortStretchesAlone) {
  SeededRng rng(2);
  std::vector<std::int16_t> noise(960), out;
  for (auto& s : noise) s = static_cast<std::int16_t>(rng.u32() % 16000);
  for (auto& s : noise) s = static_cast<std::int16_t>(s - 8000);
  EXPECT_EQ(accelerate(noise, 600, out), 0U);
  EXPECT_EQ(out, noise);
  for (const std::size_t n : {0U, 1U, 100U, 240U}) {
    out.clear();
    EXPECT_EQ(accelerate(std::span(noise).first(n), 600, out) + expand(std::span(noise).first(n), 600, out), 0U);
    EXPECT_EQ(out.size(), 2 * n);
  }
}

TEST(TimeStretch, CutsSilenceByAsMuchAsAsked) {
  const std::vector<std::int16_t> silence(960);
  std::vector<std::int16_t> out;
  EXPECT_EQ(accelerate(silence, 600, out), 600U);
}

}  // namespace
}  // namespace linnet::media
