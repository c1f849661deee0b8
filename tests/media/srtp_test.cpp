#include "media/srtp.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "media/rtp.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

class SrtpSuites : public testing::TestWithParam<SrtpSuite> {
 protected:
  SrtpSuites() : rng(3), key(SrtpKey::random(GetParam(), rng)), out(*Srtp::outbound(key)), in(*Srtp::inbound(key)) {}

  Bytes packet(std::uint16_t sequence, std::size_t size = 60) {
    RtpHeader h;
    h.sequence = sequence;
    h.payload_type = 111;
    h.ssrc = 5;
    Bytes bytes;
    write_rtp(bytes, h, Bytes(size, 0x5a));
    return bytes;
  }
  Bytes sealed(std::uint16_t sequence) {
    Bytes bytes = packet(sequence);
    EXPECT_TRUE(out.protect_rtp(bytes));
    return bytes;
  }

  SeededRng rng;
  SrtpKey key;
  Srtp out, in;
};

INSTANTIATE_TEST_SUITE_P(Both, SrtpSuites, testing::ValuesIn(kSrtpSuites),
                         [](const auto& each) { return std::string(suite_name(each.param)); });

TEST_P(SrtpSuites, WhatIsProtectedOpensToWhatItWas) {
  Bytes bytes = sealed(1);
  EXPECT_EQ(bytes.size(), packet(1).size() + srtp_overhead(GetParam()));
  EXPECT_EQ(std::search_n(bytes.begin(), bytes.end(), 8, std::uint8_t{0x5a}), bytes.end())
      << "the payload is in the clear";
  const auto plain = in.open_rtp(bytes);
  ASSERT_TRUE(plain);
  EXPECT_TRUE(equal(*plain, packet(1)));
}

TEST_P(SrtpSuites, RtcpIsProtectedToo) {
  Bytes bytes = *from_hex("80c90001000000050000000000000000");
  const Bytes before = bytes;
  ASSERT_TRUE(out.protect_rtcp(bytes));
  EXPECT_FALSE(equal(ByteView(bytes).first(before.size()), before));
  const auto plain = in.open_rtcp(bytes);
  ASSERT_TRUE(plain);
  EXPECT_TRUE(equal(*plain, before));
}

TEST_P(SrtpSuites, EveryFlippedBitIsRefused) {
  const Bytes good = sealed(1);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(in.open_rtp(bad)) << bit;
  }
  Bytes again = good;
  EXPECT_TRUE(in.open_rtp(again)) << "forgeries must not spend the packet's place in the replay window";
}

TEST_P(SrtpSuites, EveryTruncationIsRefused) {
  const Bytes good = sealed(1);
  for (std::size_t n = 0; n < good.size(); ++n) {
    Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_FALSE(in.open_rtp(cut)) << n;
    cut.assign(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_FALSE(in.open_rtcp(cut)) << n;
  }
}

TEST_P(SrtpSuites, ASecondDeliveryIsAReplay) {
  Bytes first = sealed(1), copy = first;
  ASSERT_TRUE(in.open_rtp(first));
  EXPECT_EQ(in.open_rtp(copy).error(), Fault::replayed);
}

TEST_P(SrtpSuites, ReorderedPacketsOpen) {
  Bytes a = sealed(1), b = sealed(2);
  EXPECT_TRUE(in.open_rtp(b));
  EXPECT_TRUE(in.open_rtp(a));
}

TEST_P(SrtpSuites, AnotherKeyOpensNothing) {
  auto other = *Srtp::inbound(SrtpKey::random(GetParam(), rng));
  Bytes bytes = sealed(1);
  EXPECT_EQ(other.open_rtp(bytes).error(), Fault::bad_mac);
}

TEST(SrtpKeys, HaveExactlyTheLengthOfTheirSuite) {
  EXPECT_EQ(inline_key_size(SrtpSuite::aead_aes_256_gcm), 44U);         // RFC 7714 section 14.2
  EXPECT_EQ(inline_key_size(SrtpSuite::aes_cm_128_hmac_sha1_80), 30U);  // RFC 4568 section 6.2
  EXPECT_FALSE(SrtpKey::from_inline(SrtpSuite::aead_aes_256_gcm, Bytes(43)));
  EXPECT_FALSE(SrtpKey::from_inline(SrtpSuite::aead_aes_256_gcm, Bytes(45)));
  EXPECT_FALSE(SrtpKey::from_inline(SrtpSuite::aes_cm_128_hmac_sha1_80, Bytes(44)));
  SeededRng rng(1);
  const auto key = SrtpKey::random(SrtpSuite::aead_aes_256_gcm, rng);
  const auto again = SrtpKey::from_inline(key.suite(), key.inline_key());
  ASSERT_TRUE(again);
  EXPECT_TRUE(equal(again->inline_key(), key.inline_key()));
}

TEST(SrtpKeys, AnEmptyKeyIsRefused) { EXPECT_EQ(Srtp::outbound(SrtpKey{}).error(), Fault::bad_key); }

TEST(SrtpSuiteNames, AreThoseOfTheRegistry) {
  for (const auto suite : kSrtpSuites) EXPECT_EQ(suite_from_name(suite_name(suite)), suite);
  EXPECT_FALSE(suite_from_name("NULL_CIPHER"));
}

// The default transform of RFC 3711 against a packet protected elsewhere, so that both ends being ours proves nothing
// less.
TEST(SrtpVectors, APacketProtectedElsewhereOpens) {
  const auto key = SrtpKey::from_inline(SrtpSuite::aes_cm_128_hmac_sha1_80,
                                        *from_hex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6"));
  Bytes sealed = *from_hex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
  auto in = Srtp::inbound(*key);
  ASSERT_TRUE(in);
  const auto plain = in->open_rtp(sealed);
  ASSERT_TRUE(plain) << to_string(plain.error());
  EXPECT_EQ(to_hex(*plain), "800f1234decafbadcafebabe" + to_hex(Bytes(16, 0xab)));
}

// More than once too: what the library loads stays loaded.
TEST(Srtp, IsMadeReadyBeforeAnyKeyIsKnown) {
  EXPECT_TRUE(Srtp::prepare());
  EXPECT_TRUE(Srtp::prepare());
}

}  // namespace
}  // namespace linnet::media
