#include "sip/offer_answer.h"

#include <gtest/gtest.h>

namespace linnet::sip {
namespace {

AudioOffer capabilities(std::uint8_t key_byte) {
  AudioOffer out;
  out.session_id = 1000u + key_byte;
  out.codecs = {
      {96, "opus", 48000, 2, "useinbandfec=1"}, {0, "PCMU", 8000, 1, ""}, {101, "telephone-event", 48000, 1, "0-16"}};
  out.crypto = {{1, "AEAD_AES_256_GCM", Bytes(44, key_byte)}, {2, "AES_CM_128_HMAC_SHA1_80", Bytes(30, key_byte)}};
  out.ssrc = 0x10000u + key_byte;
  out.cname = "c";
  out.ptime_ms = 20;
  out.ice_ufrag = "ufrag";
  out.ice_pwd = "password";
  out.candidates = {"1 1 UDP 1 192.0.2.1 4400 typ host"};
  return out;
}

TEST(AudioOffer, ReadsBackWhatWasWritten) {
  const auto offer = capabilities(1);
  const auto back = read_audio(to_sdp(offer));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, offer);
}

TEST(AudioOffer, KeepsItsPlaceAmongOtherMediaLines) {
  auto offer = capabilities(1);
  offer.others = {{"video", "RTP/SAVP", "97"}, {"application", "UDP/DTLS/SCTP", "webrtc-datachannel"}};
  offer.position = 1;
  const auto back = read_audio(to_sdp(offer));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, offer);
  const auto answer = make_answer(*back, capabilities(2));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->position, 1u);
  EXPECT_NE(to_sdp(*answer).find("m=video 0 RTP/SAVP 97\r\n"), std::string::npos);
}

TEST(AudioOffer, IsNeverReadWithoutEncryption) {
  const auto sdp = to_sdp(capabilities(1));
  auto plain = sdp;
  plain.replace(plain.find("RTP/SAVP"), 8, "RTP/AVP");
  EXPECT_EQ(read_audio(plain).error(), Fault::refused);
  auto keyless = capabilities(1);
  keyless.crypto.clear();
  EXPECT_EQ(read_audio(to_sdp(keyless)).error(), Fault::refused);
  auto unencrypted = sdp;
  while (unencrypted.find("a=crypto") != std::string::npos) unencrypted.replace(unencrypted.find("a=crypto"), 8, "a=x");
  EXPECT_EQ(read_audio(unencrypted).error(), Fault::refused);
}

TEST(AudioOffer, TakesNoCryptoLineThatWeakensTheStream) {
  const auto one = [](const std::string& line) {
    return read_audio("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/SAVP 0\r\na=crypto:" + line +
                      "\r\n");
  };
  const std::string key(40, 'A');
  EXPECT_TRUE(one("1 AES_CM_128_HMAC_SHA1_80 inline:" + key));
  EXPECT_TRUE(one("1 AES_CM_128_HMAC_SHA1_80 inline:" + key + "|2^20"));
  EXPECT_FALSE(one("1 AES_CM_128_HMAC_SHA1_80 inline:" + key + " UNENCRYPTED_SRTP"));
  EXPECT_FALSE(one("1 AES_CM_128_HMAC_SHA1_80 inline:" + key + " UNAUTHENTICATED_SRTP"));
  EXPECT_FALSE(one("1 AES_CM_128_HMAC_SHA1_32 inline:" + key));
  EXPECT_FALSE(one("1 NULL inline:" + key));
  EXPECT_FALSE(one("1 AES_CM_128_HMAC_SHA1_80 inline:" + key.substr(4)));
}

TEST(AudioOffer, SaysWhenThereIsNoAudio) {
  EXPECT_EQ(read_audio("v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=video 1 RTP/SAVP 9\r\n").error(),
            Fault::not_found);
}

TEST(AudioAnswer, TakesTheOfferersOrderAndPayloadTypes) {
  auto offer = capabilities(1);
  offer.codecs = {{8, "PCMA", 8000, 1, ""}, {0, "PCMU", 8000, 1, ""}, {111, "OPUS", 48000, 2, "x=1"}};
  offer.crypto = {{7, "AES_CM_128_HMAC_SHA1_80", Bytes(30, 1)}, {9, "AEAD_AES_256_GCM", Bytes(44, 1)}};
  const auto answer = make_answer(offer, capabilities(2));
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->codecs.size(), 2u);
  EXPECT_EQ(answer->codecs[0].name, "PCMU");
  EXPECT_EQ(answer->codecs[1].payload_type, 111);
  EXPECT_EQ(answer->codecs[1].fmtp, "useinbandfec=1") << "parameters are the answerer's own";
  ASSERT_EQ(answer->crypto.size(), 1u);
  EXPECT_EQ(answer->crypto[0], (CryptoKey{7, "AES_CM_128_HMAC_SHA1_80", Bytes(30, 2)}));
}

