// Echo cancellation in a room of known echo, with real speech on both sides.
#include "tests/media/echo_scene.h"

#include <gtest/gtest.h>

namespace linnet::media {
namespace {

constexpr std::size_t kEchoFrame = AudioProcessing::kFrame;

AudioProcessingConfig with(EchoChoice choice) {
  AudioProcessingConfig config;
  config.echo = choice;
  return config;
}

class EchoCancellation : public testing::Test {
 protected:
  void SetUp() override {
    if (far_voice().empty()) GTEST_SKIP() << "no speech in " << speech_folder() << ": set LINNET_TEST_DATA";
  }
};
class EchoInARoom : public EchoCancellation, public testing::WithParamInterface<double> {};

TEST_P(EchoInARoom, IsGoneFromTheSecondSecondAndBothMayTalk) {
  const auto scene = make_scene({}, GetParam(), 6);
  const double wrong_hint = GetParam() - 40;
  const auto far_only = clean(scene, scene.echo, with(EchoChoice::automatic), wrong_hint);
  for (std::size_t second = 2; second < 15; ++second)
    EXPECT_GE(reduction(scene, far_only, second, second + 1), 25) << "second " << second;
  EXPECT_EQ(far_only.report.active, EchoChoice::speex);
  ASSERT_TRUE(far_only.report.delay);
  EXPECT_NEAR(millis(*far_only.report.delay), GetParam(), 5);
  const auto both = clean(scene, scene.microphone, with(EchoChoice::automatic), wrong_hint);
  EXPECT_LT(near_stoi(scene, {scene.microphone, {}}), 0.86) << "a scene that needs help";
  EXPECT_GE(near_stoi(scene, both), 0.93);
}

INSTANTIATE_TEST_SUITE_P(Delays, EchoInARoom, testing::Values(60, 150, 300));

TEST_F(EchoCancellation, WithEitherLibraryAloneIsWorthHaving) {
  const auto scene = make_scene({}, 120, 0);
  for (const auto choice : {EchoChoice::webrtc, EchoChoice::speex}) {
    const auto far_only = clean(scene, scene.echo, with(choice), 120);
    EXPECT_GE(reduction(scene, far_only, 2, 15), 25) << to_string(choice);
    EXPECT_EQ(far_only.report.active, choice);
  }
}

TEST_F(EchoCancellation, LeavesASpeakerWithoutEchoWhole) {
  auto scene = make_scene({}, 120, 0, 1);
  std::fill(scene.far.begin(), scene.far.end(), std::int16_t{0});
  for (const auto choice : {EchoChoice::webrtc, EchoChoice::automatic})
    EXPECT_GE(near_stoi(scene, clean(scene, scene.near, with(choice), 120)), 0.96) << to_string(choice);
}

TEST_F(EchoCancellation, LetsTwoTalkWhoNeverTalkAlone) {
  const auto scene = make_scene({}, 200, 0, 0);  // from the first sample on
  const auto both = clean(scene, scene.microphone, with(EchoChoice::automatic), 200);
  EXPECT_EQ(both.report.active, EchoChoice::speex);
  EXPECT_GE(near_stoi(scene, both, 2), 0.90) << "once the filter has learned";
}

// A sound server hands over 50 ms at once and takes 20: the count of samples is what matters.
TEST_F(EchoCancellation, DoesNotMindWhenTheCallerIsLate) {
  const auto scene = make_scene({}, 120, 0);
  AudioProcessing processing(with(EchoChoice::automatic));
  Cleaned out{scene.echo, {}};
  std::size_t played = 0, taken = 0;
  for (std::size_t at = 0; at + kEchoFrame <= scene.far.size(); at += kEchoFrame) {
    if (at / kEchoFrame % 2 == 0) {
      const auto part = std::span(scene.far).subspan(played, std::min(2 * kEchoFrame, scene.far.size() - played));
      processing.played(part);
      played += part.size();
    }
    if (at / kEchoFrame % 5 != 4) continue;
    for (; taken <= at; taken += kEchoFrame) {
      // What waits behind this frame is part of its delay, and what was played ahead too.
      const double waits = static_cast<double>(at - taken) / kSamplesPerMs;
      const double ahead = static_cast<double>(played) - static_cast<double>(at + kEchoFrame);
      processing.process(std::span(out.samples).subspan(taken).first<kEchoFrame>(),
                         Duration(static_cast<std::int64_t>((120 + waits + ahead / kSamplesPerMs) * 1000)));
    }
  }
  EXPECT_GE(reduction(scene, out, 2, 14), 25);
}

TEST_F(EchoCancellation, FollowsWhenSamplesAreLostOnTheWay) {
  const auto scene = make_scene({}, 120, 0);
  const std::size_t lost = 60 * kSamplesPerMs, from = 8 * kRate;
  AudioProcessing processing(with(EchoChoice::automatic));
  Cleaned out{scene.echo, {}};
  auto& samples = out.samples;
  samples.erase(samples.begin() + from, samples.begin() + from + lost);
  for (std::size_t i = 0; i + kEchoFrame <= samples.size(); i += kEchoFrame) {
    processing.played(std::span(scene.far).subspan(i, kEchoFrame));
    processing.process(std::span(samples).subspan(i).first<kEchoFrame>(), std::chrono::milliseconds(120));
  }
  EXPECT_GE(reduction(scene, out, 3, 8), 25);
  EXPECT_GE(reduction(scene, out, 11, 15), 25) << "three seconds after";
}

TEST_F(EchoCancellation, SurvivesDevicesWhoseClocksDiffer) {
  auto scene = make_scene({}, 120, 0);
  // The microphone's clock is 100 ppm fast: 5 samples more in every second.
  Samples drifted;
  for (std::size_t i = 0; i < scene.echo.size(); ++i) {
    drifted.push_back(scene.echo[i]);
    if (i % 10'000 == 9'999) drifted.push_back(scene.echo[i]);
  }
  drifted.resize(scene.echo.size());
  scene.echo = drifted;
  EXPECT_GE(reduction(scene, clean(scene, scene.echo, with(EchoChoice::automatic), 120), 2, 15), 15);
}

TEST_F(EchoCancellation, DoesNothingWhenAllIsOff) {
  const auto scene = make_scene({}, 60, 0);
  const auto cleaned = clean(scene, scene.microphone, {EchoChoice::off, false, false}, 60);
  EXPECT_EQ(cleaned.samples, scene.microphone);
  EXPECT_EQ(AudioProcessing({EchoChoice::off, false, false}).latency(), Duration(0));
}

TEST(AudioProcessing, TakesSteadyNoiseAway) {
  SeededRng rng(1);
  Samples noise(5 * kRate);
  for (auto& s : noise) s = static_cast<std::int16_t>(600 * (rng.unit() - 0.5));
  for (const auto choice : {EchoChoice::off, EchoChoice::webrtc, EchoChoice::automatic}) {
    AudioProcessing processing({choice, true, false});
    Samples out = noise;
    for (std::size_t i = 0; i + kEchoFrame <= out.size(); i += kEchoFrame)
      processing.process(std::span(out).subspan(i).first<kEchoFrame>(), Duration(0));
    EXPECT_LT(rms(std::span(out).last(kRate)), rms(noise) / 2.5) << to_string(choice);
  }
}

TEST(AudioProcessing, BringsAQuietVoiceUp) {
  const auto voice = scaled(resample(speech().samples, speech().rate, kRate), 250);
  for (const auto choice : {EchoChoice::webrtc, EchoChoice::automatic}) {
    AudioProcessing processing({choice, false, true});
    Samples out = voice;
    for (std::size_t i = 0; i + kEchoFrame <= out.size(); i += kEchoFrame)
      processing.process(std::span(out).subspan(i).first<kEchoFrame>(), Duration(0));
    EXPECT_GT(rms(std::span(out).last(4 * kRate)), 1.5 * rms(std::span(voice).last(4 * kRate))) << to_string(choice);
  }
}

TEST(EchoChoice, HasTheNamesOfTheConfiguration) {
  for (const auto choice : {EchoChoice::off, EchoChoice::webrtc, EchoChoice::speex, EchoChoice::automatic})
    EXPECT_EQ(parse_echo_choice(to_string(choice)), choice);
  EXPECT_FALSE(parse_echo_choice("on"));
}

}  // namespace
}  // namespace linnet::media
