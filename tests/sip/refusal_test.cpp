// What a user agent refuses, message by message.
#include <gtest/gtest.h>

#include "tests/sip/far_end.h"

namespace linnet::sip {
namespace {

using Refusal = FarEnd;

TEST_F(Refusal, NamesWhatIsServedIn405And501) {
  Request r;
  r.method = "MESSAGE";
  const auto response = send(r.str());
  EXPECT_TRUE(response.starts_with("SIP/2.0 405")) << response;
  EXPECT_NE(
      response.find("Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER\r\n"),
      std::string::npos);
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

// How many of `n` INVITEs, each a call of its own, got that status.
class Flood : public FarEnd {
 protected:
  int refused_with(int code, int n) {
    Request r;
    int out = 0;
    for (int i = 0; i < n; ++i) {
      r.branch = "z9hG4bK" + std::to_string(i);
      r.call_id = "call-" + std::to_string(i);
      out += status(r.str()) == code ? 1 : 0;
    }
    return out;
  }
};

TEST_F(Flood, OfCallsOfOnePeerIsBounded) {
  EXPECT_EQ(refused_with(486, 20), 12);
  EXPECT_EQ(bob.core.calls(), 8u);
  EXPECT_EQ(status(Request{}.str(), peer_id(7)), 0) << "others are not harmed";
  EXPECT_EQ(bob.core.calls(), 9u);
}

TEST_F(Flood, OfTransactionsOfOnePeerIsBounded) {
  EXPECT_EQ(refused_with(503, 200), 200 - 64);
  EXPECT_EQ(bob.core.transactions(), 64u);
  EXPECT_EQ(bob.core.counters().refused_full, 136u + 56u);
  now += seconds(40);  // refusals without their ACK are given up at timer H
  bob.core.handle_timeout(now);
  EXPECT_EQ(bob.core.transactions(), 8u);
}

TEST_F(Flood, OfPeersIsBoundedInAllTables) {
  Request r;
  int busy = 0;
  int full = 0;
  for (int i = 0; i < 300; ++i) {
    auto from = peer_id(1);
    from.bytes[1] = static_cast<std::uint8_t>(i);
    from.bytes[2] = static_cast<std::uint8_t>(i >> 8);
    for (int k = 0; k < 5; ++k) {
      r.branch = "z9hG4bK" + std::to_string(k);
      r.call_id = "call-" + std::to_string(k);
      const auto got = status(r.str(), from);
      busy += got == 486 ? 1 : 0;
      full += got == 503 ? 1 : 0;
    }
  }
  EXPECT_EQ(bob.core.calls(), 256u);
  EXPECT_EQ(bob.core.transactions(), 1024u);
  EXPECT_EQ(busy, 1024 - 256);
  EXPECT_EQ(full, 1500 - 1024);
}

}  // namespace
}  // namespace linnet::sip
