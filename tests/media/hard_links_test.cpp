// Calls over links that lose, jitter, fail for a moment or are too slow, in virtual time. Each mechanism is also turned
// off once: a test that passes without it would say nothing.
#include <gtest/gtest.h>

#include "tests/media/voice.h"

namespace linnet::media {
namespace {

SessionConfig agreed() {
  SessionConfig config;
  config.auxiliary.red = 63;
  config.reduced_size = config.metrics = true;
  return config;
}

double stoi_with(Network network, const SessionConfig& config, double seconds, double from = 0) {
  Call call(long_speech(seconds), network, config);
  call.run(seconds + 1.5);
  const auto heard = from > 0 ? call.heard_from(from) : call.heard();
  return heard.stoi.value_or(0);
}

TEST(HardLinks, TenPercentLossIsCoveredByOneCopyOfEachFrame) {
  EXPECT_GE(stoi_with({.loss = 0.10}, agreed(), 9.5), 0.95);
  auto without = agreed();
  without.auxiliary.red.reset();
  EXPECT_LT(stoi_with({.loss = 0.10}, without, 9.5), 0.94);
}

TEST(HardLinks, ThirtyPercentLossIsCoveredByTwo) {
  EXPECT_GE(stoi_with({.loss = 0.30}, agreed(), 9.5), 0.90);
  auto without = agreed();
  without.auxiliary.red.reset();
  without.fec = false;
  EXPECT_LT(stoi_with({.loss = 0.30}, without, 9.5), 0.86);
}

TEST(HardLinks, CopiesStopWhereNothingIsLost) {
  Call call(long_speech(9), {}, agreed());
  call.run(0.5);
  EXPECT_EQ(call.alice->session.stats(at_ms(call.now_ms)).copies, 1) << "until something is known of the path";
  call.run(3);
  EXPECT_EQ(call.alice->session.stats(at_ms(call.now_ms)).copies, 0);
  EXPECT_EQ(call.alice->session.stats(at_ms(call.now_ms)).bitrate, 24000);
}

TEST(HardLinks, AnOutageOf300MillisecondsIsOver300MillisecondsLater) {
  EXPECT_GE(stoi_with({.delay_ms = 20, .outage_every_ms = 9000, .outage_ms = 300}, agreed(), 17), 0.95);
}

struct Slow {
  double rate, least;
};
class SlowLink : public testing::TestWithParam<Slow> {};
INSTANTIATE_TEST_SUITE_P(Rates, SlowLink, testing::Values(Slow{24000, 0.90}, Slow{16000, 0.88}, Slow{12000, 0.80}),
                         [](const auto& each) { return std::to_string(static_cast<int>(each.param.rate)); });

TEST_P(SlowLink, CarriesSpeechOnceTheRateHasFollowed) {
  const Network network{.delay_ms = 20, .rate = GetParam().rate};
  Call call(long_speech(26), network, agreed());
  call.run(10);
  const auto before = call.alice->session.stats(at_ms(call.now_ms));
  call.run(16);
  const auto after = call.alice->session.stats(at_ms(call.now_ms));
  EXPECT_GE(call.heard_from(10).stoi.value_or(0), GetParam().least);
  EXPECT_GE(after.frame_ms, 40);
  EXPECT_LT(after.bitrate, 20000);
  ASSERT_TRUE(after.ceiling);
  EXPECT_LE(*after.ceiling, GetParam().rate * 1.15);
  const double rtcp = static_cast<double>(after.rtcp_octets_sent - before.rtcp_octets_sent) * 8 / 16;
  EXPECT_LE(rtcp, GetParam().rate > 12000 ? 800 : 500) << "bit/s";
}

TEST(HardLinks, ASlowLinkIsHopelessWithoutAdaptation) {
  auto config = agreed();
  config.adapt = false;
  config.auxiliary.red.reset();
  EXPECT_LT(stoi_with({.delay_ms = 20, .rate = 12000}, config, 20, 10), 0.6);
}

TEST(HardLinks, TheRateComesBackWhenTheLinkDoes) {
  Call call(long_speech(9), {.delay_ms = 20, .rate = 16000}, agreed());
  call.run(15);
  EXPECT_LT(call.alice->session.stats(at_ms(call.now_ms)).bitrate, 16000);
  call.network.rate = 0;
  call.run(120);
  EXPECT_GE(call.alice->session.stats(at_ms(call.now_ms)).bitrate, 20000);
}

TEST(HardLinks, WhatThePeerHearsIsToldInVoipMetrics) {
  Call call(long_speech(15), {.loss = 0.1}, agreed());
  call.run(15);
  const auto metrics = call.alice->session.stats(at_ms(call.now_ms)).remote_metrics;
  ASSERT_TRUE(metrics);
  EXPECT_NEAR(metrics->loss_rate / 256.0, 0.1, 0.05);
  EXPECT_LE(metrics->mos_cq, 45);
}

// Security check 28, as far as the session owns it.
TEST(HardLinks, PacketsOfAnotherSourceAreNeitherPlayedNorAnswered) {
  SeededRng rng(5);
  const auto [ka, kb] = key_pair(rng);
  const auto [stranger_keys, unused] = key_pair(rng);
  SessionConfig config;
  config.security = kb;
  config.remote_ssrc = 0xa;
  Session bob(config, rng);
  config.security = stranger_keys;
  config.remote_ssrc.reset();
  for (const std::uint32_t ssrc : {0xaU, 0xbU}) {
    config.ssrc = ssrc;
    Session stranger(config, rng);
    std::vector<std::int16_t> loud(960, 9000), out(960);
    for (int i = 0; i < 50; ++i) {
      stranger.capture(at_ms(20 * i), loud);
      if (stranger.next_timeout() <= at_ms(20 * i)) stranger.handle_timeout(at_ms(20 * i));
      while (auto packet = stranger.poll_packet()) EXPECT_FALSE(bob.handle_packet(at_ms(20 * i), *packet));
      EXPECT_FALSE(bob.poll_packet()) << "nothing answers";
      bob.play(at_ms(20 * i), out);
      EXPECT_EQ(out, std::vector<std::int16_t>(960)) << "nothing is heard";
    }
  }
  EXPECT_EQ(bob.stats(at_ms(1000)).packets_received, 0U);
}

}  // namespace
}  // namespace linnet::media
