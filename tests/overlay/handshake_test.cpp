#include <gtest/gtest.h>

#include "link.h"
#include "overlay/handshake_packet.h"

namespace linnet::overlay {
namespace {

using namespace link_test;

Bytes text_bytes(std::string_view text) { return copy(view(text)); }

std::vector<int> types(const TestLink& link) {
  std::vector<int> out;
  for (const auto& wire : link.log) out.push_back(wire.bytes[0]);
  return out;
}

class EverySuite : public testing::TestWithParam<const crypto::Suite*> {};
INSTANTIATE_TEST_SUITE_P(Suites, EverySuite, testing::Values(&crypto::shipped_suite(), &crypto::typed_suite()),
                         [](const auto& suite) { return suite.index == 0 ? "Shipped" : "Typed"; });

TEST_P(EverySuite, XkTakesThreeMessagesAndAChallenge) {
  TestLink link;
  link.keep_log = true;
  const auto a = link.add(TestLink::network("linnet"), *GetParam());
  const auto b = link.add(TestLink::network("linnet"), *GetParam());
  link.node(b).sessions.set_greeting(text_bytes("I am b"));
  const auto id = link.connect(a, b, text_bytes("I am a"));
  link.run(200ms);

  // 4 ->, <- 5, 6 ->, <- challenge, response ->
  EXPECT_EQ(types(link), (std::vector<int>{4, 5, 6, 8, 8}));
  for (const auto& wire : link.log) EXPECT_LE(wire.bytes.size(), kMaxInner);
  ASSERT_EQ(link.node(a).ups.size(), 1U);
  ASSERT_EQ(link.node(b).ups.size(), 1U);
  const auto& at_a = link.node(a).ups[0];
  const auto& at_b = link.node(b).ups[0];
  EXPECT_EQ(at_a.session, id);
  EXPECT_TRUE(at_a.initiator);
  EXPECT_FALSE(at_b.initiator);
  EXPECT_EQ(at_a.remote, link.node(b).identity.session_key());
  EXPECT_EQ(at_b.remote, link.node(a).identity.session_key());
  EXPECT_EQ(at_a.hello, text_bytes("I am b"));
  EXPECT_EQ(at_b.hello, text_bytes("I am a"));
  EXPECT_EQ(at_a.path, link.direct(b));
  EXPECT_EQ(link.node(a).sessions.rtt(id), Duration(20ms));
  EXPECT_EQ(link.node(b).sessions.rtt(at_b.session), Duration(20ms));
  EXPECT_EQ(link.node(b).sessions.session_on(link.direct(a)), at_b.session);
  EXPECT_EQ(link.node(a).sessions.session_on(link.direct(b)), id);
}

TEST_P(EverySuite, XxLearnsTheKeyOfABareAddress) {
  TestLink link;
  const auto a = link.add(TestLink::network("linnet"), *GetParam());
  const auto b = link.add(TestLink::network("linnet"), *GetParam());
  link.node(b).sessions.set_greeting(Bytes(max_greeting(Pattern::xx), 7));
  link.keep_log = true;
  ASSERT_TRUE(link.node(a).sessions.connect(link.now, {std::nullopt, {link.direct(b)}, Bytes(kMaxHello, 9), 10s}));
  link.drain();
  link.run(200ms);
  ASSERT_EQ(link.node(a).ups.size(), 1U);
  EXPECT_EQ(link.node(a).ups[0].remote, link.node(b).identity.session_key());
  EXPECT_EQ(link.node(a).ups[0].hello.size(), max_greeting(Pattern::xx));
  ASSERT_EQ(link.node(b).ups.size(), 1U);
  EXPECT_EQ(link.node(b).ups[0].hello, Bytes(kMaxHello, 9));
  ASSERT_GE(link.log.size(), 3U);
  EXPECT_EQ(link.log[0].bytes.size(), kMessage1Bytes);
  EXPECT_EQ(link.log[1].bytes.size(), kMessage1Bytes);  // the longest greeting makes it just as long
  EXPECT_EQ(link.log[2].bytes.size(), kMaxInner);
}

TEST_P(EverySuite, AClosedNetworkMixesItsSecretIn) {
  for (const bool known : {true, false}) {
    TestLink link;
    auto config = TestLink::network("acme");
    config.psk = crypto::Secret(ByteArray<32>{1, 2, 3});
    const auto a = link.add(config, *GetParam());
    const auto b = link.add(config, *GetParam());
    ConnectTo to;
    if (known) to.remote = link.node(b).identity.session_key();
    to.paths = {link.direct(b)};
    link.keep_log = true;
    ASSERT_TRUE(link.node(a).sessions.connect(link.now, to));
    link.drain();
    link.run(200ms);
    EXPECT_EQ(link.node(a).ups.size(), 1U);
    EXPECT_EQ(link.node(b).ups.size(), 1U);
    EXPECT_EQ(link.log[0].bytes[1], known ? 2 : 3);
    EXPECT_EQ(link.log[0].bytes.size(), kMessage1Bytes);
  }
}

// security.md, check 13.
void expect_no_session(const SessionsConfig& config_a, const SessionsConfig& config_b) {
  for (const bool known : {true, false}) {
    TestLink link;
    const auto a = link.add(config_a);
    const auto b = link.add(config_b);
    ConnectTo to;
    if (known) to.remote = link.node(b).identity.session_key();
    to.paths = {link.direct(b)};
    ASSERT_TRUE(link.node(a).sessions.connect(link.now, to));
    link.drain();
    link.run(15s);
    EXPECT_TRUE(link.node(a).ups.empty());
    EXPECT_TRUE(link.node(b).ups.empty());
    ASSERT_EQ(link.node(a).downs.size(), 1U);
    EXPECT_EQ(link.node(a).downs[0].reason, DownReason::timed_out);
  }
}

TEST(Handshake, FailsBetweenDifferentNetworks) {
  expect_no_session(TestLink::network("linnet"), TestLink::network("other"));
}

TEST(Handshake, FailsBetweenDifferentVersions) {
  auto config = TestLink::network("linnet");
  config.version = kProtocolVersion - 1;
  expect_no_session(config, TestLink::network("linnet"));
  expect_no_session(TestLink::network("linnet"), config);
}

TEST(Handshake, FailsWhenTheSecretIsStrippedOrWrong) {
  auto config = TestLink::network("linnet");
  config.psk = crypto::Secret(ByteArray<32>{1});
  auto other = config;
  other.psk = crypto::Secret(ByteArray<32>{2});
  expect_no_session(TestLink::network("linnet"), config);
  expect_no_session(config, TestLink::network("linnet"));
  expect_no_session(config, other);
}

TEST(Handshake, ReachesOnlyTheHolderOfTheKey) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  const auto c = link.add();
  // a asks for c's key at b's address.
  ASSERT_TRUE(link.node(a).sessions.connect(link.now, {link.node(c).identity.session_key(), {link.direct(b)}, {}, 5s}));
  link.drain();
  link.run(10s);
  EXPECT_TRUE(link.node(a).ups.empty());
  EXPECT_TRUE(link.node(b).ups.empty());
  EXPECT_GT(link.node(b).sessions.counters().bad_mac, 0U);
}

TEST(Handshake, DoesNotTalkToItself) {
  TestLink link;
  const auto a = link.add();
  EXPECT_FALSE(
      link.node(a).sessions.connect(link.now, {link.node(a).identity.session_key(), {link.direct(a)}, {}, 5s}));
  ASSERT_TRUE(link.node(a).sessions.connect(link.now, {std::nullopt, {link.direct(a)}, {}, 5s}));
  link.drain();
  link.run(1s);
  EXPECT_TRUE(link.node(a).ups.empty());
  ASSERT_EQ(link.node(a).downs.size(), 1U);
  EXPECT_EQ(link.node(a).downs[0].reason, DownReason::refused);
}

TEST(Handshake, RefusesAHelloThatIsTooLong) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  const auto id = link.node(a).sessions.connect(
      link.now, {link.node(b).identity.session_key(), {link.direct(b)}, Bytes(kMaxHello + 1), 5s});
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error(), Fault::too_big);
}

