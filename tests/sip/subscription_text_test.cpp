// What a user agent answers to SUBSCRIBE and NOTIFY (RFC 6665), message by message.
#include <gtest/gtest.h>

#include "tests/sip/far_end.h"

namespace linnet::sip {
namespace {

class SubscriptionText : public FarEnd {
 protected:
  SubscriptionText() { bob.core = Core(conference_config("bob@home.example", true), bob.rng); }

  Request subscribe(const std::string& extra = "Event: conference\r\n") {
    Request r;
    r.method = "SUBSCRIBE";
    r.branch = "z9hG4bKsub" + std::to_string(++made_);
    r.call_id = "sub-" + std::to_string(made_);
    r.extra += extra;
    r.body.clear();
    return r;
  }
  // Bob subscribes: gives his SUBSCRIBE.
  Sent watch() {
    SubscribeParams params;
    params.to = peer_id(1);
    params.target = *Uri::parse("room@home.example");
    params.from = *Uri::parse("bob@home.example");
    params.package = "conference";
    params.accept = {kInfoType};
    EXPECT_TRUE(bob.core.subscribe(now, params));
    return drain().at(0);
  }
  Request notify(const Sent& asked, const std::string& extra) {
    Request r;
    r.method = "NOTIFY";
    r.branch = "z9hG4bKnot" + std::to_string(++made_);
    r.from = "<sip:room@home.example>;tag=n1";
    r.to = "<sip:bob@home.example>;tag=" + std::string(asked.m.from.tag);
    r.call_id = std::string(asked.m.call_id);
    r.cseq = std::to_string(made_);
    r.extra = "Contact: <sip:focus@home.example>\r\n" + extra;
    r.body = "<x/>";
    r.type = kInfoType;
    return r;
  }
  int made_ = 0;
};

const std::string kActive = "Event: conference\r\nSubscription-State: active;expires=3600\r\n";

TEST_F(SubscriptionText, NamesWhatIsServedIn489And423And406) {
  const auto unknown = send(subscribe("Event: presence\r\n").str());
  EXPECT_TRUE(unknown.starts_with("SIP/2.0 489 Bad Event\r\n"));
  EXPECT_NE(unknown.find("Allow-Events: conference\r\n"), std::string::npos);
  EXPECT_EQ(status(subscribe("").str()), 489) << "without an Event";
  EXPECT_EQ(status(subscribe("Event: Conference\r\n").str()), 489) << "its case counts";
  EXPECT_EQ(status(subscribe("Event: conference;id=\"x\"\r\n").str()), 489);
  const auto brief = send(subscribe("o: conference\r\nExpires: 59\r\n").str());
  EXPECT_TRUE(brief.starts_with("SIP/2.0 423 Interval Too Brief\r\n"));
  EXPECT_NE(brief.find("Min-Expires: 60\r\n"), std::string::npos);
  const auto deaf = send(subscribe("Event: conference\r\nAccept: text/plain, application/xml\r\n").str());
  EXPECT_TRUE(deaf.starts_with("SIP/2.0 406"));
  EXPECT_NE(deaf.find("Accept: " + kInfoType + "\r\n"), std::string::npos);
  EXPECT_EQ(bob.core.subscriptions(), 0u);
  EXPECT_EQ(status(subscribe("Event: conference\r\nAccept: text/plain, application/*\r\n").str()), 0);
  EXPECT_EQ(bob.take<SubscriptionRequested>().expires, 3600u) << "where nothing is asked for";
}

TEST_F(SubscriptionText, AnswersACopyOfWhatItAcceptedAlike) {
  auto r = subscribe();
  send(r.str());
  const auto b = bob.take<SubscriptionRequested>().subscription;
  r.branch = "z9hG4bKcopy";
  EXPECT_EQ(status(r.str()), 482) << "undecided yet";
  ASSERT_TRUE(bob.core.accept_subscription(now, b));
  const auto first = drain().at(0);
  EXPECT_EQ(first.header(HeaderId::expires), "3600");
  r.branch = "z9hG4bKcopy2";
  const auto again = exchange(r.str()).at(0);
  EXPECT_EQ(again.what(), "200 SUBSCRIBE");
  EXPECT_EQ(again.to_tag(), first.to_tag());
  EXPECT_EQ(bob.core.subscriptions(), 1u);
}

TEST_F(SubscriptionText, KnowsASubscriptionOnlyByItsDialogPeerAndEvent) {
  auto r = subscribe();
  send(r.str());
  ASSERT_TRUE(bob.core.accept_subscription(now, bob.take<SubscriptionRequested>().subscription));
  r.to += ";tag=" + drain().at(0).to_tag();
  const auto again = [&](const std::string& extra, PeerId from = peer_id(1)) {
    r.cseq = std::to_string(++made_);
    r.branch = "z9hG4bKagain" + r.cseq;
    r.extra = "Contact: <sip:alice@home.example>\r\n" + extra;
    return status(r.str(), from);
  };
  EXPECT_EQ(again("Event: conference\r\n", peer_id(9)), 481);
  EXPECT_EQ(again("Event: conference;id=1\r\n"), 481);
  EXPECT_EQ(again(""), 489);
  EXPECT_EQ(again("Event: conference\r\nExpires: 5\r\n"), 423);
  EXPECT_EQ(again("Event: conference\r\n"), 200);
  EXPECT_NE(bob.has<SubscriptionRefreshed>(), nullptr);
  r.cseq = "1";
  r.branch = "z9hG4bKold";
  EXPECT_EQ(status(r.str()), 500) << "a number from the past";
  r.from = "<sip:alice@home.example>;tag=a2";
  EXPECT_EQ(again("Event: conference\r\n"), 481);
}

TEST_F(SubscriptionText, TakesTheFirstNotifyBeforeTheAnswer) {
  const auto asked = watch();
  EXPECT_EQ(asked.header(HeaderId::event), "conference");
  EXPECT_EQ(asked.header(HeaderId::expires), "3600");
  EXPECT_EQ(asked.header(HeaderId::accept), kInfoType);
  EXPECT_EQ(status(notify(asked, kActive).str()), 200);
  EXPECT_EQ(bob.take<NotifyReceived>().body, "<x/>");
  exchange(response_to(asked, 200, "n1", "Expires: 600\r\n"));
  auto forked = notify(asked, kActive);
  forked.from = "<sip:room@home.example>;tag=n2";
  EXPECT_EQ(status(forked.str()), 481) << "another notifier: one is enough";
  // In the dialog that the NOTIFY made.
  const auto refresh = wait(seconds(580));
  ASSERT_EQ(what(refresh), (std::vector<std::string>{"SUBSCRIBE"}));
  EXPECT_EQ(refresh[0].to_tag(), "n1");
  EXPECT_EQ(std::string(refresh[0].m.uri_text), "sip:focus@home.example");
}

TEST_F(SubscriptionText, RefusesANotifyOfNothingOrOfTheWrongKind) {
  const auto asked = watch();
  EXPECT_EQ(status(notify(asked, kActive).str(), peer_id(9)), 481);
  EXPECT_EQ(status(notify(asked, "Event: presence\r\nSubscription-State: active\r\n").str()), 481);
  EXPECT_EQ(status(notify(asked, "Event: conference;id=7\r\nSubscription-State: active\r\n").str()), 481);
  EXPECT_EQ(status(notify(asked, "Subscription-State: active\r\n").str()), 489);
  EXPECT_EQ(status(notify(asked, "Event: conference\r\n").str()), 400);
  EXPECT_EQ(status(notify(asked, "Event: conference\r\nSubscription-State: active;expires=-1\r\n").str()), 400);
  auto plain = notify(asked, kActive);
  plain.type = "text/plain";
  const auto response = send(plain.str());
  EXPECT_TRUE(response.starts_with("SIP/2.0 415")) << response;
  EXPECT_NE(response.find("Accept: " + kInfoType + "\r\n"), std::string::npos);
  EXPECT_EQ(bob.has<NotifyReceived>(), nullptr);
  Request stray;
  stray.method = "NOTIFY";
  stray.extra += kActive;
  EXPECT_EQ(status(stray.str()), 481) << "in no dialog at all";
}

TEST_F(SubscriptionText, TriesARefusedRefreshAgainAndGivesUpWhereThereIsNothingLeft) {
  const auto asked = watch();
  send(notify(asked, kActive).str());
  exchange(response_to(asked, 200, "n1", "Expires: 3600\r\n"));
  auto refresh = wait(seconds(3540));
  ASSERT_EQ(what(refresh), (std::vector<std::string>{"SUBSCRIBE"}));
  exchange(response_to(refresh[0], 500, "n1"));
  refresh = wait(seconds(40));
  ASSERT_EQ(what(refresh), (std::vector<std::string>{"SUBSCRIBE"}));
  EXPECT_EQ(bob.has<SubscriptionEnded>(), nullptr);
  exchange(response_to(refresh[0], 481, "n1"));
  EXPECT_EQ(bob.take<SubscriptionEnded>().code, 481);
}

TEST_F(SubscriptionText, RefusesTheNinthOfAPeerWith503) {
  for (int i = 0; i < 8; ++i) EXPECT_EQ(status(subscribe().str()), 0);
  const auto response = send(subscribe().str());
  EXPECT_TRUE(response.starts_with("SIP/2.0 503"));
  EXPECT_NE(response.find("Retry-After: 60\r\n"), std::string::npos);
  EXPECT_EQ(status(subscribe().str(), peer_id(7)), 0) << "others are not harmed";
}

TEST_F(SubscriptionText, RefusesWhatIsTooManyInAllWith503AndTakesMoreWhenOneHasEnded) {
  auto config = conference_config("bob@home.example", true);
  config.limits.subscriptions = 3;
  bob.core = Core(config, bob.rng);
  for (std::uint8_t peer = 11; peer < 14; ++peer) EXPECT_EQ(status(subscribe().str(), peer_id(peer)), 0);
  EXPECT_EQ(status(subscribe().str(), peer_id(14)), 503);
  auto refer = subscribe("Refer-To: <sip:c@h>\r\n");
  refer.method = "REFER";
  EXPECT_EQ(status(refer.str(), peer_id(14)), 503) << "one kind of table for both";
  EXPECT_EQ(bob.core.counters().refused_full, 2u);
  EXPECT_EQ(bob.core.subscriptions(), 3u);
  bob.core.peer_lost(now, peer_id(12));
  EXPECT_EQ(status(subscribe().str(), peer_id(14)), 0);
}

TEST_F(SubscriptionText, InsideACallBeginsWhenTheCallStandsAndSaysThatWeAreItsFocus) {
  send(Request{}.str());
  call = bob.take<IncomingCall>().call;
  ASSERT_TRUE(bob.core.set_focus(call, true));
  ASSERT_TRUE(bob.core.ring(now, call));
  const auto tag = drain().at(0).to_tag();
  auto early = inside("SUBSCRIBE", tag, 2);
  early.extra += "Event: conference\r\n";
  EXPECT_EQ(status(early.str()), 480);
  ASSERT_TRUE(bob.core.accept(now, call, kAnswer));
  drain();
  auto r = inside("SUBSCRIBE", tag, 3);
  r.extra += "Event: conference\r\n";
  EXPECT_EQ(status(r.str()), 0);
  const auto b = bob.take<SubscriptionRequested>().subscription;
  ASSERT_TRUE(bob.core.accept_subscription(now, b));
  ASSERT_TRUE(bob.core.notify(now, b, kInfoType, "<full/>"));
  const auto sent = drain();
  ASSERT_EQ(what(sent), (std::vector<std::string>{"200 SUBSCRIBE", "NOTIFY"}));
  for (const auto& s : sent) EXPECT_EQ(s.header(HeaderId::contact), "<sip:bob@home.example>;isfocus");
  EXPECT_EQ(sent[1].header(HeaderId::call_id), "call-1");
  EXPECT_EQ(sent[1].header(HeaderId::subscription_state), "active;expires=3600");
}

}  // namespace
}  // namespace linnet::sip
