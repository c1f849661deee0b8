// The published messages are read, verified, and written again byte for byte.
#include "stun_vectors.h"

#include <gtest/gtest.h>

#include "nat/stun_auth.h"
#include "nat/stun_builder.h"

namespace linnet::nat::stun {
namespace {

TEST(StunVectors, TheSampleRequestIsReadAndItsTagsHold) {
  const auto bytes = sample_request();
  const auto m = Message::parse(bytes);
  ASSERT_TRUE(m) << to_string(m.error());
  EXPECT_TRUE(m->is(Class::request, Method::binding));
  EXPECT_EQ(to_hex(m->id()), "b7e7a701bc34d686fa87dfae");
  EXPECT_EQ(m->text(Attr::software), "STUN test client");
  EXPECT_EQ(m->u32(Attr::priority), 0x6e0001ffU);
  EXPECT_EQ(m->u64(Attr::ice_controlled), 0x932ff9b151263b36U);
  EXPECT_EQ(m->text(Attr::username), "evtj:h6vY");
  EXPECT_TRUE(m->has(Attr::fingerprint));
  EXPECT_TRUE(integrity_holds(*m, view(kShortPassword)));
  EXPECT_FALSE(integrity_holds(*m, view(kLongPassword)));
  EXPECT_FALSE(integrity_sha256_holds(*m, view(kShortPassword)));
}

TEST(StunVectors, TheSampleResponsesNameTheMappedAddress) {
  const auto v4 = sample_ipv4_response();
  const auto v6 = sample_ipv6_response();
  const auto four = Message::parse(v4);
  const auto six = Message::parse(v6);
  ASSERT_TRUE(four && six);
  EXPECT_TRUE(four->is(Class::success, Method::binding));
  EXPECT_EQ(four->endpoint(Attr::xor_mapped_address), *Endpoint::parse("192.0.2.1:32853"));
  EXPECT_EQ(six->endpoint(Attr::xor_mapped_address), *Endpoint::parse("[2001:db8:1234:5678:11:2233:4455:6677]:32853"));
  EXPECT_TRUE(integrity_holds(*four, view(kShortPassword)));
  EXPECT_TRUE(integrity_holds(*six, view(kShortPassword)));
}

TEST(StunVectors, TheLongTermKeyIsTheMd5OfNameRealmAndPassword) {
  const auto bytes = sample_long_term_request();
  const auto m = Message::parse(bytes);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->text(Attr::username), kMatrixName);
  EXPECT_EQ(m->text(Attr::nonce), "f//499k954d6OL34oL9FSTvy64sA");
  EXPECT_EQ(m->text(Attr::realm), kRealm);
  EXPECT_TRUE(integrity_holds(*m, *long_term_key_md5(kMatrixName, kRealm, kLongPassword)));
  EXPECT_FALSE(integrity_holds(*m, *long_term_key_md5(kMatrixName, kRealm, "TheMatrIx")));
}

TEST(StunVectors, TheSha256RequestHidesTheNameAndItsTagHolds) {
  const auto bytes = sample_sha256_request();
  const auto m = Message::parse(bytes);
  ASSERT_TRUE(m) << to_string(m.error());
  EXPECT_TRUE(equal(*m->value(Attr::userhash), userhash(kMatrixName, kRealm)));
  EXPECT_EQ(m->password_algorithm(), PasswordAlgorithm::sha256);
  EXPECT_EQ(features_of(*m->text(Attr::nonce)), (SecurityFeatures{false, true}));
  EXPECT_TRUE(integrity_sha256_holds(*m, long_term_key_sha256(kMatrixName, kRealm, kLongPassword)));
  EXPECT_FALSE(integrity_sha256_holds(*m, long_term_key_sha256(kMatrixName, kRealm, kRealm)));
}

TEST(StunVectors, TheSha256RequestIsWrittenAgainByteForByte) {
  const auto bytes = sample_sha256_request();
  Builder out(Class::request, Method::binding, Message::parse(bytes)->id());
  out.bytes(Attr::userhash, userhash(kMatrixName, kRealm))
      .text(Attr::nonce, nonce_with({false, true}, "f//499k954d6OL34oL9FSTvy64sA"))
      .text(Attr::realm, kRealm)
      .password_algorithm(PasswordAlgorithm::sha256)
      .integrity_sha256(long_term_key_sha256(kMatrixName, kRealm, kLongPassword));
  EXPECT_EQ(to_hex(out.written()), to_hex(bytes));
}

TEST(StunVectors, TheIpv6ResponseIsWrittenAgainButForItsPadding) {
  const auto bytes = sample_ipv6_response();
  const auto m = *Message::parse(bytes);
  Builder out(Class::success, Method::binding, m.id());
  out.text(Attr::software, "test vector").endpoint(Attr::xor_mapped_address, *m.endpoint(Attr::xor_mapped_address));
  auto expected = bytes;
  expected.resize(out.written().size());
  expected[2] = 0;
  expected[3] = static_cast<std::uint8_t>(expected.size() - kHeaderBytes);
  expected[35] = 0;  // the RFC pads with a space, we pad with zeros
  EXPECT_EQ(to_hex(out.written()), to_hex(expected));
}

TEST(StunVectors, TheLongTermRequestIsWrittenAgainByteForByte) {
  const auto bytes = sample_long_term_request();
  Builder out(Class::request, Method::binding, Message::parse(bytes)->id());
  out.text(Attr::username, kMatrixName)
      .text(Attr::nonce, "f//499k954d6OL34oL9FSTvy64sA")
      .text(Attr::realm, kRealm)
      .integrity(*long_term_key_md5(kMatrixName, kRealm, kLongPassword));
  EXPECT_EQ(to_hex(out.written()), to_hex(bytes));
}

}  // namespace
}  // namespace linnet::nat::stun