TEST(Handshake, SurvivesTheLossOfAnySinglePacket) {
  for (int lost = 0; lost < 5; ++lost) {
    TestLink link;
    const auto a = link.add();
    const auto b = link.add();
    int n = 0;
    link.tap = [&](Wire&) { return n++ == lost; };
    const auto id = link.connect(a, b);
    ASSERT_TRUE(link.run_until([&] { return link.node(a).ups.size() == 1 && link.node(b).ups.size() == 1; }, 3s))
        << lost;
    link.say(a, id, Channel::control, text_bytes("hello"));
    ASSERT_TRUE(link.run_until([&] { return link.node(b).messages.size() == 1; }, 3s)) << lost;
    link.run(5s);
    EXPECT_EQ(link.node(b).proven.size(), 1U) << lost;
    EXPECT_EQ(link.node(b).ups.size(), 1U) << lost;
    EXPECT_TRUE(link.node(a).downs.empty() && link.node(b).downs.empty());
  }
}

TEST(Handshake, SucceedsAtThirtyPercentLoss) {
  int up = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    TestLink link(seed);
    link.loss = 0.3;
    link.twice = 0.1;
    link.jitter = 20ms;
    const auto a = link.add();
    const auto b = link.add();
    link.connect(a, b);
    up += link.run_until([&] { return link.node(b).proven.size() == 1; }, 10s) ? 1 : 0;
    EXPECT_LE(link.node(b).ups.size(), 1U);
  }
  EXPECT_GE(up, 48);
}

