// Audio levels in RTP headers: who offers them, who answers, what they cost who does neither.
#include <gtest/gtest.h>

#include "media/rtp.h"
#include "node/voice.h"

namespace linnet::node {
namespace {

constexpr std::string_view kLevelUri = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const std::vector<std::int16_t> kSpoken(960, 3277);  // -20 dBov

struct LevelCall {
  SeededRng rng{5};
  NodeConfig config;
  Time now{std::chrono::seconds(5)};
  std::string offer_sdp, answer;
  std::optional<Voice> caller, called;

  explicit LevelCall(sip::AudioOffer offer) {
    offer_sdp = sip::to_sdp(offer);
    auto there = Voice::from_offer(config, rng, *sip::read_audio(offer_sdp), answer);
    auto here = Voice::from_answer(config, rng, offer, answer);
    EXPECT_TRUE(there && here);
    called = std::move(*there);
    caller = std::move(*here);
  }
  static LevelCall with(Levels levels) {
    SeededRng rng(4);
    return LevelCall(describe({}, rng, levels));
  }
  Bytes packet(Voice& from) {
    from.capture(now += std::chrono::milliseconds(20), kSpoken);
    return *from.poll_packet();
  }
};

std::string level_in(ByteView packet, std::uint8_t id) {
  const auto read = media::parse_rtp(packet);
  if (!read || !read->extension_profile) return "no extension";
  const auto data = media::parse_elements(*read->extension_profile, read->extension)->find(id);
  return data ? to_hex(*data) : "none";
}

TEST(Levels, ACallOfTwoDoesNotPayForThem) {
  auto call = LevelCall::with(Levels::answered);
  EXPECT_EQ(call.offer_sdp.find("extmap"), std::string::npos);
  EXPECT_EQ(call.answer.find("extmap"), std::string::npos);
  const auto packet = call.packet(*call.caller);
  EXPECT_EQ(level_in(packet, 1), "no extension");
  auto wanted = LevelCall::with(Levels::wanted);
  EXPECT_EQ(wanted.packet(*wanted.caller).size(), packet.size() + 8);
}

TEST(Levels, WhoWantsThemIsAnsweredAndBothSendThem) {
  auto call = LevelCall::with(Levels::wanted);
  EXPECT_NE(call.offer_sdp.find("a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on\r\n"),
            std::string::npos);
  EXPECT_NE(call.offer_sdp.find("a=extmap:2 urn:ietf:params:rtp-hdrext:csrc-audio-level\r\n"), std::string::npos);
  EXPECT_NE(call.answer.find("a=extmap:1 "), std::string::npos);
  EXPECT_EQ(level_in(call.packet(*call.caller), 1), "94");
  EXPECT_EQ(level_in(call.packet(*call.called), 1), "94");
}

TEST(Levels, TheOfferersIdentifiersAreUsed) {
  SeededRng rng(4);
  auto offer = describe({}, rng, Levels::wanted);
  offer.extensions = {{9, std::string(kLevelUri), sip::Direction::sendrecv, "vad=off"},
                      {10, "urn:example:unknown", sip::Direction::sendrecv, ""}};
  LevelCall call(offer);
  EXPECT_NE(call.answer.find("a=extmap:9 urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=off\r\n"), std::string::npos);
  EXPECT_EQ(call.answer.find("unknown"), std::string::npos);
  EXPECT_EQ(level_in(call.packet(*call.called), 9), "14") << "without the flag";
}

TEST(Levels, WhoOnlySendsThemIsSentNone) {
  SeededRng rng(4);
  auto offer = describe({}, rng, Levels::wanted);
  for (auto& e : offer.extensions) e.direction = sip::Direction::sendonly;
  LevelCall call(offer);
  EXPECT_EQ(level_in(call.packet(*call.caller), 1), "94");
  EXPECT_EQ(level_in(call.packet(*call.called), 1), "no extension");
}

TEST(Levels, HoldAndResumeKeepThem) {
  auto call = LevelCall::with(Levels::wanted);
  for (const bool on : {true, false}) {
    const auto sdp = call.caller->offer_hold(on);
    const auto answered = call.called->on_offer(call.config, call.rng, sdp);
    ASSERT_TRUE(answered);
    ASSERT_TRUE(call.caller->on_answer(*answered));
  }
  EXPECT_EQ(level_in(call.packet(*call.caller), 1), "94");
  EXPECT_EQ(level_in(call.packet(*call.called), 1), "94");
}

// A call of two that becomes a conference, and back: a re-INVITE names them, another does not.
TEST(Levels, ALaterOfferBringsThemAndTakesThemAway) {
  auto call = LevelCall::with(Levels::answered);
  SeededRng rng(4);
  auto offer = *sip::read_audio(call.offer_sdp);
  offer.extensions = describe({}, rng, Levels::wanted).extensions;
  for (const auto* expected : {"94", "no extension", "94"}) {
    ++offer.version;
    if (std::string_view(expected) != "94") offer.extensions.clear();
    const auto answered = call.called->on_offer(call.config, call.rng, sip::to_sdp(offer));
    ASSERT_TRUE(answered);
    EXPECT_EQ(answered->find("extmap") != std::string::npos, !offer.extensions.empty());
    EXPECT_EQ(level_in(call.packet(*call.called), 1), expected);
    offer.extensions = describe({}, rng, Levels::wanted).extensions;
  }
}

}  // namespace
}  // namespace linnet::node
