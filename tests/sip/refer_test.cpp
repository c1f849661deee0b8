// REFER (RFC 3515, RFC 4488) between two user agents, and from a far end played by hand.
#include <gtest/gtest.h>

#include "tests/sip/far_end.h"

namespace linnet::sip {
namespace {

using Lines = std::vector<std::string>;

struct Referring : Pair {
  Referring() : Pair(true) { confer(true); }

  ReferParams params(CallId of = kNoCall) const {
    ReferParams out;
    out.call = of;
    out.to = bob.id;
    out.target = *Uri::parse("room@home.example");
    out.from = *Uri::parse("alice@home.example");
    out.refer_to = *Uri::parse("carol@home.example");
    return out;
  }
  // Bob has taken it.
  std::pair<SubscriptionId, SubscriptionId> refer(CallId of = kNoCall) {
    const auto a = alice.core.refer(now, params(of));
    EXPECT_TRUE(a);
    settle();
    const auto b = bob.take<ReferReceived>().subscription;
    EXPECT_TRUE(bob.core.accept_subscription(now, b));
    settle();
    EXPECT_EQ(alice.take<ReferAnswered>().code, 202);
    EXPECT_EQ(alice.take<ReferProgress>().code, 100);
    return {a.value_or(kNoSubscription), b};
  }
};

TEST(Refer, InsideACallAddsAMemberAndTellsWhatCameOfIt) {
  Referring p;
  const auto [call_a, call_b] = p.talk();
  auto wanted = p.params(call_a);
  wanted.referred_by = *Uri::parse("alice@home.example");
  const auto a = p.alice.core.refer(p.now, wanted);
  ASSERT_TRUE(a);
  p.settle();
  const auto asked = p.bob.take<ReferReceived>();
  EXPECT_EQ(asked.call, call_b);
  EXPECT_EQ(asked.peer, p.alice.id);
  EXPECT_EQ(asked.refer_to.to_string(), "sip:carol@home.example");
  EXPECT_EQ(asked.method, "INVITE");
  EXPECT_EQ(asked.replaces, std::nullopt);
  ASSERT_TRUE(asked.referred_by);
  EXPECT_EQ(asked.referred_by->address(), "alice@home.example");
  EXPECT_TRUE(asked.progress);
  ASSERT_TRUE(p.bob.core.accept_subscription(p.now, asked.subscription));
  ASSERT_TRUE(p.bob.core.report_refer(p.now, asked.subscription, 180));
  ASSERT_TRUE(p.bob.core.report_refer(p.now, asked.subscription, 486, "On the phone"));
  p.settle();
  EXPECT_EQ(p.alice.take<ReferAnswered>().code, 202);
  EXPECT_EQ(p.alice.take<ReferProgress>().code, 100);
  EXPECT_EQ(p.alice.take<ReferProgress>().code, 180);
  const auto last = p.alice.take<ReferProgress>();
  EXPECT_EQ(last.subscription, *a);
  EXPECT_EQ(last.call, call_a);
  EXPECT_EQ(last.code, 486);
  EXPECT_EQ(last.reason, "On the phone");
  EXPECT_EQ(p.alice.take<SubscriptionEnded>().reason, "noresource");
  EXPECT_TRUE(p.bob.take<SubscriptionEnded>().by_us);
  EXPECT_EQ(p.log, (Lines{"> REFER", "< 202", "< NOTIFY", "< NOTIFY", "< NOTIFY", "> 200", "> 200", "> 200"}));
  EXPECT_EQ(p.alice.core.subscriptions() + p.bob.core.subscriptions(), 0u);
  EXPECT_EQ(p.alice.has<NotifyReceived>(), nullptr);
}

TEST(Refer, TakesAMemberOutByItsMethod) {
  Referring p;
  auto wanted = p.params();
  wanted.refer_to.params = "transport=tcp";
  wanted.method = "BYE";
  ASSERT_TRUE(p.alice.core.refer(p.now, wanted));
  p.settle();
  const auto asked = p.bob.take<ReferReceived>();
  EXPECT_EQ(asked.call, kNoCall);
  EXPECT_EQ(asked.target.address(), "room@home.example");
  EXPECT_EQ(asked.method, "BYE");
  EXPECT_EQ(asked.refer_to.to_string(), "sip:carol@home.example;transport=tcp") << "the method is no part of the name";
}

TEST(Refer, CarriesTheDialogThatTheCallIsToReplace) {
  Referring p;
  auto wanted = p.params();
  wanted.replaces = DialogName{"a84b@h&x", "t=1", "f-2"};
  EXPECT_FALSE(p.alice.core.refer(p.now, wanted)) << "no tag has an equals sign";
  wanted.replaces = DialogName{"a84b@h", "t1", "f-2"};
  ASSERT_TRUE(p.alice.core.refer(p.now, wanted));
  p.settle();
  EXPECT_EQ(p.bob.take<ReferReceived>().replaces, wanted.replaces);
}

TEST(Refer, IsDeclined) {
  Referring p;
  ASSERT_TRUE(p.alice.core.refer(p.now, p.params()));
  p.settle();
  ASSERT_TRUE(p.bob.core.reject_subscription(p.now, p.bob.take<ReferReceived>().subscription, 603));
  p.settle();
  EXPECT_EQ(p.alice.take<ReferAnswered>().code, 603);
  EXPECT_EQ(p.alice.take<SubscriptionEnded>().code, 603);
}

TEST(Refer, WithoutProgressEndsWithItsAcceptance) {
  Referring p;
  auto wanted = p.params();
  wanted.progress = false;
  ASSERT_TRUE(p.alice.core.refer(p.now, wanted));
  p.settle();
  const auto asked = p.bob.take<ReferReceived>();
  EXPECT_FALSE(asked.progress);
  ASSERT_TRUE(p.bob.core.accept_subscription(p.now, asked.subscription));
  p.settle();
  EXPECT_EQ(p.log, (Lines{"> REFER", "< 202"}));
  EXPECT_EQ(p.alice.take<ReferAnswered>().code, 202);
  EXPECT_EQ(p.alice.take<SubscriptionEnded>().reason, "norefersub");
  EXPECT_EQ(p.bob.take<SubscriptionEnded>().reason, "norefersub");
  EXPECT_FALSE(p.bob.core.report_refer(p.now, asked.subscription, 200));
}

TEST(Refer, ThatNobodyReportsOfEndsWithItsTime) {
  Referring p;
  p.refer();
  p.run_for(std::chrono::minutes(6));
  EXPECT_EQ(p.alice.take<SubscriptionEnded>().reason, "timeout");
  EXPECT_EQ(p.bob.take<SubscriptionEnded>().reason, "timeout");
  EXPECT_EQ(p.alice.core.next_timeout(), kNever);
}

TEST(Refer, IsMadeQuietByWhoSentIt) {
  Referring p;
  const auto [a, b] = p.refer();
  ASSERT_TRUE(p.alice.core.end_subscription(p.now, a));
  p.settle();
  EXPECT_TRUE(p.alice.take<SubscriptionEnded>().by_us);
  EXPECT_EQ(p.bob.take<SubscriptionEnded>().subscription, b);
  EXPECT_FALSE(p.alice.core.refresh_subscription(p.now, a));
}

TEST(Refer, OfSeveralInOneCallAreKeptApart) {
  Referring p;
  const auto [call_a, call_b] = p.talk();
  const auto [a1, b1] = p.refer(call_a);
  const auto [a2, b2] = p.refer(call_a);
  ASSERT_TRUE(p.bob.core.report_refer(p.now, b2, 200));
  p.settle();
  const auto done = p.alice.take<ReferProgress>();
  EXPECT_EQ(done.subscription, a2);
  EXPECT_EQ(done.code, 200);
  EXPECT_EQ(done.reason, "OK");
  ASSERT_TRUE(p.bob.core.report_refer(p.now, b1, 404));
  p.settle();
  EXPECT_EQ(p.alice.take<ReferProgress>().subscription, a1);
}

TEST(Refer, ThatTheFarEndNeverAnswersIs408) {
  Referring p;
  p.lose = [](const std::string& line) { return line == "> REFER"; };
  ASSERT_TRUE(p.alice.core.refer(p.now, p.params()));
  p.run_for(seconds(33));
  EXPECT_EQ(p.alice.take<ReferAnswered>().code, 408);
  EXPECT_EQ(p.alice.take<SubscriptionEnded>().code, 408);
}

class ReferText : public FarEnd {
 protected:
  ReferText() { bob.core = Core(conference_config("bob@home.example", true), bob.rng); }

