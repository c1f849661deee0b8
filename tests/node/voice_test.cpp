#include "node/voice.h"

#include <gtest/gtest.h>

#include <functional>

#include "town.h"

namespace linnet::node {
namespace {

struct Pair {
  SeededRng rng{5};
  NodeConfig alice_config, bob_config;
  std::optional<Voice> alice, bob;
  Time now{std::chrono::seconds(5)};

  void agree() {
    const auto offer = describe(alice_config, rng);
    const auto received = sip::read_audio(sip::to_sdp(offer));
    ASSERT_TRUE(received);
    std::string answer;
    auto at_bob = Voice::from_offer(bob_config, rng, *received, answer);
    ASSERT_TRUE(at_bob) << to_string(at_bob.error());
    bob = std::move(*at_bob);
    auto at_alice = Voice::from_answer(alice_config, rng, offer, answer);
    ASSERT_TRUE(at_alice) << to_string(at_alice.error());
    alice = std::move(*at_alice);
  }

  std::vector<std::int16_t> speak(Voice& from, Voice& to, double hz) {
    const auto says = tone(hz, std::chrono::seconds(1));
    std::vector<std::int16_t> heard;
    for (std::size_t at = 0; at + 480 <= says.size(); at += 480) {
      from.capture(now, std::span(says).subspan(at, 480));
      while (auto packet = from.poll_packet()) to.receive(now, *packet);
      std::vector<std::int16_t> out(480);
      const auto begin = to.play(now, out);
      heard.insert(heard.end(), out.begin() + static_cast<std::ptrdiff_t>(begin), out.end());
      now += std::chrono::milliseconds(10);
    }
    return heard;
  }

