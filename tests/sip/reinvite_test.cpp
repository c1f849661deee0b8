#include <gtest/gtest.h>

#include "tests/sip/pair.h"

namespace linnet::sip {
namespace {

using Log = std::vector<std::string>;

TEST(Reinvite, PutsACallOnHold) {
  Pair p(true);
  const auto [a, b] = p.talk();
  ASSERT_TRUE(p.alice.core.reinvite(p.now, a, kOffer + "a=sendonly\r\n"));
  p.settle();
  const auto offer = p.bob.take<ReinviteOffer>();
  EXPECT_EQ(offer.call, b);
  EXPECT_EQ(offer.sdp, kOffer + "a=sendonly\r\n");
  ASSERT_TRUE(p.bob.core.answer_reinvite(p.now, b, kAnswer));
  p.settle();
  EXPECT_EQ(p.alice.take<ReinviteAnswered>().sdp, kAnswer);
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 200", "> ACK"}));
  ASSERT_TRUE(p.bob.core.reinvite(p.now, b, kOffer)) << "the callee may change it next";
  p.settle();
  EXPECT_EQ(p.alice.take<ReinviteOffer>().call, a);
}

TEST(Reinvite, LeavesTheCallAsItWasWhenRejected) {
  Pair p(true);
  const auto [a, b] = p.talk();
  p.alice.core.reinvite(p.now, a, kOffer);
  p.settle();
  ASSERT_TRUE(p.bob.core.reject_reinvite(p.now, b, 488));
  p.settle();
  EXPECT_EQ(p.alice.take<ReinviteRejected>().code, 488);
  EXPECT_EQ(p.alice.core.calls(), 1u);
  EXPECT_TRUE(p.alice.core.reinvite(p.now, a, kOffer)) << "and may be tried again";
}

TEST(Reinvite, IsTriedAgainAfterAGlare) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Pair p(true, seed);
    const auto [a, b] = p.talk();
    ASSERT_TRUE(p.alice.core.reinvite(p.now, a, kOffer + "a=sendonly\r\n"));
    ASSERT_TRUE(p.bob.core.reinvite(p.now, b, kOffer + "a=inactive\r\n"));
    p.settle();
    ASSERT_EQ(p.sent("> 491"), 1);
    ASSERT_EQ(p.sent("< 491"), 1);
    p.run_for(milliseconds(1950));  // the callee's turn comes first: 0 to 2 s
    ASSERT_EQ(p.alice.take<ReinviteOffer>().sdp, kOffer + "a=inactive\r\n");
    ASSERT_EQ(p.sent("> INVITE"), 1) << "the caller waits for 2.1 s at least";
    ASSERT_TRUE(p.alice.core.answer_reinvite(p.now, a, kAnswer));
    p.run_for(milliseconds(2200));
    ASSERT_EQ(p.bob.take<ReinviteAnswered>().call, b);
    ASSERT_EQ(p.bob.take<ReinviteOffer>().sdp, kOffer + "a=sendonly\r\n");
    ASSERT_TRUE(p.bob.core.answer_reinvite(p.now, b, kAnswer));
    p.settle();
    ASSERT_EQ(p.alice.take<ReinviteAnswered>().call, a);
  }
}

TEST(Reinvite, IsGivenUpWhenThePeerIsAlwaysBusyWithItsOwn) {
  Pair p(true);
  const auto [a, b] = p.talk();
  ASSERT_TRUE(p.alice.core.reinvite(p.now, a, kOffer));
  for (int i = 0; i < 100 && p.alice.has<ReinviteRejected>() == nullptr; ++i) {
    p.run_for(seconds(1));
    if (p.bob.has<ReinviteOffer>() == nullptr) continue;
    (void)p.bob.take<ReinviteOffer>();
    ASSERT_TRUE(p.bob.core.reject_reinvite(p.now, b, 491));
  }
  EXPECT_EQ(p.alice.take<ReinviteRejected>().code, 491);
  EXPECT_LE(p.sent("> INVITE"), 7) << "the call's own and six tries";
  EXPECT_TRUE(p.alice.core.reinvite(p.now, a, kOffer)) << "the call goes on";
}

TEST(Reinvite, IsRefusedWhileOneIsUnderWay) {
  Pair p(true);
  const auto [a, b] = p.talk();
  ASSERT_TRUE(p.alice.core.reinvite(p.now, a, kOffer));
  EXPECT_EQ(p.alice.core.reinvite(p.now, a, kOffer).error(), Fault::refused);
  p.settle();
  EXPECT_EQ(p.bob.core.reinvite(p.now, b, kOffer).error(), Fault::refused);
}

TEST(Reinvite, EndsTheCallWhenThePeerNoLongerKnowsIt) {
  Pair p(true);
  const auto [a, b] = p.talk();
  p.bob.core.peer_lost(p.now, p.alice.id);
  p.alice.core.reinvite(p.now, a, kOffer);
  p.settle();
  EXPECT_EQ(p.alice.take<Failed>().call, a);
  EXPECT_EQ(p.bob.take<Failed>().call, b);
}

TEST(Reinvite, IsOverWhenTheCallEndsUnderIt) {
  Pair p(true);
  const auto [a, b] = p.talk();
  p.alice.core.reinvite(p.now, a, kOffer);
  p.settle();
  ASSERT_TRUE(p.bob.core.bye(p.now, b));
  p.settle();
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 487", "< BYE", "> ACK", "> 200"}));
  EXPECT_EQ(p.alice.core.calls() + p.bob.core.calls(), 0u);
  p.run_for(seconds(33));
  EXPECT_EQ(p.alice.core.transactions() + p.bob.core.transactions(), 0u);
}

TEST(Reinvite, ComesThroughOnALossyPath) {
  std::size_t came = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Pair p(false, seed);
    const auto [a, b] = p.talk();
    SeededRng dice(seed);
    p.lose = [&](const std::string&) { return dice.below(10) < 3; };
    ASSERT_TRUE(p.alice.core.reinvite(p.now, a, kOffer));
    p.run_for(seconds(20));
    if (p.bob.has<ReinviteOffer>() == nullptr) continue;
    ++came;
    p.bob.core.answer_reinvite(p.now, b, kAnswer);
    p.run_for(seconds(20));
    ASSERT_NE(p.alice.has<ReinviteAnswered>(), nullptr) << seed;
    ASSERT_EQ(p.alice.has<Failed>(), nullptr);
  }
  EXPECT_GE(came, 95U) << "of 100";
}

}  // namespace
}  // namespace linnet::sip
