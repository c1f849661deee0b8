#include "media/loudest.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet::media {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(20);
constexpr AudioLevel loud(std::uint8_t dbov) { return {dbov, true}; }

struct LoudestOfARoom : ::testing::Test {
  Loudest loudest;
  Time now{};
  std::map<Seat, AudioLevel> say;

  void sit(std::uint32_t members) {
    for (std::uint32_t i = 1; i <= members; ++i) loudest.add(Seat{i});
  }
  void frames(int n) {
    for (int i = 0; i < n; ++i) {
      now += kTick;
      for (const auto& [seat, level] : say) loudest.hear(seat, level);
      loudest.choose(now);
    }
  }
  bool heard(std::uint32_t seat) const { return loudest.has_place(Seat{seat}); }
};

TEST_F(LoudestOfARoom, AFreePlaceIsTakenWithTheFirstPacketOfVoice) {
  sit(100);
  say[Seat{70}] = loud(40);
  frames(1);
  EXPECT_TRUE(heard(70));
}

TEST_F(LoudestOfARoom, SilenceTakesNoPlace) {
  sit(5);
  for (std::uint32_t i = 1; i <= 5; ++i) say[Seat{i}] = {127, false};
  frames(50);
  EXPECT_TRUE(loudest.places().empty());
}

TEST_F(LoudestOfARoom, WhoPausesBetweenWordsKeepsHisPlace) {
  sit(5);
  say[Seat{1}] = loud(20);
  frames(20);
  say[Seat{1}] = {80, false};
  frames(25);  // half a second
  EXPECT_TRUE(heard(1));
  frames(10);
  EXPECT_FALSE(heard(1));
}

TEST_F(LoudestOfARoom, WhereFewerMayBeHeardTheQuietestGoesAndComesBackWithItsPlace) {
  sit(4);
  say = {{Seat{1}, loud(20)}, {Seat{2}, loud(40)}, {Seat{3}, loud(30)}};
  frames(5);
  loudest.set_most(2);
  frames(1);
  EXPECT_TRUE(heard(1) && heard(3));
  EXPECT_FALSE(heard(2));
  loudest.set_most(1);
  frames(1);
  EXPECT_EQ(loudest.places(), std::vector<Seat>{Seat{1}});
  frames(50);
  EXPECT_EQ(loudest.places(), std::vector<Seat>{Seat{1}});
  loudest.set_most(Loudest::kPlaces);
  frames(1);
  EXPECT_EQ(loudest.places().size(), 3u);
}

TEST_F(LoudestOfARoom, AFourthVoiceAsLoudAsTheOthersWaits) {
  sit(4);
  for (std::uint32_t i = 1; i <= 3; ++i) say[Seat{i}] = loud(30);
  frames(10);
  say[Seat{4}] = loud(27);
  frames(100);
  EXPECT_FALSE(heard(4));
}

TEST_F(LoudestOfARoom, AFourthVoiceThatIsClearlyLouderPushesTheQuietestOut) {
  sit(4);
  say = {{Seat{1}, loud(30)}, {Seat{2}, loud(20)}, {Seat{3}, loud(40)}};
  frames(10);
  say[Seat{4}] = loud(25);
  frames(1);
  EXPECT_TRUE(heard(4)) << "of the first word nothing is missing";
  frames(Loudest::kLouderFor - 2);
  EXPECT_TRUE(heard(3)) << "a click pushes nobody out";
  EXPECT_EQ(loudest.places().size(), Loudest::kPlaces + 1);
  frames(1);
  EXPECT_TRUE(heard(4));
  EXPECT_FALSE(heard(3));
  EXPECT_EQ(loudest.places().size(), Loudest::kPlaces);
}

TEST_F(LoudestOfARoom, WhoIsLouderForAMomentIsHeardForThatMomentAndTakesNoPlace) {
  sit(4);
  say = {{Seat{1}, loud(30)}, {Seat{2}, loud(20)}, {Seat{3}, loud(36)}};
  frames(10);
  say[Seat{4}] = loud(30);
  frames(1);
  EXPECT_TRUE(heard(4));
  say[Seat{4}] = loud(60);  // half a dB less with each frame
  frames(2);
  EXPECT_FALSE(heard(4));
  EXPECT_TRUE(heard(3));
}

TEST_F(LoudestOfARoom, WhoWouldTakeAPlaceGetsOneThatIsFreeByThen) {
  sit(4);
  say = {{Seat{1}, loud(30)}, {Seat{2}, loud(20)}, {Seat{3}, loud(40)}};
  frames(10);
  say[Seat{4}] = loud(25);
  frames(1);
  loudest.remove(Seat{2});
  frames(1);
  EXPECT_EQ(loudest.places().size(), Loudest::kPlaces);
  frames(Loudest::kLouderFor);
  EXPECT_TRUE(heard(3) && heard(4));
}

TEST_F(LoudestOfARoom, WhoSaysLoudAndSendsSilenceIsPassedOverAndNamed) {
  sit(2);
  say[Seat{1}] = loud(0);
  for (int i = 0; i < Loudest::kFalse + 1; ++i) {
    frames(1);
    if (heard(1)) loudest.measured(now, Seat{1}, {127, false});
  }
  EXPECT_FALSE(heard(1));
  EXPECT_EQ(loudest.poll_liar(), Seat{1});
  EXPECT_EQ(loudest.poll_liar(), std::nullopt);
  frames(100);
  EXPECT_FALSE(heard(1));
  frames(static_cast<int>(Loudest::kPassedOver / kTick));
  EXPECT_TRUE(heard(1)) << "for a while, not for ever";
}

TEST_F(LoudestOfARoom, WhoIsHonestIsNeverALiar) {
  sit(1);
  SeededRng rng(3);
  for (int i = 0; i < 2000; ++i) {
    const auto level = static_cast<std::uint8_t>(20 + rng.below(30));
    say[Seat{1}] = loud(level);
    frames(1);
    // The packet that is heard now came a few frames ago: levels differ by what speech does meanwhile.
    loudest.measured(now, Seat{1}, loud(static_cast<std::uint8_t>(level + rng.below(12))));
  }
  EXPECT_EQ(loudest.poll_liar(), std::nullopt);
}

// Whatever a hundred members say, at most three are heard and one who is about to be, all of them talk, and a place is
// free only when nobody wants it.
TEST_F(LoudestOfARoom, PlacesAreThreeAndAGuestsAndNeverFreeWhileSomebodyTalks) {
  sit(100);
  SeededRng rng(11);
  std::map<Seat, Time> voice;
  for (int i = 0; i < 3000; ++i) {
    say.clear();
    for (std::uint64_t k = rng.below(8); k > 0; --k) {
      const Seat seat{static_cast<std::uint32_t>(1 + rng.below(100))};
      say[seat] = {static_cast<std::uint8_t>(rng.below(127)), rng.below(2) == 1};
    }
    frames(1);
    for (const auto& [seat, level] : say)
      if (level.voice) voice[seat] = now;
    std::size_t talking = 0;
    for (const auto& [seat, at] : voice) talking += now < at + Loudest::kHold ? 1 : 0;
    ASSERT_GE(loudest.places().size(), std::min(talking, Loudest::kPlaces)) << i;
    ASSERT_LE(loudest.places().size(), std::min(talking, Loudest::kPlaces + 1)) << i;
    for (const auto seat : loudest.places()) ASSERT_LT(now, voice.at(seat) + Loudest::kHold);
  }
}

}  // namespace
}  // namespace linnet::media
