// Every truncation and every single bit flip of one message of each kind, in the state where it means most; and what is
// too big.
#include <gtest/gtest.h>

#include "sip/offer_answer.h"
#include "sip/sdp.h"
#include "tests/sip/far_end.h"

namespace linnet::sip {
namespace {

const std::string kFullSdp =
    "v=0\r\no=- 12345 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=ice-ufrag:Qx3p\r\n"
    "m=audio 9 RTP/SAVP 96 0 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
    "a=crypto:1 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==\r\na=sendonly\r\na=rtcp-mux\r\n"
    "a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on\r\na=extmap:2 urn:b\r\n"
    "a=ssrc:4242 cname:x\r\na=candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host\r\nm=video 0 RTP/AVP 31\r\n";

class Damage : public FarEnd {
 protected:
  // A user agent in the state for that kind of message, and the message.
  std::string stage(const std::string& kind) {
    bob.core = Core(config_of("bob@home.example", true), bob.rng);
    bob.events.clear();
    if (kind == "INVITE" || kind == "OPTIONS" || kind == "REGISTER" || kind == "MESSAGE") {
      Request r;
      r.method = kind;
      r.extra +=
          "Supported: 100rel, timer\r\nAccept: application/sdp, text/plain;q=0.5\r\nRecord-Route: <sip:p;lr>\r\n";
      return r.str();
    }
    if (kind == "CANCEL" || kind == "PRACK") return stage_early(kind);
    if (kind == "180" || kind == "183" || kind == "200" || kind == "486") return stage_calling(kind);
    const auto tag = talk();
    auto r = inside(kind, tag, 2);
    if (kind == "re-INVITE") r.method = "INVITE";
    if (kind == "re-INVITE" || kind == "UPDATE") r.body = kFullSdp;
    if (kind == "INFO") r.extra = "Info-Package: dtmf;a=\"b\"\r\nContent-Disposition: Info-Package\r\n";
    if (kind == "BYE") r.extra = "Reason: SIP;cause=200;text=\"Call completed \\\"elsewhere\\\"\"\r\n";
    return r.str();
  }
  std::string stage_early(const std::string& kind) {
    Request r;
    r.extra += "Require: 100rel\r\n";
    exchange(r.str());
    if (kind == "CANCEL") {
      r.method = kind;
      r.extra = "Reason: SIP;cause=200;text=\"x\"\r\n";
      r.body.clear();
      return r.str();
    }
    EXPECT_TRUE(bob.core.progress(now, bob.take<IncomingCall>().call, kAnswer));
    const auto early = drain().at(0);
    auto prack = inside("PRACK", early.to_tag(), 2);
    prack.extra = "RAck: " + early.header(HeaderId::rseq) + " 1 INVITE\r\n";
    prack.body = kOffer;
    return prack.str();
  }
  std::string stage_calling(const std::string& kind) {
    const auto sent = invite();
    const auto reliable = kind == "183" ? "Require: 100rel\r\nRSeq: 1\r\n" : "Record-Route: <sip:p;lr>\r\n";
    return response_to(sent, std::stoi(kind), "t1", reliable, kind == "183" || kind == "200" ? kFullSdp : "");
  }
  // Whatever came in: what goes out is a message, and one message makes one call and two transactions at most.
  void survives(const std::string& kind, const std::string& message) {
    const auto calls = bob.core.calls();
    const auto transactions = bob.core.transactions();
    exchange(message);
    ASSERT_LE(bob.core.calls(), calls + 1) << kind;
    ASSERT_LE(bob.core.transactions(), transactions + 2) << kind;
  }
};

const char* const kKinds[] = {"INVITE", "OPTIONS", "REGISTER", "MESSAGE", "CANCEL", "PRACK",     "180", "183",
                              "200",    "486",     "ACK",      "BYE",     "UPDATE", "re-INVITE", "INFO"};

TEST_F(Damage, NoTruncationOfAnyKindIsTakenForTheWhole) {
  for (const std::string kind : kKinds) {
    const auto whole = stage(kind);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      survives(kind, whole.substr(0, n));
      if (n % 8 == 0) stage(kind);
    }
    stage(kind);
    bob.events.clear();
    const auto head = whole.substr(0, whole.find("\r\n\r\n"));
    exchange(head);
    EXPECT_TRUE(bob.events.empty()) << kind << ": a header without its end";
    if (whole.size() > head.size() + 4) {
      exchange(whole.substr(0, whole.size() - 1));
      EXPECT_TRUE(bob.events.empty()) << kind << ": a body without its end";
    }
  }
}

TEST_F(Damage, NoBitFlipOfAnyKindIsACrash) {
  for (const std::string kind : kKinds) {
    auto whole = stage(kind);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      if (bit % 8 == 0) whole = stage(kind);
      const auto mask = static_cast<char>(1u << (bit % 8));
      whole[bit / 8] = static_cast<char>(whole[bit / 8] ^ mask);
      survives(kind, whole);
      whole[bit / 8] = static_cast<char>(whole[bit / 8] ^ mask);
    }
  }
}

