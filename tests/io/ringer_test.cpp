#include "node/io/sound/ringer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "media/codec_kind.h"
#include "node/io/clock.h"
#include "node/io/sound/tones.h"
#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

using node::CallId;
using node::CallState;

node::CallView call_in(CallState state, std::uint64_t id = 1) {
  node::CallView out;
  out.id = CallId{id};
  out.state = state;
  return out;
}

const auto kAloud = [](CallId) { return true; };

// Part of the power of `samples` that lies at `hertz` (Goertzel).
double share_at(std::span<const std::int16_t> samples, double hertz) {
  const double w = 2 * std::numbers::pi * hertz / media::kRate, k = 2 * std::cos(w);
  double a = 0, b = 0, power = 0;
  for (const auto s : samples) {
    const double x = s + k * a - b;
    b = a;
    a = x;
    power += double(s) * s;
  }
  return power == 0 ? 0 : 2 * (a * a + b * b - k * a * b) / (power * static_cast<double>(samples.size()));
}

TEST(Tones, RingbackIsOneSecondOfFiveAt425Hertz) {
  const auto tone = ringback_tone();
  ASSERT_EQ(tone.size(), 5u * media::kRate);
  EXPECT_GT(share_at(std::span(tone).first(media::kRate), 425), 0.95);
  EXPECT_LT(share_at(std::span(tone).first(media::kRate), 440), 0.01);
  for (std::size_t i = media::kRate; i < tone.size(); ++i) ASSERT_EQ(tone[i], 0) << i;
}

TEST(Tones, RingIsTwoBurstsThatWarble) {
  const auto tone = ring_tone();
  ASSERT_EQ(tone.size(), 4u * media::kRate);
  const auto burst = std::span(tone).subspan(media::kRate * 8 / 10, media::kRate * 6 / 10);
  EXPECT_GT(share_at(burst.first(media::kRate / 20), 800), 0.9);
  EXPECT_GT(share_at(burst.subspan(media::kRate / 20, media::kRate / 20), 1000), 0.9);
  const auto loud = [&](std::size_t from, std::size_t to) {
    return std::any_of(tone.begin() + static_cast<std::ptrdiff_t>(from), tone.begin() + static_cast<std::ptrdiff_t>(to),
                       [](auto s) { return std::abs(s) > 1000; });
  };
  EXPECT_TRUE(loud(0, media::kRate * 6 / 10));
  EXPECT_FALSE(loud(media::kRate * 6 / 10, media::kRate * 8 / 10));
  EXPECT_FALSE(loud(media::kRate * 14 / 10, tone.size()));
}

TEST(Tones, EndWithoutAClick) {
  for (const auto& tone : {ring_tone(), ringback_tone()})
    for (std::size_t i = 1; i < tone.size(); ++i) ASSERT_LT(std::abs(tone[i] - tone[i - 1]), 1500) << i;
}

TEST(Bells, RingHereAndThere) {
  EXPECT_EQ(bell_for({}, kAloud), Bell::silent);
  EXPECT_EQ(bell_for({call_in(CallState::incoming)}, kAloud), Bell::ring);
  EXPECT_EQ(bell_for({call_in(CallState::ringing)}, kAloud), Bell::ringback);
  EXPECT_EQ(bell_for({call_in(CallState::inviting)}, kAloud), Bell::silent);
  EXPECT_EQ(bell_for({call_in(CallState::ringing), call_in(CallState::incoming, 2)}, kAloud), Bell::ring);
}

TEST(Bells, AreSilentForWhoTalksAndForCallsOfFiles) {
  EXPECT_EQ(bell_for({call_in(CallState::incoming), call_in(CallState::talking, 2)}, kAloud), Bell::silent);
  EXPECT_EQ(bell_for({call_in(CallState::incoming)}, [](CallId) { return false; }), Bell::silent);
}

struct Played {
  std::vector<std::int16_t> samples;
  int opened = 0, closed = 0;
};

class FakeSpeaker final : public Speaker {
 public:
  explicit FakeSpeaker(Played& played) : played_(played) { ++played_.opened; }
  ~FakeSpeaker() override { ++played_.closed; }
  std::size_t wanted() const override { return played_.samples.size() >= 3u * media::kRate ? 0 : 960; }
  void play(std::span<const std::int16_t> samples) override {
    played_.samples.insert(played_.samples.end(), samples.begin(), samples.end());
  }

 private:
  Played& played_;
};

const auto kClose = [](const std::shared_ptr<Speaker>&) {};

TEST(Ringer, GivesBackALoudspeakerThatComesTooLate) {
  Loop loop;
  Played played;
  std::function<void(Ringer::Opened)> answer;
  int given_back = 0;
  Ringer ringer(
      loop, [&](auto a) { answer = std::move(a); },
      [&](const std::shared_ptr<Speaker>& speaker) { given_back += speaker ? 1 : 0; });
  ringer.set(Bell::ring);
  ringer.set(Bell::silent);
  answer(std::make_shared<FakeSpeaker>(played));
  EXPECT_EQ(given_back, 1);
  EXPECT_TRUE(played.samples.empty());
}

TEST(Ringer, PlaysItsToneUntilTheCallIsAnswered) {
  Loop loop;
  Played played;
  Ringer ringer(
      loop, [&](auto answer) { answer(std::make_shared<FakeSpeaker>(played)); }, kClose);
  ringer.set(Bell::ring);
  const auto stop = loop.alarm([&] { loop.stop(); });
  stop->set(now() + std::chrono::milliseconds(100));
  loop.run();
  ASSERT_GT(played.samples.size(), 960u);
  const auto tone = ring_tone();
  EXPECT_TRUE(std::equal(played.samples.begin(), played.samples.end(), tone.begin()));
  ringer.set(Bell::silent);
  EXPECT_EQ(played.closed, 1);
  const auto before = played.samples.size();
  stop->set(now() + std::chrono::milliseconds(50));
  loop.run();
  EXPECT_EQ(played.samples.size(), before);
}

TEST(Ringer, OpensNothingWhenItIsOff) {
  Loop loop;
  Played played;
  Ringer ringer(
      loop, [&](auto answer) { answer(std::make_shared<FakeSpeaker>(played)); }, kClose);
  ringer.use("off", false);
  ringer.set(Bell::ring);
  ringer.set(Bell::ringback);
  EXPECT_EQ(played.opened, 0);
  EXPECT_EQ(ringer.bell(), Bell::silent);
}

TEST(Ringer, RingsOnWithoutALoudspeaker) {
  Loop loop;
  int asked = 0;
  Ringer ringer(
      loop,
      [&](auto answer) {
        ++asked;
        answer(trouble("No loudspeaker."));
      },
      kClose);
  ringer.set(Bell::ring);
  ringer.set(Bell::ring);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(ringer.bell(), Bell::ring);
  ringer.set(Bell::silent);
}

}  // namespace
}  // namespace linnet::io