TEST(AudioAnswer, IsNoneWithoutACommonVoiceCodecOrKeySuite) {
  auto events_only = capabilities(1);
  events_only.codecs = {{101, "telephone-event", 48000, 1, ""}};
  EXPECT_EQ(make_answer(events_only, capabilities(2)).error(), Fault::refused);
  auto other_suite = capabilities(1);
  other_suite.crypto = {{1, "AEAD_AES_128_GCM", Bytes(28, 1)}};
  EXPECT_EQ(make_answer(other_suite, capabilities(2)).error(), Fault::refused);
}

TEST(AudioAnswer, AgreesOnBothEnds) {
  const auto offer = capabilities(1);
  const auto answer = make_answer(*read_audio(to_sdp(offer)), capabilities(2));
  ASSERT_TRUE(answer);
  const auto received = read_audio(to_sdp(*answer));
  ASSERT_TRUE(received);
  const auto caller = agreed_by_offerer(offer, *received);
  const auto callee = agreed_by_answerer(offer, *answer);
  ASSERT_TRUE(caller && callee);
  EXPECT_EQ(caller->local, callee->remote);
  EXPECT_EQ(caller->remote, callee->local);
  EXPECT_NE(caller->local, caller->remote);
  EXPECT_EQ(caller->codecs.front().name, "opus");
  EXPECT_EQ(caller->remote_ssrc, 0x10002u);
  EXPECT_EQ(callee->remote_ssrc, 0x10001u);
  EXPECT_TRUE(caller->rtcp_mux && callee->rtcp_mux);
  EXPECT_EQ(caller->direction, Direction::sendrecv);
}

TEST(AudioAnswer, ThatPicksWhatWasNotOfferedIsRefused) {
  const auto offer = capabilities(1);
  const auto good = *make_answer(offer, capabilities(2));
  ASSERT_TRUE(agreed_by_offerer(offer, good));
  const auto fault = [&](auto&& change) {
    auto answer = good;
    change(answer);
    const auto out = agreed_by_offerer(offer, answer);
    return out ? Fault::io : out.error();
  };
  EXPECT_EQ(fault([](AudioOffer& a) { a.crypto[0].tag = 5; }), Fault::mismatch);
  EXPECT_EQ(fault([](AudioOffer& a) { a.crypto[0].suite = "AES_CM_128_HMAC_SHA1_80"; }), Fault::mismatch);
  EXPECT_EQ(fault([](AudioOffer& a) { a.crypto[0].key_and_salt = Bytes(44, 1); }), Fault::mismatch) << "our own key";
  EXPECT_EQ(fault([](AudioOffer& a) { a.crypto.clear(); }), Fault::refused);
  EXPECT_EQ(fault([](AudioOffer& a) { a.codecs[0].name = "G729"; }), Fault::mismatch);
  EXPECT_EQ(fault([](AudioOffer& a) { a.codecs.clear(); }), Fault::refused);
}

TEST(Hold, StopsWhatTheHolderHearsAndResumes) {
  const auto offer = hold(capabilities(1));
  EXPECT_EQ(offer.direction, Direction::sendonly);
  EXPECT_EQ(offer.version, 1u);
  const auto answer = make_answer(*read_audio(to_sdp(offer)), capabilities(2));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->direction, Direction::recvonly);
  EXPECT_FALSE(sends(agreed_by_answerer(offer, *answer)->direction));
  const auto both = make_answer(offer, hold(capabilities(2)));
  EXPECT_EQ(both->direction, Direction::inactive);
  EXPECT_EQ(agreed_by_offerer(offer, *both)->direction, Direction::inactive);
  const auto back = make_answer(resume(offer), capabilities(2));
  EXPECT_EQ(back->direction, Direction::sendrecv);
}

TEST(Hold, ByZeroAddressIsUnderstood) {
  const auto offer = read_audio(
      "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 5004 RTP/SAVP 0\r\n"
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" +
      std::string(40, 'A') + "\r\n");
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->direction, Direction::sendonly);
}

}  // namespace
}  // namespace linnet::sip
