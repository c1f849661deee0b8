#include "media/complexity.h"

#include <gtest/gtest.h>

#include "media/opus_codec.h"
#include "media/resampler.h"
#include "media/session.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Sound of this length in ticks of 10 ms; every frame that they fill costs this share of its time.
void hear(Complexity& c, Duration length, double share, milliseconds frame = milliseconds(20)) {
  const milliseconds tick(10);
  const Duration cost{static_cast<std::int64_t>(share * static_cast<double>(Duration(frame).count()))};
  Duration at{};
  for (int i = 1; at < length; ++i, at += tick) c.spent(i % (frame / tick) == 0 ? cost : Duration{}, tick);
}

TEST(Complexity, StaysWhereItBeginsWhileTheCostIsNeitherHighNorLow) {
  Complexity c(5);
  hear(c, seconds(300), 0.1);
  EXPECT_EQ(c.level(), 5);
}

TEST(Complexity, ClimbsOneLevelForTenSecondsOfRoomAndNoFurtherThanNine) {
  Complexity c(5);
  hear(c, milliseconds(9'990), 0.01);
  EXPECT_EQ(c.level(), 5);
  hear(c, milliseconds(10), 0.01);
  EXPECT_EQ(c.level(), 6);
  hear(c, seconds(10), 0.01);
  EXPECT_EQ(c.level(), 7);
  hear(c, seconds(300), 0.01);
  EXPECT_EQ(c.level(), 9);
}

TEST(Complexity, FallsWithinASecondAndNoFurtherThanThree) {
  Complexity c(5);
  hear(c, milliseconds(980), 0.16);
  EXPECT_EQ(c.level(), 4);
  hear(c, seconds(20), 0.16);
  EXPECT_EQ(c.level(), 3);
}

TEST(Complexity, FallsTheSoonerTheMoreItCosts) {
  Complexity c(9);
  hear(c, milliseconds(100), 1.6);
  EXPECT_EQ(c.level(), 8) << "150 ms of work are the budget of a second";
}

TEST(Complexity, OneSlowFrameCostsTenSecondsOfPatienceButNoLevel) {
  Complexity c(5);
  hear(c, seconds(9), 0.01);
  c.spent(milliseconds(60), milliseconds(20));
  hear(c, seconds(9), 0.01);
  EXPECT_EQ(c.level(), 5);
  hear(c, seconds(2), 0.01);
  EXPECT_EQ(c.level(), 6);
}

TEST(Complexity, ForgetsWhatIsOlderThanItsWindow) {
  Complexity c(5);
  for (int i = 0; i < 60; ++i) {
    c.spent(milliseconds(100), milliseconds(20));
    hear(c, seconds(1), 0.0);
  }
  EXPECT_EQ(c.level(), 5);
}

TEST(Complexity, TakesLongFramesForTheTimeTheyLast) {
  Complexity cheap(5), dear(5);
  hear(cheap, seconds(60), 0.04, milliseconds(120));
  hear(dear, seconds(60), 0.2, milliseconds(120));
  EXPECT_EQ(cheap.level(), 9);
  EXPECT_EQ(dear.level(), 3);
}

// A machine on which each level costs what it costs: as measured, 155 to 282 us at 5 and 9, here so many times slower.
TEST(Complexity, SettlesOnSlowMachinesInsteadOfGoingUpAndDown) {
  for (const double times : {1.0, 5.0, 10.0, 20.0, 40.0}) {
    Complexity c(5);
    const auto talk = [&](Duration length) {
      int changes = 0;
      for (Duration at{}; at < length; at += milliseconds(20)) {
        const double us = (155 + (c.level() - 5) * (282 - 155) / 4.0) * times;
        changes += c.spent(Duration{static_cast<std::int64_t>(us)}, milliseconds(20)) ? 1 : 0;
      }
      return changes;
    };
    talk(seconds(120));
    EXPECT_EQ(talk(seconds(600)), 0) << times;
  }
}

TEST(Complexity, GoesIntoItsRangeFromALevelThatWasAskedForOutsideIt) {
  Complexity least(0), most(10);
  hear(least, seconds(5), 0.5);
  EXPECT_EQ(least.level(), 0) << "less work was asked for, not more";
  hear(most, seconds(60), 0.01);
  EXPECT_EQ(most.level(), 10);
  hear(most, seconds(1), 0.16);
  EXPECT_EQ(most.level(), 9);
}

TEST(Opus, EncodesWithTheComplexityItWasLastTold) {
  OpusCodec told({.complexity = 9}), other({.complexity = 9});
  EXPECT_EQ(told.complexity(), 9);
  told.set_complexity(3);
  EXPECT_EQ(told.complexity(), 3);
  const auto in = resample(speech().samples, speech().rate, kRate);
  Bytes a, b;
  for (std::size_t at = 0; at + 960 <= in.size(); at += 960) {
    told.encode(std::span(in).subspan(at, 960), a);
    other.encode(std::span(in).subspan(at, 960), b);
  }
  EXPECT_EQ(a.size(), b.size()) << "the rate is the same";
  EXPECT_NE(a, b);
}

class SessionComplexity : public testing::Test {
 protected:
  // A second of speech, of which each frame costs this share of its time.
  void talk(double share) {
    const std::vector<std::int16_t> frame(960, 1000);
    for (int i = 0; i < 50; ++i, ms_ += 20) {
      session.capture(at_ms(ms_), frame);
      session.capture_took(Duration{static_cast<std::int64_t>(share * 20'000)}, frame.size());
      while (session.poll_packet()) {
      }
    }
  }
  std::optional<int> level() const { return session.stats(at_ms(ms_)).complexity; }

  static SessionConfig config(Rng& rng) {
    SessionConfig c;
    c.security = key_pair(rng).first;
    return c;
  }

  SeededRng rng{1};
  Session session{config(rng), rng};
  double ms_ = 0;
};

TEST_F(SessionComplexity, TheEncoderOfACallFollowsWhatItCosts) {
  EXPECT_FALSE(level()) << "nothing was encoded yet";
  talk(0.1);
  EXPECT_EQ(level(), 5);
  talk(0.2);
  EXPECT_EQ(level(), 4);
  for (int i = 0; i < 61; ++i) talk(0.01);
  EXPECT_EQ(level(), 9);
}

TEST_F(SessionComplexity, SilenceOfAMutedOrHeldCallIsNoRoomForMore) {
  talk(0.1);
  session.set_muted(true);
  for (int i = 0; i < 30; ++i) talk(0);
  session.set_muted(false);
  session.set_sending(false);
  for (int i = 0; i < 30; ++i) talk(0);
  session.set_sending(true);
  EXPECT_EQ(level(), 5);
}

TEST_F(SessionComplexity, OutlivesAChangeOfCodec) {
  session.set_codecs({0, CodecKind::pcmu}, {{0, CodecKind::pcmu}});
  talk(0.2);
  EXPECT_FALSE(level()) << "G.711 has none";
  session.set_codecs({111, CodecKind::opus}, {{111, CodecKind::opus}});
  talk(0.1);
  EXPECT_EQ(level(), 4);
}

}  // namespace
}  // namespace linnet::media
