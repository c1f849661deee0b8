// What a user agent refuses, message by message.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "sip/core.h"
#include "sip/parser.h"
#include "tests/sip/pair.h"

namespace linnet::sip {
namespace {

struct Request {
  std::string method = "INVITE";
  std::string uri = "sip:bob@home.example";
  std::string branch = "z9hG4bKone";
  std::string from = "<sip:alice@home.example>;tag=a1";
  std::string to = "<sip:bob@home.example>";
  std::string call_id = "call-1";
  std::string cseq = "1";
  std::string extra = "Contact: <sip:alice@home.example>\r\n";
  std::string type = "application/sdp";
  std::string body = kOffer;

  std::string str() const {
    return method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/LINNET h;branch=" + branch +
           "\r\nMax-Forwards: 70\r\nFrom: " + from + "\r\nTo: " + to + "\r\nCall-ID: " + call_id + "\r\nCSeq: " + cseq +
           " " + method + "\r\n" + extra + (body.empty() ? "" : "Content-Type: " + type + "\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
};

class Refusal : public testing::Test {
 protected:
  Refusal() : bob("bob@home.example", true, 1, peer_id(2)) {}

  // The last response to `text`, as text; empty when there is none.
  std::string send(const std::string& text, PeerId from = peer_id(1)) {
    bob.core.handle_message(now, from, view(text));
    std::string out;
    while (auto message = bob.core.poll_message()) out = std::string(linnet::text(message->bytes));
    while (auto event = bob.core.poll_event()) bob.events.push_back(std::move(*event));
    return out;
  }
  int status(const std::string& text, PeerId from = peer_id(1)) {
    const auto response = send(text, from);
    return response.empty() ? 0 : std::stoi(response.substr(8, 3));
  }
  // A call that talks; gives the tag bob put on it.
  std::string talk(Request r = {}) {
    send(r.str());
    const auto call = bob.take<IncomingCall>().call;
    EXPECT_TRUE(bob.core.accept(now, call, kAnswer));
    const auto ok = std::string(linnet::text(bob.core.poll_message()->bytes));
    MessageView m;
    EXPECT_TRUE(parse(view(ok), m));
    const std::string tag(m.to.tag);
    r.method = "ACK";
    r.branch = "z9hG4bKack";
    r.to += ";tag=" + tag;
    r.body.clear();
    EXPECT_EQ(status(r.str()), 0);
    EXPECT_EQ(bob.take<Established>().call, call);
    return tag;
  }

  Time now{};
  Side bob;
};

TEST_F(Refusal, NamesWhatIsServedIn405And501) {
  Request r;
  r.method = "MESSAGE";
  const auto response = send(r.str());
  EXPECT_TRUE(response.starts_with("SIP/2.0 405")) << response;
  EXPECT_NE(response.find("Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO\r\n"), std::string::npos);
  r.method = "DANCE";
  r.branch = "z9hG4bKtwo";
  EXPECT_EQ(status(r.str()), 501);
}

TEST_F(Refusal, NamesTheExtensionsItLacksIn420) {
  Request r;
  r.extra += "Require: 100rel, foo ,\r\n bar\r\n";
  const auto response = send(r.str());
  EXPECT_TRUE(response.starts_with("SIP/2.0 420"));
  EXPECT_NE(response.find("Unsupported: foo, bar\r\n"), std::string::npos);
}

TEST_F(Refusal, NamesTheTypeItTakesIn415And406) {
  Request r;
  r.type = "text/plain";
  const auto response = send(r.str());
  EXPECT_TRUE(response.starts_with("SIP/2.0 415"));
  EXPECT_NE(response.find("Accept: application/sdp\r\n"), std::string::npos);
  Request deaf;
  deaf.branch = "z9hG4bKtwo";
  deaf.extra += "Accept: text/plain, text/html;q=1\r\n";
  EXPECT_EQ(status(deaf.str()), 406);
}

TEST_F(Refusal, TakesNoOtherSchemeThanSip) {
  Request r;
  r.uri = "tel:+123";
  EXPECT_EQ(status(r.str()), 416);
}

TEST_F(Refusal, IsQuietAboutBrokenResponsesAndAcks) {
  EXPECT_EQ(status("SIP/2.0 999 x\r\n\r\n"), 0);
  Request r;
  r.method = "ACK";
  r.cseq = "x";
  EXPECT_EQ(status(r.str()), 0);
  EXPECT_EQ(bob.core.counters().malformed, 2u);
}

TEST_F(Refusal, Answers400WithTheReason) {
  Request r;
  r.from = "<sip:alice@home.example;tag=a1";
  EXPECT_TRUE(send(r.str()).starts_with("SIP/2.0 400 Bad From\r\n"));
}

TEST_F(Refusal, RefusesAMessageOver64KiB) {
  Request r;
  r.body = std::string(70000, 'x');
  EXPECT_EQ(status(r.str()), 513);
}

TEST_F(Refusal, RefusesSdpOver8KiBOr16MediaLines) {
  Request r;
  r.body = kOffer + "a=x:" + std::string(8192, 'y');
  EXPECT_EQ(status(r.str()), 413);
  r.branch = "z9hG4bKtwo";
  r.body = kOffer;
  for (int i = 0; i < 16; ++i) r.body += "m=audio 9 RTP/SAVP 0\r\n";
  EXPECT_EQ(status(r.str()), 413);
  EXPECT_TRUE(bob.events.empty());
}

TEST_F(Refusal, LetsAPeerUseItsOwnAddressesOnly) {
  ASSERT_TRUE(bob.core.set_peer_identity(peer_id(1), {"alice@home.example"}));
  Request r;
  r.from = "<sip:Ali%63e@HOME.example>;tag=a1";
  EXPECT_EQ(status(r.str()), 0) << "the same address, spelt otherwise";
  EXPECT_NE(bob.has<IncomingCall>(), nullptr);
  r.branch = "z9hG4bKtwo";
  r.call_id = "call-2";
  r.from = "<sip:mallory@home.example>;tag=a1";
  EXPECT_EQ(status(r.str()), 403);
  r.branch = "z9hG4bKthree";
  r.from = "<sip:alice@home.example>;tag=a1";
  r.extra = "Contact: <sip:mallory@home.example>\r\n";
  EXPECT_EQ(status(r.str()), 403);
  r.branch = "z9hG4bKfour";
  r.extra = "Referred-By: <sip:mallory@home.example>\r\n";
  EXPECT_EQ(status(r.str()), 403);
  EXPECT_EQ(bob.core.counters().forbidden, 3u);
}

TEST_F(Refusal, KnowsADialogOnlyFromThePeerThatMadeIt) {
  const auto tag = talk();
  Request bye;
  bye.method = "BYE";
  bye.branch = "z9hG4bKbye";
  bye.to += ";tag=" + tag;
  bye.cseq = "2";
  bye.body.clear();
  EXPECT_EQ(status(bye.str(), peer_id(9)), 481);
  bye.to = "<sip:bob@home.example>;tag=wrong";
  EXPECT_EQ(status(bye.str()), 481);
  bye.branch = "z9hG4bKbye2";
  bye.to = "<sip:bob@home.example>;tag=" + tag;
  EXPECT_EQ(status(bye.str()), 200);
  EXPECT_NE(bob.has<Ended>(), nullptr);
}

TEST_F(Refusal, Answers500ToANumberFromThePast) {
  Request first;
  first.cseq = "10";
  const auto tag = talk(first);
  Request late;
  late.method = "OPTIONS";
  late.branch = "z9hG4bKlate";
  late.to += ";tag=" + tag;
  late.cseq = "9";
  late.body.clear();
  EXPECT_EQ(status(late.str()), 500);
  late.branch = "z9hG4bKlater";
  late.cseq = "11";
  EXPECT_EQ(status(late.str()), 200);
}

TEST_F(Refusal, Answers481ToACancelOfNothing) {
  Request r;
  r.method = "CANCEL";
  r.body.clear();
  EXPECT_EQ(status(r.str()), 481);
}

TEST_F(Refusal, TakesACancelOnlyFromThePeerWhoCalled) {
  Request r;
  send(r.str());
  r.method = "CANCEL";
  r.body.clear();
  EXPECT_EQ(status(r.str(), peer_id(9)), 481);
  EXPECT_EQ(bob.has<Cancelled>(), nullptr);
}

TEST_F(Refusal, Answers482ToTheSameRequestByAnotherWay) {
  Request r;
  EXPECT_EQ(status(r.str()), 0);
  EXPECT_EQ(status(r.str()), 0) << "a copy in the same transaction is absorbed";
  r.branch = "z9hG4bKother";
  EXPECT_EQ(status(r.str()), 482);
  EXPECT_EQ(bob.events.size(), 1u);
}

TEST_F(Refusal, BoundsTheCallsOfOnePeer) {
  Request r;
  int busy = 0;
  for (int i = 0; i < 20; ++i) {
    r.branch = "z9hG4bK" + std::to_string(i);
    r.call_id = "call-" + std::to_string(i);
    busy += status(r.str()) == 486 ? 1 : 0;
  }
  EXPECT_EQ(busy, 12);
  EXPECT_EQ(bob.core.calls(), 8u);
  EXPECT_EQ(status(r.str(), peer_id(7)), 0) << "others are not harmed";
  EXPECT_EQ(bob.core.calls(), 9u);
}

TEST_F(Refusal, BoundsTheTransactionsOfOnePeer) {
  Request r;
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    r.branch = "z9hG4bK" + std::to_string(i);
    r.call_id = "call-" + std::to_string(i);
    refused += status(r.str()) == 503 ? 1 : 0;
  }
  EXPECT_EQ(refused, 200 - 64);
  EXPECT_EQ(bob.core.transactions(), 64u);
  EXPECT_EQ(bob.core.counters().refused_full, 136u + 56u);
  now += seconds(40);  // refusals without their ACK are given up at timer H
  bob.core.handle_timeout(now);
  EXPECT_EQ(bob.core.transactions(), 8u);
}

}  // namespace
}  // namespace linnet::sip