  Request refer(const std::string& extra) {
    Request r;
    r.method = "REFER";
    r.branch = "z9hG4bKrefer" + std::to_string(++made_);
    r.call_id = "refer-" + std::to_string(made_);
    r.extra += extra;
    r.body.clear();
    return r;
  }
  int made_ = 0;
};

TEST_F(ReferText, NeedsOneReferToThatIsASipUri) {
  EXPECT_EQ(status(refer("").str()), 400);
  EXPECT_EQ(status(refer("Refer-To: <sip:c@h>\r\nRefer-To: <sip:d@h>\r\n").str()), 400);
  EXPECT_EQ(status(refer("Refer-To: c\r\n").str()), 400);
  EXPECT_EQ(status(refer("Refer-To: <tel:+123>\r\n").str()), 416);
  EXPECT_EQ(status(refer("Refer-To: <sip:c@h;method=a%20b>\r\n").str()), 400);
  EXPECT_EQ(status(refer("Refer-To: <sip:c@h?Replaces=nothing>\r\n").str()), 400);
  EXPECT_EQ(bob.core.subscriptions(), 0u);
  EXPECT_EQ(status(refer("r: <sip:c@h?Replaces=1%40h%3Bto-tag%3D2%3Bfrom-tag%3D3&Subject=x>\r\n").str()), 0);
  const auto asked = bob.take<ReferReceived>();
  EXPECT_EQ(asked.replaces, (DialogName{"1@h", "2", "3"}));
}

TEST_F(ReferText, IsDeclinedByWhoTakesNone) {
  bob.core = Core(config_of("bob@home.example", true), bob.rng);
  EXPECT_EQ(status(refer("Refer-To: <sip:c@h>\r\n").str()), 603);
  EXPECT_TRUE(bob.events.empty());
  auto required = refer("Refer-To: <sip:c@h>\r\nRequire: norefersub\r\n");
  EXPECT_EQ(status(required.str()), 420);
}

TEST_F(ReferText, IsNotTakenInTheNameOfAnother) {
  ASSERT_TRUE(bob.core.set_peer_identity(peer_id(1), {"alice@home.example"}));
  EXPECT_EQ(status(refer("Refer-To: <sip:c@h>\r\nReferred-By: <sip:mallory@home.example>\r\n").str()), 403);
}

TEST_F(ReferText, NamesItsNumberInEachNotify) {
  auto r = refer("Refer-To: <sip:c@h>\r\n");
  r.cseq = "4711";
  send(r.str());
  ASSERT_TRUE(bob.core.accept_subscription(now, bob.take<ReferReceived>().subscription));
  const auto sent = drain();
  ASSERT_EQ(what(sent), (Lines{"202 REFER", "NOTIFY"}));
  EXPECT_EQ(sent[1].header(HeaderId::event), "refer;id=4711");
  EXPECT_EQ(sent[1].header(HeaderId::subscription_state), "active;expires=300");
  EXPECT_EQ(std::string(sent[1].m.content_type), "message/sipfrag");
  EXPECT_EQ(std::string(sent[1].m.body), "SIP/2.0 100 Trying\r\n");
}

TEST_F(ReferText, TakesAFragmentAndRefusesWhatIsNone) {
  ReferParams params;
  params.to = peer_id(1);
  params.target = *Uri::parse("alice@home.example");
  params.from = *Uri::parse("bob@home.example");
  params.refer_to = *Uri::parse("carol@home.example");
  ASSERT_TRUE(bob.core.refer(now, params));
  const auto sent = drain().at(0);
  EXPECT_EQ(sent.header(HeaderId::refer_to), "<sip:carol@home.example>");
  int n = 0;
  const auto notify = [&](const std::string& state, const std::string& body, const std::string& type) {
    Request r;
    r.method = "NOTIFY";
    r.branch = "z9hG4bKn" + std::to_string(++n);
    r.from = "<sip:alice@home.example>;tag=n1";
    r.to = "<sip:bob@home.example>;tag=" + std::string(sent.m.from.tag);
    r.call_id = std::string(sent.m.call_id);
    r.cseq = std::to_string(n);
    r.extra += "Event: refer\r\nSubscription-State: " + state + "\r\n";
    r.body = body;
    r.type = type;
    return status(r.str());
  };
  EXPECT_EQ(notify("active", "SIP/2.0 180 Ringing\r\nContact: x\r\n", "message/sipfrag;version=2.0"), 200);
  EXPECT_EQ(bob.take<ReferProgress>().code, 180) << "also without the id of the first one";
  EXPECT_EQ(notify("active", "ringing", "message/sipfrag"), 400);
  EXPECT_EQ(notify("active", "SIP/2.0 180 Ringing", "text/plain"), 415);
  EXPECT_EQ(notify("active;expires=x", "SIP/2.0 180 Ringing", "message/sipfrag"), 400);
  EXPECT_EQ(notify("terminated;reason=noresource", "SIP/2.0 200", "message/sipfrag"), 200);
  EXPECT_EQ(bob.take<ReferProgress>().code, 200);
  EXPECT_EQ(bob.take<SubscriptionEnded>().reason, "noresource");
  EXPECT_EQ(notify("terminated", "", "message/sipfrag"), 481);
}

}  // namespace
}  // namespace linnet::sip