TEST(Handshake, GivesUpWhenNobodyAnswers) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  link.loss = 1;
  const auto id = link.connect(a, b);
  link.run(9s);
  EXPECT_TRUE(link.node(a).downs.empty());
  link.run(2s);
  ASSERT_EQ(link.node(a).downs.size(), 1U);
  EXPECT_EQ(link.node(a).downs[0].session, id);
  EXPECT_EQ(link.node(a).downs[0].reason, DownReason::timed_out);
  EXPECT_EQ(link.node(a).sessions.next_timeout(), kNever);
}

TEST(Handshake, TriesPathsSideBySideAndTakesTheFirstThatAnswers) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  const auto dead = Path{PathKind::direct, Endpoint{IpAddress::v4(203, 0, 113, 99), 1, Transport::udp}, 0, false};
  const auto circuit = link.join(a, b, PathKind::forward, 5);
  link.connect(a, b, {dead, circuit});
  EXPECT_EQ(link.bytes_out.count({a, circuit}), 0U);  // the first has a head start
  ASSERT_TRUE(link.run_until([&] { return link.node(a).ups.size() == 1; }, 200ms));
  EXPECT_EQ(link.node(a).ups[0].path, circuit);
  link.run(1s);
  ASSERT_EQ(link.node(b).ups.size(), 1U);
  EXPECT_EQ(link.node(b).proven.size(), 1U);
}

TEST(Handshake, OfTwoPathsThatAnswerMakesOneSession) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  link.delay = 200ms;
  const auto circuit = link.join(a, b, PathKind::forward, 5);
  link.connect(a, b, {link.direct(b), circuit});
  link.run(5s);
  EXPECT_EQ(link.node(a).ups.size(), 1U);
  EXPECT_EQ(link.node(b).ups.size(), 1U);
  EXPECT_EQ(link.node(a).sessions.size(), 1U);
  EXPECT_EQ(link.node(b).sessions.size(), 1U);
}

TEST(Handshake, BothWaysAtOnceMakesTwoSessions) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  link.connect(a, b);
  link.connect(b, a);
  link.run(1s);
  EXPECT_EQ(link.node(a).sessions.size(), 2U);
  EXPECT_EQ(link.node(b).sessions.size(), 2U);
  link.node(a).sessions.close(link.now, link.node(a).ups[0].session);
  link.run(1s);
  EXPECT_EQ(link.node(b).sessions.size(), 1U);
  EXPECT_TRUE(link.node(b).sessions.session_on(link.direct(a)));
}

// security.md, check 9.
TEST(Handshake, IsStartedOnceByAThousandCopiesOfEachMessage) {
  TestLink link;
  link.keep_log = true;
  const auto a = link.add();
  const auto b = link.add();
  const auto id = link.connect(a, b);
  link.run(100ms);
  link.say(a, id, Channel::sip, text_bytes("INVITE"));
  link.run(100ms);
  const auto log = link.log;
  link.keep_log = false;
  for (const auto& wire : log) {
    for (int i = 0; i < 1000; ++i) link.inject(wire.to, wire.path, wire.bytes);
    link.run(10ms);
  }
  link.run(20s);
  for (const auto& wire : log) {  // late copies, when all state of the handshake is forgotten
    for (int i = 0; i < 100; ++i) link.inject(wire.to, wire.path, wire.bytes);
  }
  link.run(20s);
  EXPECT_EQ(link.node(b).ups.size(), 1U);
  EXPECT_EQ(link.node(a).ups.size(), 1U);
  EXPECT_EQ(link.node(b).messages.size(), 1U);
  EXPECT_EQ(link.node(b).sessions.size(), 1U);
  EXPECT_TRUE(link.node(b).downs.empty());
}

