// UPDATE (RFC 3311), calls and re-INVITEs without an offer, and INFO (RFC 6086).
#include <gtest/gtest.h>

#include "tests/sip/far_end.h"

namespace linnet::sip {
namespace {

using Log = std::vector<std::string>;

TEST(Update, ChangesACallWithoutAnAck) {
  Pair p(true);
  const auto [a, b] = p.talk();
  ASSERT_TRUE(p.alice.core.update(p.now, a, kOffer));
  p.settle();
  EXPECT_EQ(p.bob.take<ReinviteOffer>().sdp, kOffer);
  ASSERT_TRUE(p.bob.core.answer_reinvite(p.now, b, kAnswer));
  p.settle();
  EXPECT_EQ(p.alice.take<ReinviteAnswered>().sdp, kAnswer);
  EXPECT_EQ(p.log, (Log{"> UPDATE", "< 200"}));
}

TEST(Update, WithoutAnOfferIsAnsweredAtOnce) {
  Pair p(true);
  const auto [a, b] = p.talk();
  ASSERT_TRUE(p.bob.core.update(p.now, b, {}));
  p.settle();
  EXPECT_EQ(p.bob.take<ReinviteAnswered>().sdp, "");
  EXPECT_TRUE(p.alice.events.empty());
  EXPECT_EQ(p.log, (Log{"< UPDATE", "> 200"}));
}

TEST(Update, LeavesTheCallAsItWasWhenRefused) {
  Pair p(true);
  const auto [a, b] = p.talk();
  ASSERT_TRUE(p.alice.core.update(p.now, a, kOffer));
  p.settle();
  (void)p.bob.take<ReinviteOffer>();
  ASSERT_TRUE(p.bob.core.reject_reinvite(p.now, b, 488));
  p.settle();
  EXPECT_EQ(p.alice.take<ReinviteRejected>().code, 488);
  EXPECT_TRUE(p.alice.core.reinvite(p.now, a, kOffer));
}

TEST(Update, IsTriedAgainAfterAGlareAlsoWithAReinvite) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Pair p(true, seed);
    const auto [a, b] = p.talk();
    ASSERT_TRUE(seed % 2 == 0 ? p.alice.core.update(p.now, a, kOffer) : p.alice.core.reinvite(p.now, a, kOffer));
    ASSERT_TRUE(p.bob.core.update(p.now, b, kOffer));
    p.settle();
    ASSERT_EQ(p.sent("> 491") + p.sent("< 491"), 2);
    p.run_for(milliseconds(1950));
    (void)p.alice.take<ReinviteOffer>();
    ASSERT_TRUE(p.alice.core.answer_reinvite(p.now, a, kAnswer));
    p.run_for(milliseconds(2200));
    ASSERT_EQ(p.bob.take<ReinviteAnswered>().call, b);
    (void)p.bob.take<ReinviteOffer>();
    ASSERT_TRUE(p.bob.core.answer_reinvite(p.now, b, kAnswer));
    p.settle();
    ASSERT_EQ(p.alice.take<ReinviteAnswered>().call, a);
  }
}

TEST(Update, WorksInAnEarlyDialogThatHasItsFirstAnswer) {
  Pair p(false);
  const auto a = p.call();
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  EXPECT_EQ(p.alice.core.update(p.now, a, kOffer).error(), Fault::refused) << "no dialog yet";
  ASSERT_TRUE(p.bob.core.progress(p.now, b, kAnswer));
  p.settle();
  ASSERT_TRUE(p.alice.core.update(p.now, a, kOffer));
  p.settle();
  EXPECT_EQ(p.bob.take<ReinviteOffer>().call, b);
  ASSERT_TRUE(p.bob.core.answer_reinvite(p.now, b, kAnswer));
  p.settle();
  EXPECT_EQ(p.alice.take<ReinviteAnswered>().call, a);
  ASSERT_TRUE(p.bob.core.update(p.now, b, kOffer)) << "the callee may, too";
  p.settle();
  EXPECT_EQ(p.alice.take<ReinviteOffer>().call, a);
  ASSERT_TRUE(p.alice.core.answer_reinvite(p.now, a, kAnswer));
  p.settle();
  ASSERT_TRUE(p.bob.core.accept(p.now, b, {}));
  p.settle();
  EXPECT_EQ(p.alice.take<Answered>().call, a);
  EXPECT_EQ(p.bob.take<Established>().call, b);
}

TEST(Update, EndsTheCallWhenNobodyAnswersIt) {
  Pair p(true);
  const auto [a, b] = p.talk();
  p.lose = [](const std::string& line) { return line == "< 200"; };
  ASSERT_TRUE(p.alice.core.update(p.now, a, {}));
  p.run_for(seconds(33));
  EXPECT_EQ(p.alice.take<Failed>().call, a);
  EXPECT_EQ(p.bob.take<Ended>().call, b);
}

using UpdateRefused = FarEnd;

TEST_F(UpdateRefused, With500WhileAnOfferOfTheirsWaits) {
  exchange(Request{}.str());
  ASSERT_TRUE(bob.core.ring(now, bob.take<IncomingCall>().call));
  auto update = inside("UPDATE", drain().at(0).to_tag(), 2);
  update.body = kOffer;
  const auto out = exchange(update.str());
  ASSERT_EQ(what(out), (Log{"500 UPDATE"}));
  EXPECT_FALSE(out[0].header(HeaderId::retry_after).empty());
  update = inside("UPDATE", out[0].to_tag(), 3);
  EXPECT_EQ(status(update.str()), 200) << "without an offer nothing is in its way";
}

