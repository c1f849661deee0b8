// a=extmap in offer and answer (RFC 8285).
#include <gtest/gtest.h>

#include "sip/offer_answer.h"

namespace linnet::sip {
namespace {

const std::string kOne = "urn:example:one", kTwo = "urn:example:two", kOther = "urn:example:other";

AudioOffer with_extensions(std::uint8_t key_byte, std::vector<HeaderExtension> extensions) {
  AudioOffer out;
  out.codecs = {{111, "opus", 48000, 2, ""}};
  out.crypto = {{1, "AEAD_AES_256_GCM", Bytes(44, key_byte)}};
  out.extensions = std::move(extensions);
  return out;
}

// What a description with these lines says; "S" before a line puts it at session level.
std::vector<HeaderExtension> read_lines(const std::vector<std::string>& lines) {
  const auto plain = to_sdp(with_extensions(1, {}));
  const auto m = plain.find("m=audio");
  auto session = plain.substr(0, m), media = plain.substr(m);
  for (const auto& line : lines) {
    auto& to = line.starts_with("S") ? session : media;
    to += "a=extmap:" + line.substr(line.starts_with("S") ? 1 : 0) + "\r\n";
  }
  const auto read = read_audio(session + media);
  EXPECT_TRUE(read);
  return read ? read->extensions : std::vector<HeaderExtension>{};
}

AudioOffer answered(const std::vector<HeaderExtension>& offered, const std::vector<HeaderExtension>& able) {
  return *make_answer(with_extensions(1, offered), with_extensions(2, able));
}

TEST(Extmap, ReadsBackWhatWasWritten) {
  const auto offer = with_extensions(1, {{1, kOne, Direction::sendrecv, "vad=on"},
                                         {14, kTwo, Direction::recvonly, ""},
                                         {255, kOther, Direction::inactive, "a b=c"}});
  const auto sdp = to_sdp(offer);
  EXPECT_NE(sdp.find("a=extmap:1 urn:example:one vad=on\r\n"), std::string::npos);
  EXPECT_NE(sdp.find("a=extmap:14/recvonly urn:example:two\r\n"), std::string::npos);
  const auto back = read_audio(sdp);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->extensions, offer.extensions);
}

TEST(Extmap, WhatIsOnlyUnderstoodIsNotOffered) {
  EXPECT_EQ(to_sdp(with_extensions(1, {{0, kOne, Direction::sendrecv, ""}})).find("extmap"), std::string::npos);
}

TEST(Extmap, OfTheSessionHoldsForTheStream) {
  EXPECT_EQ(read_lines({"S3 " + kOne}), (std::vector<HeaderExtension>{{3, kOne, Direction::sendrecv, ""}}));
  EXPECT_EQ(read_lines({"S3 " + kOne, "3 " + kTwo}), (std::vector<HeaderExtension>{{3, kTwo, Direction::sendrecv, ""}}))
      << "the stream's own line is nearer";
}

TEST(Extmap, AnIdentifierHasTheMeaningThatWasNamedFirst) {
  EXPECT_EQ(read_lines({"3 " + kOne, "3 " + kTwo}), (std::vector<HeaderExtension>{{3, kOne, Direction::sendrecv, ""}}));
}

TEST(Extmap, LinesThatNoPacketCanFollowAreLeft) {
  for (const auto* id :
       {"0", "15", "256", "4096", "4351", "-1", "x", "", "1x", "1/", "1/both", "/sendonly", "99999999999999999999"})
    EXPECT_TRUE(read_lines({std::string(id) + " " + kOne}).empty()) << id;
  EXPECT_TRUE(read_lines({"3"}).empty()) << "no URI";
  EXPECT_TRUE(read_lines({"3 "}).empty());
}

TEST(Extmap, SixteenLinesAreReadAndNotMore) {
  std::vector<std::string> lines;
  for (int i = 16; i < 80; ++i) lines.push_back(std::to_string(i) + " " + kOne + std::to_string(i));
  EXPECT_EQ(read_lines(lines).size(), 16U);
}

TEST(Extmap, TheAnswerTakesTheOfferersIdentifiersForWhatBothKnow) {
  const auto answer = answered(
      {{7, kTwo, Direction::sendrecv, ""}, {9, kOther, Direction::sendrecv, ""}, {200, kOne, Direction::sendrecv, ""}},
      {{0, kOne, Direction::sendrecv, "x"}, {2, kTwo, Direction::sendrecv, ""}});
  EXPECT_EQ(answer.extensions,
            (std::vector<HeaderExtension>{{7, kTwo, Direction::sendrecv, ""}, {200, kOne, Direction::sendrecv, "x"}}));
}

TEST(Extmap, NothingIsAnsweredThatWasNotOffered) {
  EXPECT_TRUE(
      answered({}, {{1, kOne, Direction::sendrecv, ""}, {0, kTwo, Direction::sendrecv, ""}}).extensions.empty());
}

TEST(Extmap, OneUriIsAnsweredOnce) {
  const auto answer = answered({{1, kOne, Direction::sendrecv, "a"}, {2, kOne, Direction::sendrecv, "b"}},
                               {{0, kOne, Direction::sendrecv, ""}});
  EXPECT_EQ(answer.extensions, (std::vector<HeaderExtension>{{1, kOne, Direction::sendrecv, ""}}));
}

TEST(Extmap, AFlagThatIsOfferedOffStaysOff) {
  const std::vector<HeaderExtension> able{{0, kOne, Direction::sendrecv, "vad=on"}};
  EXPECT_EQ(answered({{1, kOne, Direction::sendrecv, "vad=off"}}, able).extensions[0].attributes, "vad=off");
  EXPECT_EQ(answered({{1, kOne, Direction::sendrecv, "vad=on"}}, able).extensions[0].attributes, "vad=on");
  EXPECT_EQ(answered({{1, kOne, Direction::sendrecv, ""}}, able).extensions[0].attributes, "vad=on");
}

// Every pair of directions: each end's is the other's turned round, and no more than either allows.
TEST(Extmap, BothEndsAgreeOnDirections) {
  constexpr std::array kAll{Direction::inactive, Direction::sendonly, Direction::recvonly, Direction::sendrecv};
  for (const auto offered : kAll) {
    for (const auto able : kAll) {
      const auto offer = with_extensions(1, {{5, kOne, offered, ""}});
      const auto answer = *make_answer(offer, with_extensions(2, {{0, kOne, able, ""}}));
      const auto read = read_audio(to_sdp(answer));
      ASSERT_TRUE(read);
      const auto a = agreed_by_offerer(offer, *read), b = agreed_by_answerer(offer, answer);
      ASSERT_TRUE(a && b);
      ASSERT_EQ(a->extensions.size(), 1U);
      ASSERT_EQ(b->extensions.size(), 1U);
      EXPECT_EQ(a->extensions[0].direction, reversed(b->extensions[0].direction));
      EXPECT_EQ(b->extensions[0].direction, common(reversed(offered), able));
      EXPECT_EQ(a->extensions[0].id, 5);
    }
  }
}

TEST(Extmap, AnAnswerThatNamesWhatWasNotOfferedAgreesOnNothing) {
  const auto offer = with_extensions(1, {{5, kOne, Direction::sendrecv, ""}, {0, kTwo, Direction::sendrecv, ""}});
  for (const auto& wrong :
       {HeaderExtension{6, kOne, Direction::sendrecv, ""}, HeaderExtension{5, kTwo, Direction::sendrecv, ""},
        HeaderExtension{0, kTwo, Direction::sendrecv, ""}}) {
    const auto agreed = agreed_by_offerer(offer, with_extensions(2, {wrong}));
    ASSERT_TRUE(agreed) << "the call goes on";
    EXPECT_TRUE(agreed->extensions.empty());
  }
  const auto widened = with_extensions(2, {{5, kOne, Direction::sendrecv, ""}});
  const auto narrow = with_extensions(1, {{5, kOne, Direction::sendonly, ""}});
  EXPECT_EQ(agreed_by_offerer(narrow, widened)->extensions[0].direction, Direction::sendonly)
      << "no more than was offered";
}

TEST(Extmap, HoldKeepsWhatWasAgreed) {
  const auto current = with_extensions(1, {{5, kOne, Direction::sendrecv, ""}});
  EXPECT_EQ(hold(current).extensions, current.extensions);
  EXPECT_EQ(resume(hold(current)).extensions, current.extensions);
}

}  // namespace
}  // namespace linnet::sip
