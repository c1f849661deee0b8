#include "media/audio_level.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "media/audio_device.h"
#include "media/resampler.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

std::vector<std::int16_t> loud_tone(double dbfs, std::size_t samples) {
  std::vector<std::int16_t> out(samples);
  ToneSource(1000, dbfs).read(out);
  return out;
}

// White noise of about this root mean square.
std::vector<std::int16_t> white_noise(SeededRng& rng, double rms, std::size_t samples) {
  std::vector<std::int16_t> out(samples);
  for (auto& s : out)
    s = static_cast<std::int16_t>(std::clamp((rng.unit() - 0.5) * rms * std::sqrt(12.0), -32768.0, 32767.0));
  return out;
}

TEST(AudioLevel, IsWhatRfc6464SaysOfKnownSounds) {
  std::vector<std::int16_t> square(960);
  for (std::size_t i = 0; i < square.size(); ++i) square[i] = i / 24 % 2 == 0 ? 32767 : -32768;
  EXPECT_EQ(measure(square).dbov, 0) << "the overload point";
  EXPECT_EQ(measure(loud_tone(0, 960)).dbov, 3);
  EXPECT_EQ(measure(loud_tone(-20, 960)).dbov, 23);
  EXPECT_EQ(measure(loud_tone(-60, 960)).dbov, 63);
  EXPECT_EQ(measure(std::vector<std::int16_t>(960, 1)).dbov, 90) << "the least step of a sample";
  EXPECT_EQ(measure(std::vector<std::int16_t>(960)).dbov, 127) << "silence";
  EXPECT_EQ(measure({}).dbov, 127) << "nothing";
}

TEST(AudioLevel, IsOfTheFrameAndNothingBefore) {
  VoiceDetector detector;
  EXPECT_EQ(detector.measure(loud_tone(0, 960)).dbov, 3);
  EXPECT_EQ(detector.measure(std::vector<std::int16_t>(960)).dbov, 127);
  EXPECT_EQ(detector.measure(loud_tone(-40, 5760)).dbov, 43);
  EXPECT_EQ(detector.measure({}), AudioLevel{});
}

TEST(AudioLevel, TheDetectorAndThePlainMeasureAgreeOnTheLevel) {
  VoiceDetector detector;
  SeededRng rng(1);
  for (int i = 0; i < 300; ++i) {
    const auto frame = white_noise(rng, 30000 * rng.unit(), 480 * (1 + rng.below(12)) + rng.below(3));
    EXPECT_EQ(detector.measure(frame).dbov, measure(frame).dbov);
  }
}

TEST(VoiceDetector, HearsSpeechAndNotTheRoom) {
  VoiceDetector detector;
  SeededRng rng(2);
  int voiced = 0;
  for (int i = 0; i < 200; ++i) voiced += detector.measure(white_noise(rng, 40, 960)).voice ? 1 : 0;
  EXPECT_EQ(voiced, 0) << "40 of 32768 is -58 dB: a quiet room";
  const auto said = resample(speech().samples, speech().rate, kRate);
  int frames = 0;
  for (std::size_t at = 0; at + 960 <= said.size(); at += 960, ++frames) {
    auto frame = white_noise(rng, 40, 960);
    for (std::size_t i = 0; i < frame.size(); ++i)
      frame[i] = static_cast<std::int16_t>(std::clamp(frame[i] + said[at + i], -32768, 32767));
    voiced += detector.measure(frame).voice ? 1 : 0;
  }
  EXPECT_GT(voiced, frames * 6 / 10);
}

TEST(VoiceDetector, LearnsALoudRoomInThreeSeconds) {
  VoiceDetector detector;
  SeededRng rng(3);
  EXPECT_TRUE(detector.measure(white_noise(rng, 2000, 960)).voice) << "at first everything loud may be voice";
  for (int i = 0; i < 150; ++i) (void)detector.measure(white_noise(rng, 2000, 960));
  int voiced = 0;
  for (int i = 0; i < 200; ++i) voiced += detector.measure(white_noise(rng, 2000, 960)).voice ? 1 : 0;
  EXPECT_EQ(voiced, 0);
  EXPECT_TRUE(detector.measure(loud_tone(-6, 960)).voice) << "what is well over it is heard";
}

TEST(VoiceDetector, HoldsOnToTheEndOfAWordAndNoLonger) {
  VoiceDetector detector;
  const std::vector<std::int16_t> silence(960);
  for (int i = 0; i < 50; ++i) ASSERT_FALSE(detector.measure(silence).voice);
  ASSERT_TRUE(detector.measure(loud_tone(-20, 960)).voice);
  int held = 0;
  while (detector.measure(silence).voice) ASSERT_LT(++held, 50);
  EXPECT_EQ(held, 10) << "200 ms from the last loud block on";
}

TEST(VoiceDetector, AClickIsNoVoice) {
  VoiceDetector detector;
  std::vector<std::int16_t> click(960);
  std::fill_n(click.begin() + 100, 40, std::int16_t{20000});
  for (int i = 0; i < 20; ++i) (void)detector.measure(std::vector<std::int16_t>(960));
  EXPECT_FALSE(detector.measure(click).voice);
}

TEST(AudioLevel, GoesIntoOneOctetAndBack) {
  for (int dbov = 0; dbov < 128; ++dbov) {
    for (const bool voice : {false, true}) {
      const AudioLevel level{static_cast<std::uint8_t>(dbov), voice};
      const Bytes element{client_level_octet(level)};
      EXPECT_EQ(parse_client_level(element), level);
    }
  }
  EXPECT_EQ(client_level_octet({200, false}), 127) << "out of range is silence, not the flag";
  EXPECT_EQ(client_level_octet({42, true}), 0xaa);
  EXPECT_FALSE(parse_client_level({}));
  EXPECT_EQ(parse_client_level(Bytes{0x81, 0}), (AudioLevel{1, true})) << "padded to two octets";
}

}  // namespace
}  // namespace linnet::media
