#include <gtest/gtest.h>

#include "tests/sip/pair.h"

namespace linnet::sip {
namespace {

using Log = std::vector<std::string>;

TEST(Call, IsSetUpAndEndedByTheCaller) {
  Pair p(true);
  const auto a = p.call("group-7");
  p.settle();
  const auto in = p.bob.take<IncomingCall>();
  EXPECT_EQ(in.peer, p.alice.id);
  EXPECT_EQ(in.from.address(), "alice@home.example");
  EXPECT_EQ(in.to.address(), "bob@home.example");
  EXPECT_EQ(in.display_name, "Test");
  EXPECT_EQ(in.call_group, "group-7");
  EXPECT_EQ(in.sdp, kOffer);
  ASSERT_TRUE(p.bob.core.ring(p.now, in.call));
  p.settle();
  EXPECT_EQ(p.alice.take<Ringing>().call, a);
  ASSERT_TRUE(p.bob.core.accept(p.now, in.call, kAnswer));
  p.settle();
  EXPECT_EQ(p.alice.take<Answered>().sdp, kAnswer);
  EXPECT_EQ(p.bob.take<Established>().call, in.call);
  ASSERT_TRUE(p.alice.core.bye(p.now, a, "enough"));
  p.settle();
  const auto ended = p.bob.take<Ended>();
  EXPECT_EQ(ended.call, in.call);
  EXPECT_EQ(ended.reason, "enough");
  EXPECT_FALSE(ended.by_us);
  EXPECT_TRUE(p.alice.take<Ended>().by_us);
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 180", "< 200", "> ACK", "> BYE", "< 200"}));
  EXPECT_EQ(p.alice.core.calls() + p.bob.core.calls(), 0u);
  EXPECT_EQ(p.alice.core.transactions() + p.bob.core.transactions(), 2u) << "the INVITE's, for timers L and M";
  p.run_for(seconds(33));
  EXPECT_EQ(p.alice.core.transactions() + p.bob.core.transactions(), 0u);
  EXPECT_EQ(p.alice.core.next_timeout(), kNever);
  EXPECT_EQ(p.bob.core.next_timeout(), kNever);
  EXPECT_TRUE(p.alice.events.empty() && p.bob.events.empty());
}

TEST(Call, IsEndedByTheCallee) {
  Pair p(true);
  const auto [a, b] = p.talk();
  ASSERT_TRUE(p.bob.core.bye(p.now, b));
  p.settle();
  EXPECT_EQ(p.alice.take<Ended>().call, a);
  EXPECT_EQ(p.log, (Log{"< BYE", "> 200"}));
}

TEST(Call, IsRejected) {
  Pair p(true);
  const auto a = p.call();
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  ASSERT_TRUE(p.bob.core.reject(p.now, b, 486, "On the phone"));
  p.settle();
  const auto rejected = p.alice.take<Rejected>();
  EXPECT_EQ(rejected.call, a);
  EXPECT_EQ(rejected.code, 486);
  EXPECT_EQ(rejected.reason, "On the phone");
  EXPECT_TRUE(p.bob.take<Ended>().by_us);
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 486", "> ACK"}));
  EXPECT_EQ(p.bob.core.transactions(), 0u);
}

TEST(Call, IsCancelledBecauseItWasAnsweredElsewhere) {
  Pair p(true);
  const auto a = p.call();
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  p.bob.core.ring(p.now, b);
  p.settle();
  ASSERT_TRUE(p.alice.core.cancel(p.now, a, Core::kElsewhere));
  p.settle();
  const auto cancelled = p.bob.take<Cancelled>();
  EXPECT_EQ(cancelled.call, b);
  EXPECT_TRUE(cancelled.elsewhere);
  EXPECT_EQ(cancelled.reason, Core::kElsewhere);
  EXPECT_EQ(p.alice.take<Cancelled>().call, a);
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 180", "> CANCEL", "< 200", "< 487", "> ACK"}));
  EXPECT_EQ(p.alice.core.calls() + p.bob.core.calls(), 0u);
}

TEST(Call, IsCancelledWithoutAReasonAsAMissedCall) {
  Pair p(true);
  const auto a = p.call();
  p.run_for(seconds(1));
  ASSERT_TRUE(p.alice.core.hang_up(p.now, a));
  p.settle();
  EXPECT_FALSE(p.bob.take<Cancelled>().elsewhere);
}

TEST(Call, SendsNoCancelBeforeAProvisionalResponse) {
  Pair p(true);
  const auto a = p.call();
  ASSERT_TRUE(p.alice.core.cancel(p.now, a));
  p.run_for(milliseconds(150));
  EXPECT_EQ(p.log, (Log{"> INVITE"}));
  p.run_for(seconds(1));  // the callee's transaction says 100 after 200 ms
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 100", "> CANCEL", "< 200", "< 487", "> ACK"}));
  EXPECT_EQ(p.alice.take<Cancelled>().call, a);
}

TEST(Call, IsHungUpWhenTheAnswerCrossesTheCancel) {
  Pair p(true);
  const auto a = p.call();
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  p.bob.core.ring(p.now, b);
  p.settle();
  p.alice.core.cancel(p.now, a);
  p.bob.core.accept(p.now, b, kAnswer);
  p.run_for(seconds(1));
  EXPECT_EQ(p.alice.take<Cancelled>().call, a);
  EXPECT_EQ(p.bob.take<Ended>().call, b);
  EXPECT_EQ(p.alice.core.calls() + p.bob.core.calls(), 0u);
}

TEST(Call, TimesOutWith408WhenNobodyAnswersTheInvite) {
  Pair p(false);
  p.lose = [](const std::string& line) { return line[0] == '>'; };
  const auto a = p.call();
  p.run_for(seconds(31));
  EXPECT_TRUE(p.alice.events.empty());
  p.run_for(seconds(2));
  EXPECT_EQ(p.alice.take<Rejected>().code, 408);
  EXPECT_EQ(p.sent("> INVITE"), 7);
  EXPECT_EQ(p.alice.core.calls(), 0u);
  EXPECT_EQ(p.alice.core.bye(p.now, a).error(), Fault::not_found);
}

TEST(Call, FailsWhenThePeerIsLost) {
  Pair p(true);
  const auto [a, b] = p.talk();
  p.alice.core.peer_lost(p.now, p.bob.id);
  p.settle();
  EXPECT_EQ(p.alice.take<Failed>().call, a);
  EXPECT_EQ(p.alice.core.transactions(), 0u);
  p.bob.core.bye(p.now, b);
  p.settle();
  EXPECT_EQ(p.log, (Log{"< BYE", "> 481"}));
}

TEST(Call, EndsAfterThirtyTwoSecondsWithoutTheAck) {
  Pair p(true);
  p.call();
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  p.lose = [](const std::string& line) { return line == "> ACK"; };
  p.bob.core.accept(p.now, b, kAnswer);
  p.run_for(seconds(33));
  EXPECT_EQ(p.bob.take<Failed>().call, b);
  EXPECT_NE(p.alice.has<Ended>(), nullptr) << "the callee hangs up";
}

TEST(Call, WaitsWithTheCalleesByeUntilTheAck) {
  Pair p(true);
  p.call();
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  p.bob.core.accept(p.now, b, kAnswer);
  ASSERT_TRUE(p.bob.core.bye(p.now, b));
  p.settle();
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 200", "> ACK", "< BYE", "> 200"}));
  EXPECT_TRUE(p.bob.take<Ended>().by_us);
}

TEST(Call, RepeatsTheAnswerUntilTheAckOnAnUnreliablePath) {
  Pair p(false);
  int acks = 0;
  p.lose = [&](const std::string& line) { return line == "> ACK" && ++acks <= 3; };
  p.call();
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  p.bob.core.accept(p.now, b, kAnswer);
  p.run_for(seconds(20));
  EXPECT_EQ(p.sent("< 200"), 4) << "at 0, 0.5, 1.5 and 3.5 s";
  EXPECT_EQ(p.sent("> ACK"), 4);
  EXPECT_EQ(p.bob.take<Established>().call, b);
  EXPECT_EQ(p.alice.events.size(), 1u) << "one Answered, whatever came twice";
}

TEST(Call, ComesThroughWhateverIsLostOnAnUnreliablePath) {
  std::size_t came = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    LossyCall lossy(seed);
    if (!lossy.b) continue;
    ++came;
    auto& p = lossy.p;
    const auto a = lossy.a, b = *lossy.b;
    p.bob.core.accept(p.now, b, kAnswer);
    p.run_for(seconds(20));
    ASSERT_NE(p.alice.has<Answered>(), nullptr) << seed;
    ASSERT_NE(p.bob.has<Established>(), nullptr) << seed;
    p.alice.core.bye(p.now, a);
    p.run_for(seconds(40));
    ASSERT_NE(p.bob.has<Ended>(), nullptr) << seed;
    p.run_for(seconds(100));
    ASSERT_EQ(p.alice.core.calls() + p.bob.core.calls(), 0u) << seed;
    ASSERT_EQ(p.alice.core.transactions() + p.bob.core.transactions(), 0u) << seed;
  }
  EXPECT_GE(came, 195U) << "of 200";
}

TEST(Call, EndsEachSideWithExactlyOneEventWhateverIsCommanded) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Pair p(seed % 2 == 0, seed);
    SeededRng dice(seed);
    if (seed % 2 != 0) p.lose = [&](const std::string&) { return dice.below(10) < 2; };
    const auto a = p.call();
    CallId b = kNoCall;
    for (int step = 0; step < 12; ++step) {
      p.run_for(milliseconds(dice.below(700)));
      if (const auto* in = p.bob.has<IncomingCall>()) b = in->call;
      switch (dice.below(9)) {
        case 0: (void)p.bob.core.ring(p.now, b); break;
        case 1: (void)p.bob.core.accept(p.now, b, kAnswer); break;
        case 2: (void)p.alice.core.reinvite(p.now, a, kOffer); break;
        case 3: (void)p.bob.core.reinvite(p.now, b, kOffer); break;
        case 4: (void)p.alice.core.answer_reinvite(p.now, a, kAnswer); break;
        case 5: (void)p.bob.core.answer_reinvite(p.now, b, kAnswer); break;
        case 6:
          if (step > 6) (void)p.alice.core.hang_up(p.now, a);
          break;
        case 7:
          if (step > 6) (void)p.bob.core.hang_up(p.now, b);
          break;
        default: break;
      }
    }
    (void)p.alice.core.hang_up(p.now, a);
    p.run_for(seconds(200));
    if (const auto* in = p.bob.has<IncomingCall>()) b = in->call;
    (void)p.bob.core.hang_up(p.now, b);
    p.run_for(seconds(200));
    for (auto* side : {&p.alice, &p.bob}) {
      int ends = 0;
      for (const auto& e : side->events)
        ends += std::holds_alternative<Rejected>(e) || std::holds_alternative<Cancelled>(e) ||
                std::holds_alternative<Ended>(e) || std::holds_alternative<Failed>(e);
      ASSERT_EQ(ends, side == &p.bob && b == kNoCall ? 0 : 1) << seed;
      ASSERT_EQ(side->core.calls(), 0u) << seed;
      ASSERT_EQ(side->core.transactions(), 0u) << seed;
    }
  }
}

