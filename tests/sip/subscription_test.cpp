// Event subscriptions (RFC 6665) between two user agents.
#include <gtest/gtest.h>

#include "tests/sip/pair.h"

namespace linnet::sip {
namespace {

using Lines = std::vector<std::string>;
using std::chrono::hours;

struct Watched : Pair {
  explicit Watched(bool reliable = true, std::uint64_t seed = 1) : Pair(reliable, seed) { confer(reliable); }

  SubscribeParams params(CallId of = kNoCall, std::uint32_t expires = 3600) const {
    SubscribeParams out;
    out.call = of;
    out.to = bob.id;
    out.target = *Uri::parse("room@home.example");
    out.from = *Uri::parse("alice@home.example");
    out.package = "conference";
    out.accept = {kInfoType};
    out.expires = expires;
    return out;
  }
  // Both ends of a subscription that stands; no events left over.
  std::pair<SubscriptionId, SubscriptionId> watch(CallId of = kNoCall, std::uint32_t expires = 3600) {
    const auto a = alice.core.subscribe(now, params(of, expires));
    EXPECT_TRUE(a);
    settle();
    const auto b = bob.take<SubscriptionRequested>().subscription;
    EXPECT_TRUE(bob.core.accept_subscription(now, b));
    EXPECT_TRUE(bob.core.notify(now, b, kInfoType, "<full/>"));
    settle();
    EXPECT_EQ(alice.take<NotifyReceived>().subscription, a.value_or(kNoSubscription));
    alice.events.clear();
    bob.events.clear();
    log.clear();
    return {a.value_or(kNoSubscription), b};
  }
};

TEST(Subscription, SharesTheDialogOfACall) {
  Watched p;
  const auto [call_a, call_b] = p.talk();
  const auto a = p.alice.core.subscribe(p.now, p.params(call_a));
  ASSERT_TRUE(a);
  p.settle();
  const auto asked = p.bob.take<SubscriptionRequested>();
  EXPECT_EQ(asked.call, call_b);
  EXPECT_EQ(asked.peer, p.alice.id);
  EXPECT_EQ(asked.from.address(), "alice@home.example");
  EXPECT_EQ(asked.target.address(), "bob@home.example") << "the target of the call's dialog";
  EXPECT_EQ(asked.package, "conference");
  EXPECT_EQ(asked.accepts, Lines{kInfoType});
  EXPECT_EQ(asked.expires, 3600u);
  ASSERT_TRUE(p.bob.core.accept_subscription(p.now, asked.subscription));
  ASSERT_TRUE(p.bob.core.notify(p.now, asked.subscription, kInfoType, "<one/>"));
  ASSERT_TRUE(p.bob.core.notify(p.now, asked.subscription, kInfoType, "<two/>"));
  p.settle();
  const auto first = p.alice.take<NotifyReceived>();
  EXPECT_EQ(first.subscription, *a);
  EXPECT_EQ(first.call, call_a);
  EXPECT_EQ(first.state, SubscriptionState::active);
  EXPECT_EQ(first.content_type, kInfoType);
  EXPECT_EQ(first.body, "<one/>");
  EXPECT_EQ(p.alice.take<NotifyReceived>().body, "<two/>");
  EXPECT_EQ(p.log, (Lines{"> SUBSCRIBE", "< 200", "< NOTIFY", "< NOTIFY", "> 200", "> 200"}));
  EXPECT_FALSE(p.alice.core.subscribe(p.now, p.params(call_a))) << "one for each package in a call";
}

TEST(Subscription, OfBothEndsInOneCallAreKeptApart) {
  Watched p;
  const auto [call_a, call_b] = p.talk();
  const auto [a, b] = p.watch(call_a);
  auto back = p.params(call_b);
  const auto c = p.bob.core.subscribe(p.now, back);
  ASSERT_TRUE(c);
  p.settle();
  const auto d = p.alice.take<SubscriptionRequested>().subscription;
  ASSERT_TRUE(p.alice.core.accept_subscription(p.now, d));
  ASSERT_TRUE(p.alice.core.notify(p.now, d, kInfoType, "<hers/>"));
  ASSERT_TRUE(p.bob.core.notify(p.now, b, kInfoType, "<his/>"));
  p.settle();
  const auto hers = p.bob.take<NotifyReceived>();
  EXPECT_EQ(hers.subscription, *c);
  EXPECT_EQ(hers.body, "<hers/>");
  const auto his = p.alice.take<NotifyReceived>();
  EXPECT_EQ(his.subscription, a);
  EXPECT_EQ(his.body, "<his/>");
}

TEST(Subscription, OutsideOfACallHasADialogOfItsOwn) {
  Watched p;
  ASSERT_TRUE(p.alice.core.subscribe(p.now, p.params()));
  p.settle();
  const auto asked = p.bob.take<SubscriptionRequested>();
  EXPECT_EQ(asked.call, kNoCall);
  EXPECT_EQ(asked.target.address(), "room@home.example");
  ASSERT_TRUE(p.bob.core.accept_subscription(p.now, asked.subscription));
  ASSERT_TRUE(p.bob.core.notify(p.now, asked.subscription, kInfoType, "<full/>"));
  p.settle();
  EXPECT_EQ(p.alice.take<NotifyReceived>().body, "<full/>");
  EXPECT_EQ(p.alice.core.subscriptions() + p.bob.core.subscriptions(), 2u);
}

TEST(Subscription, IsEndedByTheSubscriberWithALastNotify) {
  Watched p;
  const auto [a, b] = p.watch();
  ASSERT_TRUE(p.alice.core.end_subscription(p.now, a));
  EXPECT_FALSE(p.alice.core.end_subscription(p.now, a)) << "it is said already";
  p.settle();
  EXPECT_EQ(p.log, (Lines{"> SUBSCRIBE", "< 200", "< NOTIFY", "> 200"}));
  EXPECT_EQ(p.alice.take<NotifyReceived>().state, SubscriptionState::terminated);
  const auto ours = p.alice.take<SubscriptionEnded>();
  EXPECT_EQ(ours.subscription, a);
  EXPECT_TRUE(ours.by_us);
  const auto theirs = p.bob.take<SubscriptionEnded>();
  EXPECT_EQ(theirs.subscription, b);
  EXPECT_FALSE(theirs.by_us);
  EXPECT_EQ(theirs.reason, "timeout");
  EXPECT_EQ(p.alice.core.subscriptions() + p.bob.core.subscriptions(), 0u);
  p.run_for(hours(2));
  EXPECT_EQ(p.alice.core.next_timeout(), kNever);
  EXPECT_EQ(p.bob.core.next_timeout(), kNever);
}

TEST(Subscription, GivenUpBeforeItsFirstNotifyIsForgottenAndThatNotifyGets481) {
  Watched p;
  const auto a = p.alice.core.subscribe(p.now, p.params());
  ASSERT_TRUE(a);
  ASSERT_TRUE(p.alice.core.end_subscription(p.now, *a));
  EXPECT_TRUE(p.alice.core.subscriptions() == 0);
  p.settle();
  const auto b = p.bob.take<SubscriptionRequested>().subscription;
  ASSERT_TRUE(p.bob.core.accept_subscription(p.now, b));
  ASSERT_TRUE(p.bob.core.notify(p.now, b, kInfoType, "<full/>"));
  p.settle();
  EXPECT_EQ(p.bob.take<SubscriptionEnded>().code, 481);
  EXPECT_EQ(p.bob.core.subscriptions(), 0u);
}

TEST(Subscription, IsEndedByTheNotifierWithAReason) {
  Watched p;
  const auto [a, b] = p.watch();
  ASSERT_TRUE(p.bob.core.end_subscription(p.now, b, "probation", 30));
  p.settle();
  EXPECT_EQ(p.log, (Lines{"< NOTIFY", "> 200"}));
  EXPECT_TRUE(p.bob.take<SubscriptionEnded>().by_us);
  const auto ended = p.alice.take<SubscriptionEnded>();
  EXPECT_EQ(ended.subscription, a);
  EXPECT_EQ(ended.reason, "probation");
  EXPECT_EQ(ended.retry_after, 30u);
  EXPECT_FALSE(ended.by_us);
  EXPECT_FALSE(p.bob.core.notify(p.now, b, kInfoType, "<late/>"));
}

TEST(Subscription, IsRefreshedBeforeItEndsAndGetsTheFullStateEachTime) {
  Watched p;
  const auto [a, b] = p.watch();
  int refreshed = 0;
  for (int i = 0; i < 12 * 360; ++i) {
    p.run_for(seconds(10));
    while (p.bob.has<SubscriptionRefreshed>() != nullptr) {
      EXPECT_EQ(p.bob.take<SubscriptionRefreshed>().expires, 3600u);
      ASSERT_TRUE(p.bob.core.notify(p.now, b, kInfoType, "<again/>"));
      p.settle();
      EXPECT_EQ(p.alice.take<NotifyReceived>().body, "<again/>");
      ++refreshed;
    }
  }
  EXPECT_EQ(refreshed, 12) << "a little more often than once an hour";
  EXPECT_EQ(p.sent("> SUBSCRIBE"), refreshed);
  EXPECT_EQ(p.alice.has<SubscriptionEnded>(), nullptr);
  EXPECT_EQ(p.bob.has<SubscriptionEnded>(), nullptr);
}

TEST(Subscription, IsRefreshedAtOnceWhenThePersonAsks) {
  Watched p;
  const auto [a, b] = p.watch();
  ASSERT_TRUE(p.alice.core.refresh_subscription(p.now, a));
  ASSERT_TRUE(p.alice.core.refresh_subscription(p.now, a)) << "one is on its way";
  p.settle();
  EXPECT_EQ(p.sent("> SUBSCRIBE"), 1);
  EXPECT_EQ(p.bob.take<SubscriptionRefreshed>().subscription, b);
  EXPECT_FALSE(p.bob.core.refresh_subscription(p.now, b)) << "the notifier has nothing to ask for";
}

TEST(Subscription, OfASubscriberThatIsGoneEndsWithItsTime) {
  Watched p;
  p.watch(kNoCall, 120);
  p.lose = [](const std::string& line) { return line == "> SUBSCRIBE"; };
  p.run_for(seconds(120));
  EXPECT_EQ(p.sent("< NOTIFY"), 1) << "that it is over";
  EXPECT_EQ(p.bob.take<SubscriptionEnded>().reason, "timeout");
  EXPECT_NE(p.alice.has<SubscriptionEnded>(), nullptr);
  EXPECT_EQ(p.alice.core.subscriptions() + p.bob.core.subscriptions(), 0u);
}

TEST(Subscription, OfASubscriberThatAnswersNoNotifyIsForgotten) {
  Watched p(false);
  const auto [a, b] = p.watch();
  p.lose = [](const std::string&) { return true; };
  ASSERT_TRUE(p.bob.core.notify(p.now, b, kInfoType, "<unheard/>"));
  p.run_for(seconds(33));
  EXPECT_EQ(p.bob.take<SubscriptionEnded>().code, 408);
}

TEST(Subscription, MayWaitForConsent) {
  Watched p;
  const auto a = p.alice.core.subscribe(p.now, p.params());
  ASSERT_TRUE(a);
  p.settle();
  const auto b = p.bob.take<SubscriptionRequested>().subscription;
  ASSERT_TRUE(p.bob.core.accept_subscription(p.now, b, SubscriptionState::pending));
  p.settle();
  const auto waits = p.alice.take<NotifyReceived>();
  EXPECT_EQ(waits.state, SubscriptionState::pending);
  EXPECT_EQ(waits.body, "");
  ASSERT_TRUE(p.bob.core.notify(p.now, b, kInfoType, "<full/>"));
  p.settle();
  EXPECT_EQ(p.alice.take<NotifyReceived>().state, SubscriptionState::active);
}

TEST(Subscription, IsRejected) {
  Watched p;
  const auto a = p.alice.core.subscribe(p.now, p.params());
  ASSERT_TRUE(a);
  p.settle();
  const auto b = p.bob.take<SubscriptionRequested>().subscription;
  ASSERT_TRUE(p.bob.core.reject_subscription(p.now, b, 403));
  p.settle();
  const auto ended = p.alice.take<SubscriptionEnded>();
  EXPECT_EQ(ended.code, 403);
  EXPECT_EQ(p.bob.take<SubscriptionEnded>().code, 403);
  EXPECT_EQ(p.log, (Lines{"> SUBSCRIBE", "< 403"}));
}

TEST(Subscription, ThatNobodyDecidesGets480BeforeItsRequestTimesOut) {
  Watched p;
  ASSERT_TRUE(p.alice.core.subscribe(p.now, p.params()));
  p.run_for(seconds(31));
  EXPECT_EQ(p.alice.take<SubscriptionEnded>().code, 480);
  EXPECT_EQ(p.bob.take<SubscriptionEnded>().reason, "timeout");
  EXPECT_EQ(p.bob.core.transactions(), 0u);
}

TEST(Subscription, FetchesTheStateOnce) {
  Watched p;
  const auto a = p.alice.core.subscribe(p.now, p.params(kNoCall, 0));
  ASSERT_TRUE(a);
  p.settle();
  const auto asked = p.bob.take<SubscriptionRequested>();
  EXPECT_EQ(asked.expires, 0u);
  ASSERT_TRUE(p.bob.core.accept_subscription(p.now, asked.subscription));
  ASSERT_TRUE(p.bob.core.notify(p.now, asked.subscription, kInfoType, "<once/>"));
  p.settle();
  const auto got = p.alice.take<NotifyReceived>();
  EXPECT_EQ(got.body, "<once/>");
  EXPECT_EQ(got.state, SubscriptionState::terminated);
  EXPECT_EQ(p.alice.take<SubscriptionEnded>().subscription, *a);
  EXPECT_EQ(p.alice.core.subscriptions() + p.bob.core.subscriptions(), 0u);
}

TEST(Subscription, WithoutAnyNotifyEndsAtTimerN) {
  Watched p;
  const auto a = p.alice.core.subscribe(p.now, p.params());
  ASSERT_TRUE(a);
  p.settle();
  ASSERT_TRUE(p.bob.core.accept_subscription(p.now, p.bob.take<SubscriptionRequested>().subscription));
  p.run_for(seconds(31));
  EXPECT_EQ(p.alice.has<SubscriptionEnded>(), nullptr);
  p.run_for(seconds(2));
  EXPECT_EQ(p.alice.take<SubscriptionEnded>().reason, "no NOTIFY");
}

TEST(Subscription, ThatIsTooBriefIsAskedForAgainWithWhatTheNotifierTakes) {
  Watched p;
  const auto a = p.alice.core.subscribe(p.now, p.params(kNoCall, 20));
  ASSERT_TRUE(a);
  p.settle();
  EXPECT_EQ(p.log, (Lines{"> SUBSCRIBE", "< 423", "> SUBSCRIBE"}));
  EXPECT_EQ(p.bob.take<SubscriptionRequested>().expires, 60u);
  EXPECT_EQ(p.alice.has<SubscriptionEnded>(), nullptr);
}

TEST(Subscription, ThatIsTooLongIsShortened) {
  Watched p;
  ASSERT_TRUE(p.alice.core.subscribe(p.now, p.params(kNoCall, 24 * 3600)));
  p.settle();
  EXPECT_EQ(p.bob.take<SubscriptionRequested>().expires, 3600u);
  EXPECT_FALSE(p.alice.core.subscribe(p.now, p.params(kNoCall, 24 * 3600 + 1)));
}

TEST(Subscription, ToWhatIsNotServedGets489) {
  Watched p;
  auto other = p.params();
  other.package = "presence";
  ASSERT_TRUE(p.alice.core.subscribe(p.now, other));
  p.settle();
  EXPECT_EQ(p.alice.take<SubscriptionEnded>().code, 489);
  EXPECT_TRUE(p.bob.events.empty());
}

TEST(Subscription, EndsWithItsCallAndBeforeIt) {
  Watched p;
  const auto [call_a, call_b] = p.talk();
  p.watch(call_a);
  ASSERT_TRUE(p.alice.core.bye(p.now, call_a));
  p.settle();
  for (auto* side : {&p.alice, &p.bob}) {
    ASSERT_EQ(side->events.size(), 2u);
    EXPECT_EQ(std::get<SubscriptionEnded>(side->events[0]).reason, "call ended");
    EXPECT_TRUE(std::holds_alternative<Ended>(side->events[1]));
    EXPECT_EQ(side->core.subscriptions(), 0u);
  }
  EXPECT_EQ(p.log, (Lines{"> BYE", "< 200"}));
}

TEST(Subscription, ThatWaitsForADecisionIsAnsweredWhenItsCallEnds) {
  Watched p;
  const auto [call_a, call_b] = p.talk();
  ASSERT_TRUE(p.alice.core.subscribe(p.now, p.params(call_a)));
  p.settle();
  ASSERT_TRUE(p.bob.core.bye(p.now, call_b));
  p.run_for(seconds(40));
  EXPECT_EQ(p.sent("< 481"), 1);
  EXPECT_EQ(p.alice.core.transactions() + p.bob.core.transactions(), 0u);
}

TEST(Subscription, EndsWhenThePeerIsLost) {
  Watched p;
  p.watch();
  p.bob.core.peer_lost(p.now, p.alice.id);
  p.settle();
  EXPECT_EQ(p.bob.take<SubscriptionEnded>().reason, "peer lost");
  EXPECT_EQ(p.bob.core.subscriptions(), 0u);
  EXPECT_EQ(p.bob.core.next_timeout(), kNever);
}

TEST(Subscription, SurvivesASessionThatSwallowedANotify) {
  Watched p;
  const auto [a, b] = p.watch();
  p.lose = [](const std::string& line) { return line == "< NOTIFY"; };
  ASSERT_TRUE(p.bob.core.notify(p.now, b, kInfoType, "<swallowed/>"));
  p.settle();
  p.lose = [](const std::string&) { return false; };
  p.bob.core.peer_reconnected(p.alice.id);
  p.settle();
  EXPECT_EQ(p.alice.take<NotifyReceived>().body, "<swallowed/>");
  p.lose = [](const std::string& line) { return line == "> 200"; };
  ASSERT_TRUE(p.bob.core.notify(p.now, b, kInfoType, "<heard, and not known to be/>"));
  p.settle();
  p.lose = [](const std::string&) { return false; };
  p.bob.core.peer_reconnected(p.alice.id);
  p.run_for(seconds(40));
  EXPECT_EQ(p.alice.take<NotifyReceived>().body, "<heard, and not known to be/>");
  EXPECT_EQ(p.alice.has<NotifyReceived>(), nullptr) << "the copy is not news";
  EXPECT_EQ(p.bob.core.subscriptions(), 1u);
}

TEST(Subscription, LeavesNoMoreThanEightNotifiesUnanswered) {
  Watched p;
  const auto [a, b] = p.watch();
  for (int i = 0; i < kMaxNotifies; ++i) ASSERT_TRUE(p.bob.core.notify(p.now, b, kInfoType, "<more/>"));
  EXPECT_EQ(p.bob.core.notify(p.now, b, kInfoType, "<more/>").error(), Fault::full);
  p.settle();
  EXPECT_TRUE(p.bob.core.notify(p.now, b, kInfoType, "<more/>"));
  EXPECT_EQ(p.bob.core.notify(p.now, b, "text/plain", "x").error(), Fault::malformed);
  EXPECT_EQ(p.bob.core.notify(p.now, b, kInfoType, std::string(kMaxMessage, 'x')).error(), Fault::too_big);
}

TEST(Subscription, OfOurOwnWithOnePeerAreBounded) {
  Watched p;
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(p.alice.core.subscribe(p.now, p.params()));
  EXPECT_EQ(p.alice.core.subscribe(p.now, p.params()).error(), Fault::full);
  p.settle();
  EXPECT_EQ(p.bob.core.subscriptions(), 8u);
  EXPECT_EQ(p.alice.core.counters().refused_full, 1u);
}

// Whatever is lost on the way: what arrives is in order, each once, and the last state is known in the end.
TEST(Subscription, OverALossyPathTellsTheStateInOrder) {
  int ended = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Watched p(false, seed);
    SeededRng dice(seed);
    const auto b = p.watch().second;
    p.lose = [&](const std::string&) { return dice.below(10) < 3; };
    int sent = 0;
    int heard = 0;
    for (int i = 0; i < 60; ++i) {
      if (p.bob.core.notify(p.now, b, kInfoType, "<n" + std::to_string(sent + 1) + "/>")) ++sent;
      p.run_for(milliseconds(dice.below(2000)));
    }
    p.run_for(seconds(40));
    while (p.alice.has<NotifyReceived>() != nullptr) {
      const auto body = p.alice.take<NotifyReceived>().body;
      const int n = std::stoi(body.substr(2));
      EXPECT_GT(n, heard);
      heard = n;
    }
    // One that had no answer for 64*T1 ends it.
    const bool stands = p.bob.has<SubscriptionEnded>() == nullptr;
    ended += stands ? 0 : 1;
    if (stands) {
      EXPECT_EQ(heard, sent);
    }
  }
  EXPECT_LE(ended, 4);
}

}  // namespace
}  // namespace linnet::sip
