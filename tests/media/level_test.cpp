#include "media/level.h"

#include <gtest/gtest.h>

#include "media/audio_device.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

std::vector<std::int16_t> tone(double dbfs, std::size_t samples) {
  std::vector<std::int16_t> out(samples);
  ToneSource(1000, dbfs).read(out);
  return out;
}

TEST(LevelMeter, KnowsNothingBeforeTheFirstSample) { EXPECT_EQ(LevelMeter().dbfs(), std::nullopt); }

TEST(LevelMeter, ReadsASineThreeDecibelsUnderItsPeak) {
  for (const double peak : {0.0, -6.0, -20.0, -60.0}) {
    LevelMeter meter;
    meter.add(tone(peak, 48000));
    EXPECT_NEAR(*meter.dbfs(), peak - 3.01, 0.3) << peak;
  }
}

TEST(LevelMeter, SilenceIsAFloorAndNotMinusInfinity) {
  LevelMeter meter;
  meter.add(std::vector<std::int16_t>(480));
  EXPECT_EQ(meter.dbfs(), LevelMeter::kSilence);
}

TEST(LevelMeter, ForgetsWhatWasLoudAThirdOfASecondAgo) {
  LevelMeter meter;
  meter.add(tone(-6, 48000));
  meter.add_silence(4800);
  EXPECT_GT(*meter.dbfs(), -20);
  meter.add_silence(3 * 4800);
  EXPECT_EQ(meter.dbfs(), LevelMeter::kSilence);
}

TEST(LevelMeter, ACallTellsTheLevelsOfBothDirections) {
  Conversation call;
  const auto before = call.bob->session.stats(at_ms(0));
  EXPECT_EQ(before.mic_dbfs, std::nullopt);
  EXPECT_EQ(before.heard_dbfs, std::nullopt);
  call.run(2);
  const auto alice = call.alice->session.stats(at_ms(call.now_ms)), bob = call.stats();
  EXPECT_GT(*alice.mic_dbfs, -45);
  EXPECT_NEAR(*bob.heard_dbfs, *alice.mic_dbfs, 6);
  EXPECT_EQ(bob.mic_dbfs, LevelMeter::kSilence);
  call.alice->session.set_muted(true);
  call.run(1);
  EXPECT_EQ(call.alice->session.stats(at_ms(call.now_ms)).mic_dbfs, LevelMeter::kSilence);
}

}  // namespace
}  // namespace linnet::media