TEST(Options, AreAnsweredWithWhatIsServed) {
  Pair p(true);
  ASSERT_TRUE(p.alice.core.options(p.now, p.bob.id, *Uri::parse("bob@home.example")));
  p.settle();
  const auto answered = p.alice.take<OptionsAnswered>();
  EXPECT_EQ(answered.code, 200);
  EXPECT_EQ(answered.user_agent, "Linnet/0.1");
}

TEST(Options, TimeOutWith408) {
  Pair p(true);
  p.lose = [](const std::string&) { return true; };
  ASSERT_TRUE(p.alice.core.options(p.now, p.bob.id, *Uri::parse("bob@home.example")));
  p.run_for(seconds(33));
  EXPECT_EQ(p.alice.take<OptionsAnswered>().code, 408);
}

TEST(Invite, RefusesArgumentsThatCannotStandInAMessage) {
  Pair p(true);
  InviteParams good;
  good.to = p.bob.id;
  good.target = *Uri::parse("bob@home.example");
  good.from = *Uri::parse("alice@home.example");
  good.sdp_offer = kOffer;
  const auto fault = [&](auto&& change) {
    auto params = good;
    change(params);
    const auto out = p.alice.core.invite(p.now, std::move(params));
    return out ? Fault::io : out.error();
  };
  EXPECT_EQ(fault([](InviteParams& i) { i.headers = {{"Subject", "a\r\nEvil: 1"}}; }), Fault::malformed);
  EXPECT_EQ(fault([](InviteParams& i) { i.headers = {{"Via", "x"}}; }), Fault::malformed);
  EXPECT_EQ(fault([](InviteParams& i) { i.headers = {{"a b", "x"}}; }), Fault::malformed);
  EXPECT_EQ(fault([](InviteParams& i) { i.call_group = "a b"; }), Fault::malformed);
  EXPECT_EQ(fault([](InviteParams& i) { i.target.host = "h\r\nEvil: 1"; }), Fault::malformed);
  EXPECT_EQ(fault([](InviteParams& i) { i.headers = {{"Expires", "soon"}}; }), Fault::malformed);
  EXPECT_EQ(fault([](InviteParams& i) { i.sdp_offer.resize(9000, ' '); }), Fault::too_big);
  EXPECT_EQ(fault([](InviteParams& i) { i.headers = {{"Subject", "fine"}}; }), Fault::io) << "taken";
}

}  // namespace
}  // namespace linnet::sip
