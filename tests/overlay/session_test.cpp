#include <gtest/gtest.h>

#include "link.h"
#include "overlay/frame.h"
#include "overlay/handshake_packet.h"

namespace linnet::overlay {
namespace {

using namespace link_test;

struct SessionPair {
  explicit SessionPair(const crypto::Suite& suite = crypto::typed_suite(),
                       SessionsConfig config = TestLink::network("linnet")) {
    a = link.add(config, suite);
    b = link.add(config, suite);
    at_a = link.connect(a, b);
    EXPECT_TRUE(link.run_until([&] { return link.node(b).proven.size() == 1; }));
    at_b = link.node(b).ups[0].session;
    link.run(100ms);
  }
  LinkNode& na() { return link.node(a); }
  LinkNode& nb() { return link.node(b); }
  TestLink link;
  std::size_t a = 0;
  std::size_t b = 0;
  SessionId at_a{};
  SessionId at_b{};
};

// What asks for an answer and nothing else is answered at once: the answer need not wait for a packet to share.
TEST(Session, AnswersAKeepaliveWithoutWaiting) {
  SessionPair p;
  std::vector<Time> sent;
  p.link.tap = [&](Wire&) {
    sent.push_back(p.link.now);
    return false;
  };
  p.link.run(40s);
  ASSERT_GE(sent.size(), 2U);
  EXPECT_EQ(sent[1] - sent[0], p.link.delay);
}

// A session ends after eight silent seconds. Who wants an answer asks somebody else long before.
TEST(Session, WhoDoesNotAnswerIsSilentAfterARoundTripAndToldOfAfterTwoProbes) {
  SessionPair p;
  p.link.say(p.a, p.at_a, Channel::control, {1});
  p.link.run(1s);
  EXPECT_FALSE(p.na().sessions.silent(p.link.now, p.at_a));
  EXPECT_TRUE(p.na().unanswered.empty());
  p.link.tap = [&](Wire&) { return true; };
  p.link.say(p.a, p.at_a, Channel::control, {2});
  const auto asked = p.link.now;
  const auto within = p.na().sessions.answer_within(p.at_a);
  EXPECT_GE(within, 2 * p.link.delay);
  EXPECT_LE(within, 3 * p.link.delay + 10ms);
  p.link.run(within);
  EXPECT_FALSE(p.na().sessions.silent(asked + within, p.at_a)) << "an answer may come";
  EXPECT_TRUE(p.na().sessions.silent(asked + within + 1ms, p.at_a));
  p.link.run(2s);
  ASSERT_EQ(p.na().unanswered.size(), 1U) << "once";
  EXPECT_LE(p.na().unanswered[0] - asked, 1s);
  EXPECT_TRUE(p.na().downs.empty());
  p.link.tap = {};
  p.link.run(1s);
  EXPECT_FALSE(p.na().sessions.silent(p.link.now, p.at_a)) << "it is heard again";
}

TEST(Session, WhoWasNotHeardForAWhileIsAskedAtOnceWhetherItIsThere) {
  SessionPair p;
  std::size_t sent = 0;
  p.link.tap = [&](Wire&) {
    ++sent;
    return false;
  };
  p.link.run(500ms);
  p.na().sessions.ask_whether_there(p.link.now, p.at_a);
  p.link.drain();
  EXPECT_EQ(sent, 0U) << "it was heard just now";
  p.link.run(5s);
  p.na().sessions.ask_whether_there(p.link.now, p.at_a);
  p.na().sessions.ask_whether_there(p.link.now, p.at_a);
  p.link.drain();
  EXPECT_EQ(sent, 1U);
  p.link.run(1s);
  EXPECT_EQ(sent, 2U) << "and it is";
  EXPECT_GT(p.na().sessions.last_heard(p.at_a), p.link.now - 1s);
}

TEST(Session, TellsThePeerThatItCloses) {
  SessionPair p;
  p.na().sessions.close(p.link.now, p.at_a);
  p.link.drain();
  p.link.run(1s);
  ASSERT_EQ(p.na().downs.size(), 1U);
  ASSERT_EQ(p.nb().downs.size(), 1U);
  EXPECT_EQ(p.na().downs[0].reason, DownReason::closed);
  EXPECT_EQ(p.nb().downs[0].reason, DownReason::peer_closed);
  EXPECT_EQ(p.na().sessions.size() + p.nb().sessions.size(), 0U);
  p.link.run(3s);  // the responder remembers message 1 for so long
  EXPECT_EQ(p.na().sessions.next_timeout(), kNever);
  EXPECT_EQ(p.nb().sessions.next_timeout(), kNever);
  EXPECT_FALSE(p.na().sessions.session_on(p.link.direct(p.b)));
  EXPECT_EQ(p.na().sessions.send(p.link.now, p.at_a, Channel::sip, {}).error(), Fault::not_found);
}

TEST(Session, SaysGoodbyeAgainWhenItWasNotHeard) {
  SessionPair p;
  p.link.tap = [n = 0](Wire&) mutable { return n++ < 2; };
  p.na().sessions.close(p.link.now, p.at_a);
  p.link.drain();
  p.link.run(2s);
  ASSERT_EQ(p.nb().downs.size(), 1U);
  EXPECT_EQ(p.nb().downs[0].reason, DownReason::peer_closed);
}

TEST(Session, RefusesAStrangerWithoutDeliveringAnything) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  link.node(b).auto_accept = false;
  const auto id = link.connect(a, b);
  ASSERT_TRUE(link.run_until([&] { return link.node(b).ups.size() == 1; }));
  link.say(a, id, Channel::sip, Bytes(100));
  link.run(5ms);
  link.node(b).sessions.reject(link.now, link.node(b).ups[0].session);
  link.drain();
  link.run(2s);
  ASSERT_EQ(link.node(a).downs.size(), 1U);
  EXPECT_EQ(link.node(a).downs[0].reason, DownReason::refused);
  ASSERT_EQ(link.node(b).downs.size(), 1U);
  EXPECT_EQ(link.node(b).downs[0].reason, DownReason::refused);
  EXPECT_TRUE(link.node(b).messages.empty());
}

TEST(Session, StaysUpAtRestForLittle) {
  SessionPair p;
  const auto before = p.link.total_out;
  p.link.run(1000s - 100s);
  EXPECT_TRUE(p.na().downs.empty() && p.nb().downs.empty());
  // Both directions, with 28 bytes of IP and UDP for each: well below the 100 B/s of a leaf with its four supernodes.
  EXPECT_LT(static_cast<double>(p.link.total_out - before) / 900, 8.0);
  EXPECT_LT(p.na().sessions.memory_bytes() + p.nb().sessions.memory_bytes(), 12'000U);
}

TEST(Session, AnIdleOneIsSmall) {
  TestLink link;
  const auto b = link.add();
  const auto empty = link.node(b).sessions.memory_bytes();
  for (int i = 0; i < 20; ++i) {
    const auto a = link.add();
    const auto id = link.connect(a, b);
    link.run(200ms);
    link.say(a, id, Channel::control, Bytes(5000, 1));
    link.run(200ms);
  }
  link.run(10s);
  EXPECT_EQ(link.node(b).sessions.size(), 20U);
  EXPECT_LT((link.node(b).sessions.memory_bytes() - empty) / 20, 2048U);
}

TEST(Session, NoticesThatThePeerIsGone) {
  SessionPair p;
  p.link.loss = 1;
  p.link.run(70s);
  ASSERT_EQ(p.na().downs.size(), 1U);
  ASSERT_EQ(p.nb().downs.size(), 1U);
  EXPECT_EQ(p.na().downs[0].reason, DownReason::timed_out);
  EXPECT_EQ(p.nb().downs[0].reason, DownReason::timed_out);
}

// One way of the line is gone: the other end must not take our good-bye for a wish.
TEST(Session, WhoHearsNothingAnyMoreSaysThatAndNotThatItLeaves) {
  SessionPair p;
  p.link.tap = [&](const Wire& wire) { return wire.from == p.b; };
  p.link.say(p.a, p.at_a, Channel::sip, Bytes(10));
  p.link.run(10s);
  ASSERT_EQ(p.na().downs.size(), 1U);
  ASSERT_EQ(p.nb().downs.size(), 1U);
  EXPECT_EQ(p.na().downs[0].reason, DownReason::timed_out);
  EXPECT_EQ(p.nb().downs[0].reason, DownReason::timed_out);
}

TEST(Session, NoticesItSoonerWhenItHasSomethingToSay) {
  SessionPair p;
  p.link.loss = 1;
  p.link.say(p.b, p.at_b, Channel::sip, Bytes(10));
  p.link.run(9s);
  EXPECT_EQ(p.nb().downs.size(), 1U);
  EXPECT_TRUE(p.na().downs.empty());
}

TEST(Session, SurvivesASilenceShorterThanThat) {
  SessionPair p;
  p.link.say(p.a, p.at_a, Channel::sip, Bytes(10, 1));
  p.link.loss = 1;
  p.link.say(p.a, p.at_a, Channel::sip, Bytes(10, 2));
  p.link.run(6s);
  p.link.loss = 0;
  p.link.run(3s);
  EXPECT_EQ(p.nb().messages.size(), 2U);
  EXPECT_TRUE(p.na().downs.empty());
}

// RFC 9002, section 6.2.4: a probe may carry data or not. Without, a queue that lets nothing large in is not kept full
// by it; a path that comes back has the data a round trip later than it could.
TEST(Session, AsksTwiceWithItsDataAndThenAloneAndLosesNothing) {
  for (const bool slow : {false, true}) {
    SessionPair p;
    p.na().sessions.set_slow(slow);
    std::vector<std::size_t> sizes;
    p.link.tap = [&](Wire& wire) {
      if (wire.from == p.a) sizes.push_back(wire.bytes.size());
      return true;
    };
    p.link.say(p.a, p.at_a, Channel::sip, Bytes(1000, 1));
    p.link.run(7s);
    ASSERT_GT(sizes.size(), 5U);
    for (std::size_t i = 0; i < sizes.size(); ++i) EXPECT_EQ(sizes[i] > 1000, i < 3) << i << " " << slow;
    // The last question before the path is back is answered, and the data follows.
    Time asked = kNever;
    p.link.tap = [&](Wire& wire) {
      if (wire.from == p.a) asked = std::min(asked, p.link.now);
      return false;
    };
    ASSERT_TRUE(p.link.run_until([&] { return !p.nb().messages.empty(); }, 2s));
    EXPECT_LE(p.link.now - asked, 3 * p.link.delay + 30ms) << slow;  // there, back, there
    EXPECT_TRUE(p.na().downs.empty());
  }
}

TEST(Session, RenewsItsKeysWhileMessagesFlow) {
  for (const auto* suite : {&crypto::shipped_suite(), &crypto::typed_suite()}) {
    SessionPair p(*suite);
    p.link.keep_log = true;
    p.link.loss = 0.1;
    std::set<int> epochs;
    int sent = 0;
    for (int minute = 0; minute < 40; ++minute) {
      p.link.say(p.a, p.at_a, Channel::chat, Bytes(2000, static_cast<std::uint8_t>(sent)));
      p.link.say(p.b, p.at_b, Channel::chat, Bytes(2000, static_cast<std::uint8_t>(sent++)));
      p.link.run(60s);
    }
    for (const auto& wire : p.link.log) epochs.insert(wire.bytes[5]);
    EXPECT_EQ(epochs, (std::set<int>{0, 1, 2}));
    ASSERT_EQ(p.nb().messages.size(), static_cast<std::size_t>(sent));
    ASSERT_EQ(p.na().messages.size(), static_cast<std::size_t>(sent));
    EXPECT_TRUE(p.na().downs.empty() && p.nb().downs.empty());
    // Old packets open no more.
    const auto& first = p.link.log.front();
    const auto heard = p.link.node(first.to).sessions.counters();
    p.link.inject(first.to, first.path, first.bytes);
    EXPECT_EQ(p.link.node(first.to).sessions.counters().malformed, heard.malformed + 1);
  }
}

TEST(Session, RefusesDataUnderKeysThatAreTooOld) {
  auto config = TestLink::network("linnet");
  config.rekey_after = 2h;  // nobody renews
  SessionPair p(crypto::typed_suite(), config);
  p.link.run(19min);
  EXPECT_TRUE(p.na().downs.empty());
  p.link.run(2min);
  ASSERT_EQ(p.na().downs.size(), 1U);
  ASSERT_EQ(p.nb().downs.size(), 1U);
  EXPECT_EQ(p.na().downs[0].reason, DownReason::expired);
  EXPECT_EQ(p.nb().downs[0].reason, DownReason::expired);
}

// security.md, check 3: data packets.
TEST(Session, IgnoresEveryTruncationAndBitFlip) {
  for (const auto* suite : {&crypto::shipped_suite(), &crypto::typed_suite()}) {
    SessionPair p(*suite);
    Bytes genuine;
    Path seen;
    p.link.tap = [&](Wire& wire) {
      if (wire.to != p.b || !genuine.empty()) return false;
      genuine = wire.bytes;
      seen = wire.path;
      return true;
    };
    p.link.say(p.a, p.at_a, Channel::sip, Bytes(60, 3));
    ASSERT_FALSE(genuine.empty());
    auto& target = p.nb().sessions;
    for (std::size_t cut = 0; cut < genuine.size(); ++cut) {
      Bytes part(genuine.begin(), genuine.begin() + static_cast<std::ptrdiff_t>(cut));
      target.handle_packet(p.link.now, seen, part);
    }
    for (std::size_t bit = 0; bit < genuine.size() * 8; ++bit) {
      auto spoiled = genuine;
      spoiled[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      target.handle_packet(p.link.now, seen, spoiled);
    }
    p.link.drain();
    EXPECT_TRUE(p.nb().messages.empty());
    EXPECT_GT(target.counters().bad_mac, 0U);
    p.link.inject(p.b, seen, genuine);
    EXPECT_EQ(p.nb().messages.size(), 1U);
    const auto before = target.counters().replayed;
    for (int i = 0; i < 1000; ++i) p.link.inject(p.b, seen, genuine);
    EXPECT_EQ(p.nb().messages.size(), 1U);
    EXPECT_EQ(target.counters().replayed - before, 1000U);
  }
}

// The shipped suite and the stand-ins take the same decisions: the same packets, of the same sizes, at the same times.
TEST(Session, DecidesAlikeUnderBothSuites) {
  const auto trace = [](const crypto::Suite& suite) {
    TestLink link(7);
    link.loss = 0.2;
    link.jitter = 15ms;
    std::vector<std::tuple<Time, std::size_t, std::size_t, int>> out;
    link.tap = [&](Wire& wire) {
      out.emplace_back(link.now, wire.to, wire.bytes.size(), wire.bytes[0]);
      return false;
    };
    const auto a = link.add(TestLink::network("linnet"), suite);
    const auto b = link.add(TestLink::network("linnet"), suite);
    const auto id = link.connect(a, b);
    link.run(5s);
    for (int i = 0; i < 30; ++i) {
      (void)link.node(a).sessions.send(link.now, id, Channel::chat, pattern_bytes(3000, 1));
      link.drain();
      link.run(37ms);
    }
    link.run(1200s);
    return out;
  };
  const auto shipped = trace(crypto::shipped_suite());
  EXPECT_GT(shipped.size(), 100U);
  EXPECT_EQ(shipped, trace(crypto::typed_suite()));
}

TEST(Session, ShowsNothingOfWhatItCarries) {
  SessionPair p(crypto::shipped_suite());
  p.link.keep_log = true;
  const std::string secret = "INVITE sip:bob@demo.example SIP/2.0";
  p.link.say(p.a, p.at_a, Channel::sip, copy(view(secret)));
  p.link.run(100ms);
  ASSERT_EQ(p.nb().messages.size(), 1U);
  for (const auto& wire : p.link.log) EXPECT_EQ(text(wire.bytes).find("bob@"), std::string_view::npos);
}

// Who shook hands and fell silent: what may be sent to an address that proved nothing is used up, and the clock does
// not change that.
TEST(Session, WakesSeldomWhereItMaySayNoMore) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  link.connect(a, b);
  ASSERT_TRUE(link.run_until([&] { return link.node(b).ups.size() == 1; }));
  link.tap = [](Wire&) { return true; };
  const auto session = link.node(b).ups[0].session;
  for (int i = 0; i < 20; ++i) link.say(b, session, Channel::sip, Bytes(50));
  const auto until = link.now + 60s;
  int steps = 0;
  while (steps < 1000 && link.step(until)) ++steps;
  EXPECT_LT(steps, 200);
  EXPECT_EQ(link.node(b).downs.size(), 1U);
}

TEST(Session, WakesOnlyWhenThereIsSomethingToDo) {
  SessionPair p;
  const auto steps = p.link.steps;
  p.link.run(300s);
  EXPECT_LT(p.link.steps - steps, 12U * 8U);
}

}  // namespace
}  // namespace linnet::overlay
