#include "crypto/noise.h"

#include <gtest/gtest.h>

#include "each_suite.h"
#include "noise_fixture.h"
#include "test_data.h"

namespace linnet::crypto::noise {
namespace {

class Noise : public EachSuite {
 protected:
  std::optional<Secret> psk(const Spoken& s) const { return s.psk ? std::optional(secret(9)) : std::nullopt; }
  std::optional<SessionKey> known(const Spoken& s) const {
    return s.responder_known ? std::optional(bob_.pair.public_key) : std::nullopt;
  }
  Handshake initiator(const Spoken& s) const { return alice_.start(s.pattern, Role::initiator, known(s), psk(s)); }
  Handshake responder(const Spoken& s) const { return bob_.start(s.pattern, Role::responder, std::nullopt, psk(s)); }

  Party alice_{suite(), rng_};
  Party bob_{suite(), rng_};
};

LINNET_EACH_SUITE(Noise);

TEST_P(Noise, EndsWithEqualKeysAndHashInEveryPatternWeSpeak) {
  for (const auto& spoken : kSpoken) {
    SCOPED_TRACE(spoken.pattern);
    auto a = initiator(spoken);
    auto b = responder(spoken);
    while (!a.finished()) {
      auto& sender = a.my_turn() ? a : b;
      auto& receiver = a.my_turn() ? b : a;
      const auto read = receiver.read(must_write(sender, "hello"));
      ASSERT_TRUE(read);
      EXPECT_EQ(text(*read), "hello");
    }
    ASSERT_TRUE(b.finished());
    EXPECT_EQ(a.handshake_hash(), b.handshake_hash());
    EXPECT_EQ(a.split().send.key.bytes(), b.split().receive.key.bytes());
    EXPECT_EQ(a.split().receive.key.bytes(), b.split().send.key.bytes());
    EXPECT_NE(a.split().send.key.bytes(), a.split().receive.key.bytes());
    EXPECT_EQ(a.remote_static(), bob_.pair.public_key);
  }
}

TEST_P(Noise, TheResponderOfXkLearnsTheInitiatorInMessageThreeAndNotBefore) {
  auto a = initiator(kSpoken[0]);
  auto b = responder(kSpoken[0]);
  ASSERT_TRUE(b.read(must_write(a, "")));
  ASSERT_TRUE(a.read(must_write(b, "")));
  EXPECT_FALSE(b.remote_static());
  ASSERT_TRUE(b.read(must_write(a, "record")));
  EXPECT_EQ(b.remote_static(), alice_.pair.public_key);
}

TEST_P(Noise, RefusesEveryTruncationAndEveryBitFlipOfEveryMessageAndStaysAlive) {
  for (const auto& spoken : kSpoken) {
    SCOPED_TRACE(spoken.pattern);
    auto a = initiator(spoken);
    auto b = responder(spoken);
    while (!a.finished()) {
      auto& sender = a.my_turn() ? a : b;
      auto& receiver = a.my_turn() ? b : a;
      const auto message = must_write(sender, "payload");
      const bool sealed = message.size() > 32 + 7;  // the first message of XX is in the clear
      for (std::size_t n = 0; n < message.size() && sealed; ++n) {
        ASSERT_FALSE(receiver.read(ByteView(message).first(n))) << "truncated to " << n;
      }
      for (std::size_t bit = 0; bit < message.size() * 8 && sealed; ++bit) {
        auto bad = message;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        ASSERT_FALSE(receiver.read(bad)) << "bit " << bit;
      }
      ASSERT_TRUE(receiver.read(message)) << "the genuine message still counts";
    }
    EXPECT_TRUE(b.finished());
  }
}

TEST_P(Noise, ATamperedFirstMessageOfXxMakesTheSecondUnreadable) {
  const auto clean = [&] {
    auto a = initiator(kSpoken[1]);
    return must_write(a, "hi");
  }();
  for (std::size_t bit = 0; bit < clean.size() * 8; ++bit) {
    auto a = initiator(kSpoken[1]);
    auto b = responder(kSpoken[1]);
    auto message = must_write(a, "hi");
    message[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    if (!b.read(message)) continue;
    ASSERT_FALSE(a.read(must_write(b, ""))) << bit;
  }
}

TEST_P(Noise, RefusesAMessageTwice) {
  auto a = initiator(kSpoken[0]);
  auto b = responder(kSpoken[0]);
  const auto first = must_write(a, "");
  ASSERT_TRUE(b.read(first));
  EXPECT_EQ(b.read(first).error(), Fault::refused);
  const auto second = must_write(b, "");
  ASSERT_TRUE(a.read(second));
  const auto third = must_write(a, "");
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(a.read(second));
  ASSERT_TRUE(b.read(third));
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(b.read(third));
}

TEST_P(Noise, RefusesWritingOutOfTurnAndLeavesTheOutputAlone) {
  auto b = responder(kSpoken[0]);
  Bytes out = {1, 2, 3};
  EXPECT_EQ(b.write({}, out).error(), Fault::refused);
  EXPECT_EQ(out.size(), 3U);
}

TEST_P(Noise, RefusesAnotherPrologueAnotherPskAndAnotherPattern) {
  const auto first_read = [&](Handshake a, Handshake b) { return b.read(must_write(a, "")).has_value(); };
  const auto to = bob_.pair.public_key;
  EXPECT_TRUE(first_read(alice_.start("XK", Role::initiator, to), bob_.start("XK", Role::responder)));
  EXPECT_FALSE(first_read(alice_.start("XK", Role::initiator, to),
                          bob_.start("XK", Role::responder, std::nullopt, std::nullopt, "linnet-2")));
  EXPECT_FALSE(first_read(alice_.start("NK", Role::initiator, to), bob_.start("XK", Role::responder)));
  EXPECT_FALSE(
      first_read(alice_.start("XK", Role::initiator, alice_.pair.public_key), bob_.start("XK", Role::responder)));
  EXPECT_FALSE(first_read(alice_.start("NKpsk0", Role::initiator, to, secret(1)),
                          bob_.start("NKpsk0", Role::responder, std::nullopt, secret(2))));
  // Version, psk or network stripped: it fails, it never downgrades.
  EXPECT_FALSE(first_read(alice_.start("NK", Role::initiator, to),
                          bob_.start("NKpsk0", Role::responder, std::nullopt, secret(2))));
}

TEST_P(Noise, RefusesDegenerateKeys) {
  auto to_nobody = alice_.start("XK", Role::initiator, SessionKey{});
  Bytes out;
  EXPECT_EQ(to_nobody.write({}, out).error(), Fault::bad_key);
  EXPECT_TRUE(out.empty());

  auto b = responder(kSpoken[0]);
  const Bytes zero_ephemeral(32 + 16, 0);
  EXPECT_EQ(b.read(zero_ephemeral).error(), Fault::bad_key);
}

TEST_P(Noise, ASetupThatLacksAKeyFailsInsteadOfGuessing) {
  Bytes out;
  EXPECT_EQ(alice_.start("XK", Role::initiator).write({}, out).error(), Fault::bad_key);
  EXPECT_EQ(alice_.start("NKpsk0", Role::initiator, bob_.pair.public_key).write({}, out).error(), Fault::bad_key);
  EXPECT_EQ(alice_.start("QQ", Role::initiator).write({}, out).error(), Fault::unsupported);
  EXPECT_EQ(alice_.start("QQ", Role::responder).read({}).error(), Fault::unsupported);
}

TEST_P(Noise, RefusesAMessageOverTheLimit) {
  auto a = initiator(kSpoken[0]);
  Bytes out;
  EXPECT_EQ(a.write(Bytes(kMaxMessage - 47), out).error(), Fault::too_big);
  EXPECT_TRUE(a.write(Bytes(kMaxMessage - 48), out));
  EXPECT_EQ(out.size(), kMaxMessage);
  auto b = responder(kSpoken[0]);
  EXPECT_EQ(b.read(Bytes(kMaxMessage + 1)).error(), Fault::too_big);
}

TEST_P(Noise, BothSuitesWriteMessagesOfEqualLength) {
  for (const auto& spoken : kSpoken) {
    auto a = initiator(spoken);
    auto b = responder(spoken);
    std::size_t total = 0;
    std::size_t expected = 0;
    SeededRng rng(1);
    Party other_a(shipped_suite(), rng);
    Party other_b(shipped_suite(), rng);
    auto c = other_a.start(spoken.pattern, Role::initiator,
                           spoken.responder_known ? std::optional(other_b.pair.public_key) : std::nullopt, psk(spoken));
    auto d = other_b.start(spoken.pattern, Role::responder, std::nullopt, psk(spoken));
    while (!a.finished()) {
      const bool first = a.my_turn();
      const auto m = must_write(first ? a : b, "x");
      const auto n = must_write(first ? c : d, "x");
      total += m.size();
      expected += n.size();
      ASSERT_TRUE((first ? b : a).read(m));
      ASSERT_TRUE((first ? d : c).read(n));
    }
    EXPECT_EQ(total, expected) << spoken.pattern;
  }
}

TEST(NoisePattern, KnowsModifiersAndRefusesNonsense) {
  EXPECT_EQ(find_pattern("NKpsk0")->messages[0].tokens[0], Token::psk);
  EXPECT_EQ(find_pattern("XKpsk3")->messages[2].tokens[2], Token::psk);
  EXPECT_TRUE(find_pattern("XXpsk0+psk3"));
  for (const auto* bad : {"", "xx", "XXpsk", "XXpsk4", "XXpsk0+", "XXpsk0psk1", "psk0", "NKpsk0+psk9", "XXfallback"}) {
    EXPECT_FALSE(find_pattern(bad)) << bad;
  }
}

}  // namespace
}  // namespace linnet::crypto::noise
