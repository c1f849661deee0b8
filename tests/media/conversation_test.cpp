// Whole calls in virtual time: what was said against what was heard.
#include <gtest/gtest.h>

#include "checkout.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

constexpr double kLength = 12;  // seconds; the speech is shorter

TEST(Conversation, OverACleanPathIsHeardWholeSoonAndWithoutGaps) {
  Conversation c;
  c.run(kLength);
  const auto heard = c.heard(c.offset_ms());
  EXPECT_GE(*heard.stoi, 0.98);
  EXPECT_LE(*heard.delay_ms, 45) << "20 ms of frame, 6.5 of lookahead, 10 of device block, 3 to spare";
  EXPECT_TRUE(heard.gaps.empty());
  const auto s = c.stats();
  EXPECT_EQ(s.loss_pct, 0);
  EXPECT_EQ(s.max_gap_ms, 0);
  EXPECT_EQ(s.frames_concealed, 0U);
  EXPECT_EQ(s.packets_refused, 0U);
  EXPECT_EQ(s.codec, "opus");
  EXPECT_NEAR(*s.mos, 4.41, 0.01);
  EXPECT_NEAR(*s.jitter_ms, 0, 0.01);
  EXPECT_EQ(s.packets_received, static_cast<std::uint64_t>(kLength * 50) - 1) << "the last one is still on its way";
}

TEST(Conversation, WithTenMillisecondFramesIsHeardSooner) {
  SessionConfig config;
  config.ptime = std::chrono::milliseconds(10);
  Conversation c({}, config);
  c.run(kLength);
  const auto heard = c.heard(c.offset_ms());
  EXPECT_GE(*heard.stoi, 0.95);
  EXPECT_LE(*heard.delay_ms, 35);
}

TEST(Conversation, WithA20MillisecondDeviceStaysUnder60Milliseconds) {
  Conversation c;
  c.block_ms = 20;
  c.run(kLength);
  EXPECT_LE(*c.heard(c.offset_ms()).delay_ms, 60);
  EXPECT_GE(*c.heard().stoi, 0.98);
}

TEST(Conversation, InG711IsHeardToo) {
  for (const auto kind : {CodecKind::pcmu, CodecKind::pcma}) {
    SessionConfig config;
    config.send = {usual_payload_type(kind), kind};
    config.receive = {config.send};
    Conversation c({}, config);
    c.run(kLength);
    EXPECT_GE(*c.heard().stoi, 0.97) << encoding_name(kind);
    EXPECT_LE(*c.heard(c.offset_ms()).delay_ms, 45);
    EXPECT_EQ(c.stats().codec, encoding_name(kind));
  }
}

TEST(Conversation, JitterIsMeasuredAndAbsorbed) {
  Conversation c({.delay_ms = 30, .jitter_ms = 20});
  c.run(kLength);
  const auto s = c.stats();
  EXPECT_GE(*c.heard().stoi, 0.95);
  EXPECT_NEAR(*s.jitter_ms, 20.0 / 3, 4) << "the mean difference of two uniform delays is a third of their range";
  EXPECT_LT(s.concealed_ms, 200);
  EXPECT_NEAR(*s.rtt_ms, 80, 15);
}

struct LossCase {
  double loss, least;
};

class Lossy : public testing::TestWithParam<LossCase> {};
INSTANTIATE_TEST_SUITE_P(Shares, Lossy,
                         testing::Values(LossCase{0.05, 0.93}, LossCase{0.10, 0.88}, LossCase{0.20, 0.83}),
                         [](const auto& each) {
                           return std::to_string(static_cast<int>(each.param.loss * 100)) + "Percent";
                         });

TEST_P(Lossy, SpeechStaysIntelligible) {
  Conversation c({.loss = GetParam().loss});
  c.run(kLength);
  const auto s = c.stats();
  EXPECT_GE(*c.heard().stoi, GetParam().least);
  EXPECT_NEAR(*s.loss_pct, GetParam().loss * 100, 3);
  EXPECT_LT(*s.mos, 4.2);
  EXPECT_GT(*s.max_gap_ms, 0);
}

TEST(Conversation, UnderHeavyLossFramesAreRecoveredFromTheirSuccessors) {
  Conversation c({.loss = 0.1});
  c.run(kLength);
  const auto s = c.stats();
  EXPECT_GT(s.frames_fec, 20U);
  EXPECT_LT(s.frames_concealed, s.packets_lost);
}

TEST(Conversation, DelayGrowsInABadSpellAndShrinksAfterIt) {
  Conversation c({.jitter_ms = 1});
  c.run(3);
  const double before = *c.stats().playout_delay_ms;
  c.network.jitter_ms = 120;
  c.run(5);
  const double during = *c.stats().playout_delay_ms;
  c.network.jitter_ms = 1;
  c.run(12);
  const double after = *c.stats().playout_delay_ms;
  EXPECT_GT(during, before + 25);
  EXPECT_LT(after, before + 8);
}

