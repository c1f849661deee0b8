#include "media/mixer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace linnet::media {
namespace {

constexpr Duration kStep20 = std::chrono::milliseconds(20);

struct MixerOfARoom : ::testing::Test {
  Mixer mixer;
  Time now{};
  std::map<Seat, double> hz;
  double amplitude = 8000;
  std::uint64_t at = 0;

  Mixer::Frame wave(double frequency) const {
    Mixer::Frame out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double t = static_cast<double>(at + i) / 48000;
      out[i] = static_cast<std::int16_t>(std::lrint(amplitude * std::sin(2 * 3.14159265358979 * frequency * t)));
    }
    return out;
  }
  void sit(std::uint32_t members) {
    for (std::uint32_t i = 1; i <= members; ++i) mixer.add(Seat{i});
  }
  void frame() {
    now += kStep20;
    for (const auto& entry : hz) mixer.hear(entry.first, {20, true});
    mixer.choose(now);
    for (const auto seat : mixer.wanted()) mixer.put(now, seat, hz.contains(seat) ? wave(hz[seat]) : Mixer::Frame{});
    mixer.mix(now);
    at += Mixer::kFrame;
  }
  // Of `frequency` in the frame, as an amplitude.
  double found(const Mixer::Frame& in, double frequency) const {
    double re = 0, im = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double t = static_cast<double>(at - Mixer::kFrame + i) / 48000;
      re += in[i] * std::cos(2 * 3.14159265358979 * frequency * t);
      im += in[i] * std::sin(2 * 3.14159265358979 * frequency * t);
    }
    return 2 * std::sqrt(re * re + im * im) / static_cast<double>(in.size());
  }
};

TEST_F(MixerOfARoom, WithoutTimeForMoreOnlyTheHeardHaveEncodersOfTheirOwn) {
  sit(5);
  hz = {{Seat{1}, 500}, {Seat{2}, 800}, {Seat{3}, 1200}};
  for (int i = 0; i < 5; ++i) frame();
  mixer.spare(1, false);
  for (int i = 0; i < 3; ++i) frame();
  int owners = 0;
  for (std::uint32_t i = 1; i <= 5; ++i) owners += mixer.owns(Seat{i}) ? 1 : 0;
  EXPECT_EQ(owners, 1);
  EXPECT_EQ(mixer.heard().size(), 1u);
  mixer.spare(3, true);
  for (int i = 0; i < 3; ++i) frame();
  EXPECT_EQ(mixer.heard().size(), 3u);
}

TEST_F(MixerOfARoom, EverybodyHearsTheHeardAndNobodyHimself) {
  sit(10);
  hz = {{Seat{1}, 500}, {Seat{2}, 800}, {Seat{3}, 1200}};
  for (int i = 0; i < 5; ++i) frame();
  for (const double f : {500.0, 800.0, 1200.0}) EXPECT_NEAR(found(mixer.common(), f), amplitude, 200) << f;
  EXPECT_LT(found(mixer.without(Seat{2}), 800), 50);
  EXPECT_NEAR(found(mixer.without(Seat{2}), 500), amplitude, 200);
  EXPECT_FALSE(mixer.owns(Seat{7}));
  EXPECT_EQ(&mixer.without(Seat{7}), &mixer.common());
}

TEST_F(MixerOfARoom, ThreeAtFullScaleDoNotClip) {
  sit(4);
  amplitude = 32000;
  hz = {{Seat{1}, 500}, {Seat{2}, 800}, {Seat{3}, 1200}};
  for (int i = 0; i < 10; ++i) {
    frame();
    int longest = 0, run = 0;
    for (const auto sample : mixer.common()) {
      run = std::abs(sample) >= 32767 ? run + 1 : 0;
      longest = std::max(longest, run);
    }
    EXPECT_LE(longest, 1) << "frame " << i;
  }
  EXPECT_GT(found(mixer.common(), 500), 5000);
}

TEST_F(MixerOfARoom, WhoFallsSilentFadesOutAndMakesNoClick) {
  sit(2);
  hz = {{Seat{1}, 511}};
  for (int i = 0; i < 5; ++i) frame();
  mixer.set_gain(Seat{1}, 0);
  std::int16_t before = mixer.common().back();
  int most = 0;
  for (int i = 0; i < 40; ++i) {
    frame();
    for (const auto sample : mixer.common()) {
      most = std::max(most, std::abs(sample - before));
      before = sample;
    }
  }
  // A sine of 8000 moves by 524 a sample at the most.
  EXPECT_LT(most, 700);
}

TEST_F(MixerOfARoom, WhereNobodyTalksThereIsAFaintNoise) {
  sit(2);
  for (int i = 0; i < 5; ++i) frame();
  const auto level = measure(mixer.common());
  EXPECT_GT(level.dbov, 60);
  EXPECT_LT(level.dbov, 90);
}

TEST_F(MixerOfARoom, TheStreamOfWhoSpokeOfLateStaysHisOwn) {
  sit(3);
  hz = {{Seat{1}, 500}};
  frame();
  hz.clear();
  for (int i = 0; i < 100; ++i) frame();
  EXPECT_TRUE(mixer.owns(Seat{1}));
  for (int i = 0; i < static_cast<int>(Mixer::kWarm / kStep20); ++i) frame();
  EXPECT_FALSE(mixer.owns(Seat{1}));
}

TEST_F(MixerOfARoom, OwnStreamsAreBoundedHoweverManyTakeTurns) {
  sit(100);
  for (std::uint32_t who = 1; who <= 100; ++who) {
    hz = {{Seat{who}, 500}};
    for (int i = 0; i < 5; ++i) frame();
    std::size_t own = 0;
    for (std::uint32_t i = 1; i <= 100; ++i) own += mixer.owns(Seat{i}) ? 1 : 0;
    ASSERT_LE(own, Mixer::kMaxWarm + Loudest::kPlaces);
  }
}

// The sum is what adding up by hand gives, as long as nothing is too loud.
TEST_F(MixerOfARoom, TheSumIsTheSum) {
  sit(3);
  amplitude = 3000;
  hz = {{Seat{1}, 437}, {Seat{2}, 901}, {Seat{3}, 1571}};
  for (int i = 0; i < 5; ++i) frame();
  at -= Mixer::kFrame;
  const auto a = wave(437), b = wave(901), c = wave(1571);
  at += Mixer::kFrame;
  for (std::size_t i = 0; i < Mixer::kFrame; ++i) {
    ASSERT_NEAR(mixer.common()[i], a[i] + b[i] + c[i], 150);  // and the faint noise
    ASSERT_EQ(mixer.common()[i] - mixer.without(Seat{1})[i], a[i]);
  }
}

}  // namespace
}  // namespace linnet::media