  void hold(Voice& by, Voice& other, bool on) {
    const auto offer = by.offer_hold(on);
    const auto answer = other.on_offer(bob_config, rng, offer);
    ASSERT_TRUE(answer) << to_string(answer.error());
    ASSERT_TRUE(by.on_answer(*answer));
  }
};

TEST(Voice, IsHeardWhenOfferAndAnswerMet) {
  Pair pair;
  pair.agree();
  EXPECT_EQ(pair.alice->stats(pair.now).codec, "opus");
  EXPECT_GT(share_of(700, pair.speak(*pair.alice, *pair.bob, 700)), 0.8);
  EXPECT_GT(share_of(500, pair.speak(*pair.bob, *pair.alice, 500)), 0.8);
}

TEST(Voice, SpeaksTheCodecThatTheCallerWantsFirst) {
  Pair pair;
  pair.alice_config.codec = CodecChoice::pcma;
  pair.agree();
  EXPECT_EQ(pair.alice->stats(pair.now).codec, "PCMA");
  EXPECT_EQ(pair.bob->stats(pair.now).codec, "PCMA");
  EXPECT_GT(share_of(700, pair.speak(*pair.alice, *pair.bob, 700)), 0.8);
}

// Where it is direct; a supernode's circuit has no room for 800 kbit/s (sdp_glue).
TEST(Voice, SendsEverySampleInFramesOfTenMillisecondsWhenBothWantThatAndItIsDirect) {
  Pair pair;
  pair.alice_config.codec = pair.bob_config.codec = CodecChoice::l16;
  pair.agree();
  for (auto* end : {&*pair.alice, &*pair.bob}) end->set_direct(true);
  EXPECT_GT(share_of(700, pair.speak(*pair.alice, *pair.bob, 700)), 0.8);
  EXPECT_GT(share_of(500, pair.speak(*pair.bob, *pair.alice, 500)), 0.8);
  EXPECT_EQ(pair.alice->stats(pair.now).codec, "L16");
  EXPECT_EQ(pair.bob->stats(pair.now).codec, "L16");
  const auto stats = pair.bob->stats(pair.now);
  EXPECT_EQ(stats.heard_frame_ms, 10);
  EXPECT_EQ(stats.packets_received, 100U);
}

TEST(Voice, GoesByAnotherCodecWhereEverySampleWouldHaveToGoThroughASupernode) {
  Pair pair;
  pair.alice_config.codec = pair.bob_config.codec = CodecChoice::l16;
  pair.agree();
  for (auto* end : {&*pair.alice, &*pair.bob}) end->set_direct(false);
  EXPECT_GT(share_of(700, pair.speak(*pair.alice, *pair.bob, 700)), 0.8);
  EXPECT_EQ(pair.alice->stats(pair.now).codec, "opus");
}

TEST(Voice, CannotBeOpenedWithTheKeysOfAnotherCall) {
  Pair one, other;
  other.rng = SeededRng(6);
  one.agree();
  other.agree();
  EXPECT_TRUE(one.speak(*one.alice, *other.bob, 700).empty());
  EXPECT_EQ(other.bob->stats(one.now).packets_received, 0U);
}

TEST(Voice, StopsBothWaysOnHoldAndComesBack) {
  Pair pair;
  pair.agree();
  pair.speak(*pair.alice, *pair.bob, 700);
  pair.hold(*pair.alice, *pair.bob, true);
  EXPECT_TRUE(pair.alice->on_hold());
  EXPECT_TRUE(pair.bob->held_by_peer());
  EXPECT_FALSE(pair.alice->held_by_peer());
  const auto sent = pair.alice->stats(pair.now).packets_sent + pair.bob->stats(pair.now).packets_sent;
  pair.speak(*pair.alice, *pair.bob, 700);
  pair.speak(*pair.bob, *pair.alice, 500);
  EXPECT_EQ(pair.alice->stats(pair.now).packets_sent + pair.bob->stats(pair.now).packets_sent, sent);
  pair.hold(*pair.alice, *pair.bob, false);
  EXPECT_FALSE(pair.bob->held_by_peer());
  EXPECT_GT(share_of(700, pair.speak(*pair.alice, *pair.bob, 700)), 0.5);
}

TEST(Voice, StaysHeldWhileEitherSideHolds) {
  Pair pair;
  pair.agree();
  pair.hold(*pair.alice, *pair.bob, true);
  pair.hold(*pair.bob, *pair.alice, true);
  pair.hold(*pair.alice, *pair.bob, false);
  const auto sent = pair.alice->stats(pair.now).packets_sent;
  pair.speak(*pair.alice, *pair.bob, 700);
  EXPECT_EQ(pair.alice->stats(pair.now).packets_sent, sent);
  EXPECT_TRUE(pair.alice->held_by_peer());
  EXPECT_TRUE(pair.bob->on_hold());
  pair.hold(*pair.bob, *pair.alice, false);
  EXPECT_GT(share_of(700, pair.speak(*pair.alice, *pair.bob, 700)), 0.5);
  EXPECT_GT(share_of(500, pair.speak(*pair.bob, *pair.alice, 500)), 0.5);
}

TEST(Voice, GoesBackToWhatWasWhenHoldIsRefused) {
  Pair pair;
  pair.agree();
  (void)pair.alice->offer_hold(true);
  EXPECT_TRUE(pair.alice->offering());
  pair.alice->on_refusal();
  EXPECT_FALSE(pair.alice->offering());
  EXPECT_FALSE(pair.alice->on_hold());
  EXPECT_GT(share_of(700, pair.speak(*pair.alice, *pair.bob, 700)), 0.8);
}

TEST(Voice, GoesBackToWhatWasWhenHoldIsRefusedAfterAnOfferOfThePeer) {
  Pair pair;
  pair.agree();
  (void)pair.alice->offer_hold(true);  // met an offer of Bob's, which goes first ...
  pair.hold(*pair.bob, *pair.alice, true);
  pair.hold(*pair.bob, *pair.alice, false);
  pair.alice->on_refusal();  // ... and then is refused
  EXPECT_FALSE(pair.alice->on_hold());
  EXPECT_GT(share_of(700, pair.speak(*pair.alice, *pair.bob, 700)), 0.8);
  EXPECT_GT(share_of(500, pair.speak(*pair.bob, *pair.alice, 500)), 0.8);
}

// Bob's offer in the middle of a call, changed as a phone would; Alice's answer to it.
std::string reoffer(Pair& pair, const std::function<void(sip::AudioOffer&)>& change) {
  auto offer = *sip::read_audio(pair.bob->offer_hold(false));
  change(offer);
  const auto answer = pair.alice->on_offer(pair.alice_config, pair.rng, sip::to_sdp(offer));
  EXPECT_TRUE(answer) << to_string(answer.error());
  return answer.value_or("");
}

TEST(Voice, StaysAsItIsWhenThePeerOnlyAsksForAnOffer) {
  Pair pair;
  pair.agree();
  const auto ask = [&] {
    const auto answer = pair.bob->on_offer(pair.bob_config, pair.rng, pair.alice->restate());
    ASSERT_TRUE(answer) << to_string(answer.error());
    ASSERT_TRUE(pair.alice->on_answer(*answer));
  };
  ask();
  EXPECT_GT(share_of(700, pair.speak(*pair.alice, *pair.bob, 700)), 0.8);
  EXPECT_GT(share_of(500, pair.speak(*pair.bob, *pair.alice, 500)), 0.8);
  pair.hold(*pair.alice, *pair.bob, true);
  ask();
  EXPECT_TRUE(pair.alice->on_hold());
  EXPECT_TRUE(pair.bob->held_by_peer());
}

TEST(Voice, SpeaksTheCodecThatALaterOfferLeaves) {
  Pair pair;
  pair.agree();
  pair.speak(*pair.alice, *pair.bob, 700);
  const auto answer =
      reoffer(pair, [](auto& offer) { std::erase_if(offer.codecs, [](const auto& c) { return c.name != "PCMU"; }); });
  EXPECT_EQ(pair.alice->stats(pair.now).codec, "PCMU");
  ASSERT_TRUE(pair.bob->on_answer(answer));
  EXPECT_EQ(pair.bob->stats(pair.now).codec, "PCMU");
  EXPECT_GT(share_of(700, pair.speak(*pair.alice, *pair.bob, 700)), 0.8);
  EXPECT_GT(share_of(500, pair.speak(*pair.bob, *pair.alice, 500)), 0.8);
}

TEST(Voice, SendsUnderThePayloadTypeThatALaterOfferGives) {
  Pair pair;
  pair.agree();
  (void)reoffer(pair, [](auto& offer) {
    offer.codecs.front().payload_type = 96;
    std::erase_if(offer.codecs, [](const auto& c) { return c.name == "red"; });  // copies have a type of their own
  });
  pair.alice->capture(pair.now, std::vector<std::int16_t>(960));
  const auto packet = pair.alice->poll_packet();
  ASSERT_TRUE(packet);
  EXPECT_EQ((*packet)[1] & 0x7f, 96);  // the header is not encrypted
}

TEST(Voice, RefusesAnAnswerInTheClear) {
  Pair pair;
  const auto offer = describe(pair.alice_config, pair.rng);
  std::string answer;
  ASSERT_TRUE(Voice::from_offer(pair.bob_config, pair.rng, offer, answer));
  const auto at = answer.find("RTP/SAVP");
  ASSERT_NE(at, std::string::npos);
  answer.replace(at, 8, "RTP/AVP");
  EXPECT_FALSE(Voice::from_answer(pair.alice_config, pair.rng, offer, answer));
}

}  // namespace
}  // namespace linnet::node