TEST_F(Damage, NoBitFlipOfADialogsNamesFindsTheDialog) {
  const auto tag = talk();
  const auto bye = inside("BYE", tag, 2).str();
  for (const auto& name : {std::string("call-1"), tag, std::string("tag=a1")}) {
    const auto at = bye.find(name) + (name == "tag=a1" ? 4 : 0);
    const auto end = bye.find(name) + name.size();
    for (std::size_t bit = at * 8; bit < end * 8; ++bit) {
      auto forged = bye;
      forged[bit / 8] = static_cast<char>(forged[bit / 8] ^ static_cast<char>(1u << (bit % 8)));
      const auto got = status(forged);
      ASSERT_TRUE(got == 481 || got == 400 || got == 503) << got << "\n" << forged;
      ASSERT_EQ(bob.core.calls(), 1u) << forged;
    }
  }
}

TEST_F(Damage, NoTruncationOrBitFlipOfADescriptionIsTakenForAnotherKey) {
  const auto right = read_audio(kFullSdp);
  ASSERT_TRUE(right);
  for (std::size_t n = 0; n < kFullSdp.size(); ++n) (void)read_audio(std::string_view(kFullSdp).substr(0, n));
  for (std::size_t bit = 0; bit < kFullSdp.size() * 8; ++bit) {
    auto flipped = kFullSdp;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ static_cast<char>(1u << (bit % 8)));
    const auto read = read_audio(flipped);
    if (!read) continue;
    ASSERT_EQ(read->crypto.at(0).key_and_salt.size(), 28u) << flipped;
    const auto sdp = parse_sdp(flipped);
    ASSERT_TRUE(sdp && sdp->media.size() <= 3) << flipped;
  }
}

TEST_F(Damage, WhatIsTooBigIsRefusedAndLeavesNothing) {
  Request r;
  const auto sized = [&](std::size_t size) {
    r.extra = "X: ";
    r.extra.append(size - r.str().size() - 2, 'x');
    r.extra.append("\r\n");
    return r.str();
  };
  EXPECT_EQ(sized(kMaxMessage).size(), kMaxMessage);
  EXPECT_EQ(status(sized(kMaxMessage)), 0) << "64 KiB make a call";
  r.branch = "z9hG4bKtwo";
  r.call_id = "call-2";
  EXPECT_EQ(status(sized(kMaxMessage + 1)), 513);
  r.extra.clear();
  for (int i = 0; i < 120; ++i) r.extra += "X: 1\r\n";
  EXPECT_EQ(status(r.str()), 0) << "128 fields make a call";
  r.branch = "z9hG4bKthree";
  r.call_id = "call-3";
  r.extra += "X: 1\r\n";
  EXPECT_EQ(status(r.str()), 400);
  EXPECT_EQ(bob.core.calls(), 2u);
  EXPECT_EQ(bob.core.transactions(), 2u) << "a refusal at the door keeps no state";
}

TEST_F(Damage, HidesNoFieldBehindWhiteSpaceNulOrASecondLength) {
  ASSERT_TRUE(bob.core.set_peer_identity(peer_id(1), {"alice@home.example"}));
  Request r;
  const auto status_with = [&](const std::string& extra) {
    r.branch += "x";
    r.call_id += "x";
    r.extra = extra;
    return status(r.str());
  };
  EXPECT_EQ(status_with("Referred-By : <sip:mallory@home.example>\r\n"), 403) << "the space is legal, the field counts";
  EXPECT_EQ(status_with("Referred-By\t:\r\n <sip:mallory@home.example>\r\n"), 403);
  EXPECT_EQ(status_with("b: <sip:mallory@home.example>\r\n"), 403);
  EXPECT_EQ(status_with(" Referred-By: <sip:mallory@home.example>\r\n"), 400) << "folded onto Call-ID's line";
  EXPECT_EQ(status_with(std::string("Subject: a\0\r\n", 13)), 400);
  EXPECT_EQ(status_with(std::string("Referred-By\0: <sip:mallory@home.example>\r\n", 42)), 400);
  EXPECT_EQ(status_with("Content-Length: 0\r\n"), 400);
  EXPECT_EQ(status_with("Content-Length : 0\r\n"), 400);
  EXPECT_EQ(status_with("l: 4294967295\r\n"), 400);
  EXPECT_EQ(status_with("From: <sip:mallory@home.example>;tag=a1\r\n"), 400);
  EXPECT_EQ(status_with("f: <sip:mallory@home.example>;tag=a1\r\n"), 400);
  EXPECT_EQ(bob.core.calls(), 0u);
}

}  // namespace
}  // namespace linnet::sip