TEST_F(UpdateRefused, With491WhileOurOfferWaits) {
  const auto sent = invite();
  exchange(response_to(sent, 180, "t1"));
  auto update = inside("UPDATE", "x", 1);
  update.to = sent.header(HeaderId::from);
  update.from = sent.header(HeaderId::to) + ";tag=t1";
  update.call_id = sent.header(HeaderId::call_id);
  update.body = kOffer;
  EXPECT_EQ(status(update.str()), 491);
}

TEST_F(UpdateRefused, OutsideAnyDialog) {
  for (const std::string method : {"UPDATE", "PRACK", "INFO", "BYE"}) {
    Request r;
    r.method = method;
    r.branch = "z9hG4bK" + method;
    EXPECT_EQ(status(r.str()), 481) << method;
  }
}

TEST(Offerless, CallGetsTheOfferInThe200AndBringsTheAnswerInTheAck) {
  Pair p(true);
  const auto a = p.call({}, {});
  p.settle();
  const auto in = p.bob.take<IncomingCall>();
  EXPECT_TRUE(in.sdp.empty());
  EXPECT_EQ(p.bob.core.accept(p.now, in.call, {}).error(), Fault::malformed) << "it takes an offer";
  ASSERT_TRUE(p.bob.core.accept(p.now, in.call, kOffer));
  p.settle();
  EXPECT_EQ(p.alice.take<Answered>().sdp, kOffer);
  EXPECT_EQ(p.sent("> ACK"), 0) << "it waits for the answer";
  ASSERT_TRUE(p.alice.core.answer_reinvite(p.now, a, kAnswer));
  p.settle();
  const auto established = p.bob.take<Established>();
  EXPECT_EQ(established.call, in.call);
  EXPECT_EQ(established.sdp, kAnswer);
  EXPECT_TRUE(p.bob.core.reinvite(p.now, in.call, kOffer)) << "a new exchange may begin";
}

TEST(Offerless, CallEndsWhenTheCallerWantsNoneOfIt) {
  Pair p(true);
  const auto a = p.call({}, {});
  p.settle();
  const auto b = p.bob.take<IncomingCall>().call;
  ASSERT_TRUE(p.bob.core.accept(p.now, b, kOffer));
  p.settle();
  ASSERT_TRUE(p.alice.core.reject_reinvite(p.now, a, 488));
  p.settle();
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 200", "> ACK", "> BYE", "< BYE", "< 481", "> 481"}));
  EXPECT_EQ(p.bob.take<Failed>().call, b) << "the ACK had no answer";
  EXPECT_EQ(p.alice.core.calls() + p.bob.core.calls(), 0u);
}

TEST(Offerless, ReinviteAsksForTheOtherEndsOffer) {
  Pair p(true);
  const auto [a, b] = p.talk();
  ASSERT_TRUE(p.alice.core.reinvite(p.now, a, {}));
  p.settle();
  EXPECT_TRUE(p.bob.take<ReinviteOffer>().sdp.empty());
  ASSERT_TRUE(p.bob.core.answer_reinvite(p.now, b, kOffer));
  p.settle();
  EXPECT_EQ(p.alice.take<ReinviteOffer>().sdp, kOffer);
  ASSERT_TRUE(p.alice.core.answer_reinvite(p.now, a, kAnswer));
  p.settle();
  EXPECT_EQ(p.bob.take<ReinviteAnswered>().sdp, kAnswer);
  EXPECT_EQ(p.log, (Log{"> INVITE", "< 200", "> ACK"}));
}

TEST(Info, IsCarriedAndAnswered) {
  Pair p(true);
  auto config = config_of("bob@home.example", true);
  config.info_packages = {"dtmf"};
  config.info_types = {"application/dtmf-relay"};
  p.bob.core = Core(config, p.bob.rng);
  const auto [a, b] = p.talk();
  ASSERT_TRUE(p.alice.core.info(p.now, a, {"dtmf", "text/plain", "5"}));
  ASSERT_TRUE(p.alice.core.info(p.now, a, {"", "application/dtmf-relay", "Signal=5\r\n"}));
  p.settle();
  const auto packed = p.bob.take<InfoReceived>();
  EXPECT_EQ(packed.call, b);
  EXPECT_EQ(packed.package, "dtmf");
  EXPECT_EQ(packed.body, "5");
  EXPECT_EQ(p.bob.take<InfoReceived>().content_type, "application/dtmf-relay");
  EXPECT_EQ(p.alice.take<InfoAnswered>().code, 200);
  EXPECT_EQ(p.alice.core.info(p.now, a, {"other", "text/plain", "x"}).error(), Fault::refused) << "bob takes none";
  EXPECT_EQ(p.bob.core.info(p.now, b, {"dtmf", "text/plain", "x"}).error(), Fault::refused) << "nor does alice";
  EXPECT_EQ(p.alice.core.info(p.now, a, {"dtmf", "text plain", "x"}).error(), Fault::malformed);
}

using InfoRefused = FarEnd;

TEST_F(InfoRefused, With469ForAPackageAndWith415ForATypeThatNobodyAskedFor) {
  const auto tag = talk();
  auto info = inside("INFO", tag, 2);
  info.extra = "Info-Package: gaming\r\n";
  const auto out = exchange(info.str());
  ASSERT_EQ(what(out), (Log{"469 INFO"}));
  EXPECT_TRUE(out[0].m.has(HeaderId::recv_info));
  info = inside("INFO", tag, 3);
  info.type = "application/dtmf-relay";
  info.body = "Signal=5\r\n";
  EXPECT_EQ(status(info.str()), 415);
  info = inside("INFO", tag, 4);
  EXPECT_EQ(status(info.str()), 200) << "one of the old kind that says nothing";
}

}  // namespace
}  // namespace linnet::sip