// Sound cards differ by up to a thousandth; without correction a minute of that is 60 ms of delay or of holes.
TEST(Conversation, ClocksThatDriftApartAreFollowed) {
  for (const bool listener_fast : {true, false}) {
    Conversation c({.delay_ms = 10, .jitter_ms = 4});
    c.run(2);
    const double before = *c.stats().playout_delay_ms;
    std::vector<std::int16_t> extra(kSamplesPerMs);
    for (int second = 0; second < 40; ++second) {
      c.run(1);
      c.alice->mic = second % 10 == 0 ? WavSource(speech().samples, speech().rate) : std::move(c.alice->mic);
      if (listener_fast) {
        c.bob->session.play(at_ms(c.now_ms), extra);
      } else {
        c.alice->session.capture(at_ms(c.now_ms), extra);
      }
    }
    const auto s = c.stats();
    EXPECT_NEAR(*s.playout_delay_ms, before, 12);
    EXPECT_LT(s.concealed_ms, 400);
    EXPECT_GT(listener_fast ? s.expanded_ms + s.concealed_ms : s.accelerated_ms, 15);
  }
}

TEST(Conversation, MutedSendsSilenceInPacketsOfTheSameSize) {
  Conversation c;
  c.alice->session.set_muted(true);
  c.run(kLength);
  EXPECT_TRUE(c.heard().silent);
  EXPECT_GT(c.stats().packets_received, 500U);
  EXPECT_EQ(c.alice->session.stats(at_ms(c.now_ms)).bytes_sent,
            c.alice->session.stats(at_ms(c.now_ms)).packets_sent * 60);
}

TEST(Conversation, HoldIsNoGapAndResumesAtTheSameDelay) {
  Conversation c;
  c.run(3);
  const double before = *c.stats().playout_delay_ms;
  c.alice->session.set_sending(false);
  c.run(2);
  const auto held = c.stats().packets_received;
  c.alice->session.set_sending(true);
  c.run(2);
  EXPECT_NEAR(static_cast<double>(c.stats().packets_received - held), 100, 3);
  EXPECT_EQ(c.stats().max_gap_ms, 0);
  EXPECT_EQ(c.stats().loss_pct, 0);
  EXPECT_NEAR(*c.stats().playout_delay_ms, before, 10);
  EXPECT_EQ(c.stats().concealed_ms, 0) << "nor did the ear miss anything: the MOS stays";
}

TEST(Conversation, NothingIsPlayedWhileNotReceiving) {
  Conversation c;
  c.run(1);
  c.bob->session.set_receiving(false);
  const auto from = static_cast<std::ptrdiff_t>(c.bob->ear.samples().size());
  c.run(1);
  const auto& ear = c.bob->ear.samples();
  EXPECT_TRUE(std::all_of(ear.begin() + from, ear.end(), [](std::int16_t s) { return s == 0; }));
  c.bob->session.set_receiving(true);
  c.run(1);
  EXPECT_FALSE(std::all_of(ear.end() - 24000, ear.end(), [](std::int16_t s) { return s == 0; }));
  EXPECT_EQ(c.stats().max_gap_ms, 0);
}

TEST(Conversation, ADeadPathIsAGap) {
  Conversation c;
  c.run(3);
  c.network.loss = 1;
  c.run(0.3);
  c.network.loss = 0;
  c.run(1);
  EXPECT_NEAR(*c.stats().max_gap_ms, 300, 30);
  c.network.loss = 1;
  c.run(2);
  EXPECT_NEAR(*c.stats().max_gap_ms, 2000, 60) << "also while it lasts";
}

TEST(Conversation, TheEndOfACallIsNoGap) {
  Conversation c;
  c.run(3);
  c.alice->session.close(at_ms(c.now_ms));
  c.run(3);
  EXPECT_EQ(c.stats().max_gap_ms, 0);
}

TEST(Conversation, RecordsTheWholeSentenceOverRealSpeechToo) {
  const char* const given = std::getenv("LINNET_TEST_DATA");
  const std::string folder = given != nullptr ? given : std::string(LINNET_SOURCE_DIR) + "/../shared/data";
  const Bytes file = read_file(folder + "/speech/lv0870_16k.wav");
  if (file.empty()) GTEST_SKIP() << "no recorded speech under " << folder;
  const auto said = parse_wav(file);
  ASSERT_TRUE(said);
  Conversation c;
  c.alice->mic = WavSource(said->samples, said->rate);
  c.run(static_cast<double>(said->samples.size()) / said->rate + 1);
  const auto heard = compare(*said, {kRate, c.bob->ear.samples()});
  EXPECT_GE(*heard.stoi, 0.98);
  EXPECT_TRUE(heard.gaps.empty());
}

}  // namespace
}  // namespace linnet::media