// What goes on under the index says that the initiator is still there.
TEST(Handshake, StandsThoughMessage3IsLostFourTimesOnALongWay) {
  TestLink link;
  link.delay = 120ms;
  const auto a = link.add();
  const auto b = link.add();
  int lost = 0;
  link.tap = [&](Wire& wire) { return wire.bytes[0] == kMessage3 && lost++ < 4; };
  const auto id = link.connect(a, b);
  ASSERT_TRUE(link.run_until([&] { return !link.node(a).ups.empty(); }, 2s));
  link.say(a, id, Channel::sip, text_bytes("INVITE"));
  ASSERT_TRUE(link.run_until([&] { return !link.node(b).messages.empty(); }, 8s));
  EXPECT_GE(lost, 4);
  EXPECT_TRUE(link.node(a).downs.empty());
}

TEST(Handshake, FramesThatOvertakeMessage3AreHeldAndNoMoreThanTwo) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  Bytes late;
  link.tap = [&](Wire& wire) {
    const bool first = wire.bytes[0] == kMessage3 && late.empty();
    if (first) late = wire.bytes;
    return first;
  };
  const auto id = link.connect(a, b);
  ASSERT_TRUE(link.run_until([&] { return !late.empty(); }));
  for (std::uint8_t i = 0; i < 5; ++i) link.say(a, id, Channel::sip, Bytes(900, i));
  link.run(15ms);
  ASSERT_TRUE(link.node(b).ups.empty());
  link.inject(b, link.direct(a), late);
  ASSERT_EQ(link.node(b).ups.size(), 1U);
  EXPECT_EQ(link.node(b).messages.size(), 2U);  // at once; the others come again
  ASSERT_TRUE(link.run_until([&] { return link.node(b).messages.size() == 5; }));
  for (std::uint8_t i = 0; i < 5; ++i) EXPECT_EQ(link.node(b).messages[i].bytes, Bytes(900, i));
}

TEST(Handshake, IgnoresEveryTruncationAndBitFlip) {
  TestLink link;
  link.keep_log = true;
  const auto a = link.add();
  const auto b = link.add();
  link.connect(a, b, text_bytes("hello"));
  link.run(500ms);
  const auto log = link.log;
  // Each packet of the handshake is spoiled before the genuine one comes, in a fresh run with the same seed.
  for (std::size_t which = 0; which < 3; ++which) {
    TestLink again;
    const auto a2 = again.add();
    const auto b2 = again.add();
    std::size_t n = 0;
    bool inside = false;
    again.tap = [&](Wire& wire) {
      if (inside || n++ != which) return false;
      EXPECT_EQ(wire.bytes, log[which].bytes);
      inside = true;
      auto& target = again.node(wire.to).sessions;
      const auto ups = again.node(wire.to).ups.size();
      for (std::size_t cut = 0; cut < wire.bytes.size(); ++cut) {
        Bytes part(wire.bytes.begin(), wire.bytes.begin() + static_cast<std::ptrdiff_t>(cut));
        target.handle_packet(again.now, wire.path, part);
      }
      for (std::size_t bit = 0; bit < wire.bytes.size() * 8; ++bit) {
        auto spoiled = wire.bytes;
        spoiled[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        // mac2 is only looked at under load: spoiling it is no forgery.
        if (bit / 8 >= wire.bytes.size() - 16) continue;
        target.handle_packet(again.now, wire.path, spoiled);
      }
      EXPECT_EQ(again.node(wire.to).ups.size(), ups);
      inside = false;
      return false;
    };
    again.connect(a2, b2, text_bytes("hello"));
    again.run(2s);
    EXPECT_EQ(again.node(a2).ups.size(), 1U) << which;
    EXPECT_EQ(again.node(b2).ups.size(), 1U) << which;
  }
}

}  // namespace
}  // namespace linnet::overlay
