// Reliable provisional responses (RFC 3262), on either end.
#include <gtest/gtest.h>

#include "tests/sip/far_end.h"

namespace linnet::sip {
namespace {

using Log = std::vector<std::string>;

TEST(ReliableProvisional, GoesOutWhereMessagesMayBeLost) {
  Pair p(false);
  const auto a = p.call();
  p.settle();
  ASSERT_TRUE(p.bob.core.ring(p.now, p.bob.take<IncomingCall>().call));
  p.settle();
  EXPECT_EQ(p.alice.take<Ringing>().call, a);
  p.run_for(seconds(5));
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 180", "> PRACK", "< 200"})) << "and then it is quiet";
}

TEST(ReliableProvisional, IsNotAskedForOnAReliablePath) {
  Pair p(true);
  p.call();
  p.settle();
  ASSERT_TRUE(p.bob.core.ring(p.now, p.bob.take<IncomingCall>().call));
  p.settle();
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 180"}));
}

TEST(ReliableProvisional, ComesAgainUntilItsPrack) {
  Pair p(false);
  int n = 0;
  p.lose = [&](const std::string& line) { return line == "< 180" && ++n <= 3; };
  p.call();
  p.settle();
  ASSERT_TRUE(p.bob.core.ring(p.now, p.bob.take<IncomingCall>().call));
  p.run_for(seconds(20));
  EXPECT_EQ(p.sent("< 180"), 4) << "at 0, 0.5, 1.5 and 3.5 s";
  EXPECT_EQ(p.sent("> PRACK"), 1);
  EXPECT_NE(p.alice.has<Ringing>(), nullptr);
}

TEST(ReliableProvisional, EndsTheCallWith504WithoutAPrack) {
  Pair p(false);
  p.lose = [](const std::string& line) { return line == "> PRACK"; };
  p.call();
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  ASSERT_TRUE(p.bob.core.ring(p.now, b));
  p.run_for(seconds(33));
  EXPECT_EQ(p.bob.take<Failed>().call, b);
  EXPECT_EQ(p.alice.take<Rejected>().code, 504);
  EXPECT_EQ(p.bob.core.calls(), 0u);
}

TEST(ReliableProvisional, BringsTheAnswerEarlyAndThe200WaitsForItsPrack) {
  Pair p(false);
  const auto a = p.call();
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  ASSERT_TRUE(p.bob.core.progress(p.now, b, kAnswer));
  ASSERT_TRUE(p.bob.core.accept(p.now, b, {})) << "the answer is said already";
  p.settle();
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 183", "> PRACK", "< 200", "< 200", "> ACK"}));
  EXPECT_EQ(p.alice.take<Ringing>().sdp, kAnswer);
  const auto answered = p.alice.take<Answered>();
  EXPECT_EQ(answered.call, a);
  EXPECT_EQ(answered.sdp, kAnswer) << "though the 200 had none";
  EXPECT_EQ(p.bob.take<Established>().call, b);
}

TEST(ReliableProvisional, WaitsForThePrackOfTheOneBefore) {
  Pair p(false);
  p.call();
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  ASSERT_TRUE(p.bob.core.ring(p.now, b));
  ASSERT_TRUE(p.bob.core.progress(p.now, b, kAnswer));
  EXPECT_EQ(p.sent("< 183"), 0);
  p.settle();
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 180", "> PRACK", "< 200", "< 183", "> PRACK", "< 200"}));
}

TEST(ReliableProvisional, CarriesTheOfferOfACallWithoutOne) {
  Pair p(true);
  const auto a = p.call({}, {});
  p.settle();
  const auto in = p.bob.take<IncomingCall>();
  EXPECT_TRUE(in.sdp.empty());
  ASSERT_TRUE(p.bob.core.progress(p.now, in.call, kOffer));
  p.settle();
  EXPECT_EQ(p.alice.take<ReinviteOffer>().sdp, kOffer);
  ASSERT_TRUE(p.alice.core.answer_reinvite(p.now, a, kAnswer));
  p.settle();
  EXPECT_EQ(p.bob.take<ReinviteAnswered>().sdp, kAnswer);
  ASSERT_TRUE(p.bob.core.accept(p.now, in.call, {}));
  p.settle();
  EXPECT_EQ(p.alice.take<Answered>().call, a);
  EXPECT_EQ(p.bob.take<Established>().call, in.call);
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 183", "> PRACK", "< 200", "< 200", "> ACK"}));
  EXPECT_TRUE(p.alice.core.reinvite(p.now, a, kOffer)) << "a new exchange may begin";
}

TEST(ReliableProvisional, MakesTheCallerHangUpAnOfferItRefuses) {
  Pair p(true);
  const auto a = p.call({}, {});
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  ASSERT_TRUE(p.bob.core.progress(p.now, b, kOffer));
  p.settle();
  (void)p.alice.take<ReinviteOffer>();
  ASSERT_TRUE(p.alice.core.reject_reinvite(p.now, a, 488));
  p.settle();
  EXPECT_EQ(p.alice.take<Cancelled>().call, a);
  EXPECT_EQ(p.bob.take<Cancelled>().call, b);
}

TEST(ReliableProvisional, LeavesNothingBehindWhateverIsLost) {
  std::size_t came = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    LossyCall lossy(seed);
    if (!lossy.b) continue;
    ++came;
    auto& p = lossy.p;
    auto& dice = lossy.dice;
    const auto a = lossy.a, b = *lossy.b;
    ASSERT_TRUE(p.bob.core.ring(p.now, b)) << seed;
    p.run_for(milliseconds(dice.below(3000)));
    const auto early = seed % 2 == 0 ? p.bob.core.progress(p.now, b, kAnswer) : Status{};
    ASSERT_TRUE(early) << seed;
    ASSERT_TRUE(p.bob.core.accept(p.now, b, kAnswer)) << seed;
    p.run_for(seconds(60));
    ASSERT_NE(p.alice.has<Answered>(), nullptr) << seed;
    ASSERT_NE(p.bob.has<Established>(), nullptr) << seed;
    (void)p.alice.core.bye(p.now, a);
    p.run_for(seconds(140));
    ASSERT_EQ(p.alice.core.calls() + p.bob.core.calls(), 0u) << seed;
    ASSERT_EQ(p.alice.core.transactions() + p.bob.core.transactions(), 0u) << seed;
  }
  EXPECT_GE(came, 95U) << "of 100";
}

using Prack = FarEnd;

TEST_F(Prack, IsDemandedByAnInviteThatRequiresIt) {
  Request r;
  r.extra += "Require: 100rel\r\n";
  exchange(r.str());
  const auto b = bob.take<IncomingCall>().call;
  ASSERT_TRUE(bob.core.ring(now, b));
  const auto ringing = drain().at(0);
  EXPECT_EQ(ringing.header(HeaderId::require), "100rel");
  const auto rseq = ringing.header(HeaderId::rseq);
  auto prack = inside("PRACK", ringing.to_tag(), 2);
  EXPECT_EQ(status(prack.str()), 400) << "no RAck";
  prack = inside("PRACK", ringing.to_tag(), 3);
  prack.extra = "RAck: " + std::to_string(std::stoul(rseq) + 1) + " 1 INVITE\r\n";
  EXPECT_EQ(status(prack.str()), 481) << "of no response";
  prack = inside("PRACK", ringing.to_tag(), 4);
  prack.extra = "RAck: " + rseq + " 2 INVITE\r\n";
  EXPECT_EQ(status(prack.str()), 481) << "of no INVITE";
  prack = inside("PRACK", ringing.to_tag(), 5);
  prack.extra = "RAck: " + rseq + " 1 INVITE\r\n";
  EXPECT_EQ(status(prack.str()), 200);
  prack = inside("PRACK", ringing.to_tag(), 6);
  prack.extra = "RAck: " + rseq + " 1 INVITE\r\n";
  EXPECT_EQ(status(prack.str()), 481) << "it has its PRACK";
  EXPECT_TRUE(wait(seconds(40)).empty()) << "nothing is repeated";
}

TEST_F(Prack, IsTakenAfterThe200ThatDidNotWaitForIt) {
  Request r;
  r.extra += "Require: 100rel\r\n";
  exchange(r.str());
  const auto b = bob.take<IncomingCall>().call;
  ASSERT_TRUE(bob.core.ring(now, b));
  const auto ringing = drain().at(0);
  ASSERT_TRUE(bob.core.accept(now, b, kAnswer));
  EXPECT_EQ(what(drain()), (Log{"200 INVITE"}));
  auto prack = inside("PRACK", ringing.to_tag(), 2);
  prack.extra = "RAck: " + ringing.header(HeaderId::rseq) + " 1 INVITE\r\n";
  EXPECT_EQ(status(prack.str()), 200);
}

TEST_F(Prack, MayBringANewOfferOnceTheFirstIsAnswered) {
  Request r;
  r.extra += "Require: 100rel\r\n";
  exchange(r.str());
  const auto b = bob.take<IncomingCall>().call;
  ASSERT_TRUE(bob.core.progress(now, b, kAnswer));
  const auto early = drain().at(0);
  auto prack = inside("PRACK", early.to_tag(), 2);
  prack.extra = "RAck: " + early.header(HeaderId::rseq) + " 1 INVITE\r\n";
  prack.body = kOffer;
  EXPECT_TRUE(exchange(prack.str()).empty()) << "the person has to look at it";
  EXPECT_EQ(bob.take<ReinviteOffer>().sdp, kOffer);
  ASSERT_TRUE(bob.core.accept(now, b, {})) << "waits for the answer";
  EXPECT_TRUE(drain().empty());
  ASSERT_TRUE(bob.core.answer_reinvite(now, b, kAnswer));
  const auto out = drain();
  ASSERT_EQ(what(out), (Log{"200 PRACK", "200 INVITE"}));
  EXPECT_EQ(out[0].m.body, kAnswer);
  EXPECT_TRUE(out[1].m.body.empty());
}

TEST_F(Prack, AnswersEachReliableResponseOnceAndInOrder) {
  const auto sent = invite();
  EXPECT_EQ(sent.header(HeaderId::supported), "100rel");
  const auto reliable = [&](int rseq) {
    return response_to(sent, 180, "t1", "Require: 100rel\r\nRSeq: " + std::to_string(rseq) + "\r\n");
  };
  auto out = exchange(reliable(7));
  ASSERT_EQ(what(out), (Log{"PRACK"}));
  EXPECT_EQ(out[0].header(HeaderId::rack), "7 " + std::string(sent.m.cseq.number == 1 ? "1" : "?") + " INVITE");
  EXPECT_EQ(out[0].m.uri_text, "sip:t1@h");
  EXPECT_TRUE(exchange(reliable(7)).empty()) << "a copy";
  EXPECT_TRUE(exchange(reliable(9)).empty()) << "from behind a gap";
  EXPECT_EQ(what(exchange(reliable(8))), (Log{"PRACK"}));
  EXPECT_EQ(what(exchange(reliable(9))), (Log{"PRACK"})) << "now its turn has come";
}

}  // namespace
}  // namespace linnet::sip
