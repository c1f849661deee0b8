// What a STUN parser takes and what it refuses (RFC 8489, sections 5, 6.3 and 14).
#include "nat/stun_message.h"

#include <gmock/gmock.h>

#include "nat/stun_auth.h"
#include "nat/stun_builder.h"
#include "nat/stun_fingerprint.h"
#include "stun_vectors.h"

namespace linnet::nat::stun {
namespace {

using testing::ElementsAre;

const TransactionId kTransaction{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
const Bytes kMessageKey = copy(view("key"));

Builder request() { return Builder(Class::request, Method::binding, kTransaction); }

TEST(StunMessage, EveryClassAndMethodKeepsItsNumber) {
  for (const auto c : {Class::request, Class::indication, Class::success, Class::error}) {
    for (unsigned number = 0; number < 0x80; ++number) {
      const Builder out(c, static_cast<Method>(number), kTransaction);
      const auto m = Message::parse(out.written());
      ASSERT_TRUE(m) << number;
      EXPECT_TRUE(m->is(c, static_cast<Method>(number)));
      EXPECT_EQ(m->id(), kTransaction);
    }
  }
  EXPECT_EQ(to_hex(Builder(Class::error, Method::binding, kTransaction).written().first(2)), "0111");
  EXPECT_EQ(to_hex(Builder(Class::success, Method::allocate, kTransaction).written().first(2)), "0103");
  EXPECT_EQ(to_hex(Builder(Class::indication, Method::send, kTransaction).written().first(2)), "0016");
}

TEST(StunMessage, NoPrefixOfAMessageIsAMessage) {
  for (const auto& whole : {sample_request(), sample_ipv6_response(), sample_sha256_request()}) {
    for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(Message::parse(ByteView(whole).first(n))) << n;
    // Nor when the length says that this was all, unless the cut is between two attributes.
    const auto m = *Message::parse(whole);
    for (std::size_t n = kHeaderBytes; n < whole.size(); ++n) {
      auto cut = whole;
      cut.resize(n);
      cut[2] = 0;
      cut[3] = static_cast<std::uint8_t>(n - kHeaderBytes);
      const bool between = n == kHeaderBytes || std::any_of(m.attributes().begin(), m.attributes().end(),
                                                            [n](const auto& a) { return a.offset == n + 4; });
      EXPECT_EQ(Message::parse(cut).has_value(), between) << n;
    }
  }
}

TEST(StunMessage, ABitFlippedAnywhereLeavesNoMessageWithAFingerprint) {
  const auto whole = sample_request();
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto m = Message::parse(flipped);
    if (!m) continue;
    // It is no fingerprint any more, or a length that grew has swallowed it, and then the tag as well.
    EXPECT_FALSE(m->has(Attr::fingerprint)) << bit;
    EXPECT_EQ(integrity_holds(*m, view(kShortPassword)), bit / 8 >= whole.size() - 8) << bit;
  }
}

TEST(StunMessage, ABitFlippedBeforeTheTagFailsTheTag) {
  const auto whole = sample_sha256_request();
  const auto key = long_term_key_sha256(kMatrixName, kRealm, kLongPassword);
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto m = Message::parse(flipped);
    EXPECT_FALSE(m && integrity_sha256_holds(*m, key)) << bit;
  }
}

TEST(StunMessage, TheFirstOfDuplicatesCounts) {
  auto out = request();
  out.text(Attr::username, "first").text(Attr::username, "second");
  const auto m = *Message::parse(out.written());
  EXPECT_EQ(m.attributes().size(), 2U);
  EXPECT_EQ(m.text(Attr::username), "first");
}

TEST(StunMessage, WhatFollowsTheIntegrityIsNotHeard) {
  auto out = request();
  out.text(Attr::username, "me")
      .integrity(kMessageKey)
      .u32(Attr::priority, 7)
      .integrity_sha256(kMessageKey)
      .text(Attr::realm, "x");
  out.integrity(kMessageKey).fingerprint();
  const auto m = *Message::parse(out.written());
  EXPECT_FALSE(m.has(Attr::priority));
  EXPECT_FALSE(m.has(Attr::realm));
  EXPECT_EQ(m.attributes().size(), 4U);
  EXPECT_TRUE(integrity_holds(m, kMessageKey));
  EXPECT_TRUE(integrity_sha256_holds(m, kMessageKey));
}

TEST(StunMessage, NothingFollowsTheFingerprint) {
  // Right for the length that the header says in the end.
  auto out = request();
  auto bytes = out.u32(Attr::fingerprint, 0).text(Attr::software, "x").take();
  Writer right;
  right.u32(fingerprint(ByteView(bytes).first(kHeaderBytes)));
  std::copy_n(right.written().begin(), 4, bytes.begin() + kHeaderBytes + 4);
  EXPECT_EQ(Message::parse(bytes).error(), Fault::malformed);
}

TEST(StunMessage, AFingerprintMustBeRight) {
  auto out = request();
  auto bytes = out.u32(Attr::fingerprint, 1).take();
  EXPECT_EQ(Message::parse(bytes).error(), Fault::bad_mac);
}

TEST(StunMessage, OneAttributeMoreThanTheTableHoldsIsRefused) {
  auto out = request();
  for (std::size_t i = 0; i < kMaxAttributes; ++i) out.flag(Attr::use_candidate);
  EXPECT_TRUE(Message::parse(out.written()));
  EXPECT_EQ(Message::parse(out.flag(Attr::use_candidate).written()).error(), Fault::too_big);
}

TEST(StunMessage, ListsTheRequiredAttributesItDoesNotKnowOnce) {
  auto out = request();
  out.u32(static_cast<Attr>(0x7001), 1).u32(static_cast<Attr>(0xc001), 1).text(Attr::username, "me");
  out.u32(static_cast<Attr>(0x7001), 2).u32(Attr::priority, 3).integrity(kMessageKey).u32(static_cast<Attr>(0x7002), 1);
  const auto m = *Message::parse(out.written());
  constexpr Attr kKnown[] = {Attr::username, Attr::message_integrity};
  EXPECT_THAT(m.unknown_required(kKnown), ElementsAre(static_cast<Attr>(0x7001), Attr::priority));

  Builder answer(Class::error, Method::binding, kTransaction);
  const auto unknown = m.unknown_required(kKnown);
  answer.error(ErrorCode::unknown_attribute).unknown_attributes({unknown.begin(), unknown.end()});
  const auto read = *Message::parse(answer.written());
  EXPECT_EQ(read.error()->code, ErrorCode::unknown_attribute);
  EXPECT_EQ(read.error()->reason, "Unknown Attribute");
  EXPECT_THAT(*read.unknown_attributes(), ElementsAre(static_cast<Attr>(0x7001), Attr::priority));
}

TEST(StunMessage, AddressesOfBothFamiliesComeBackAsTheyWere) {
  for (const auto* text : {"192.0.2.1:1", "255.255.255.255:65535", "[2001:db8::1]:3478", "[::]:0"}) {
    for (const auto type : {Attr::mapped_address, Attr::xor_mapped_address, Attr::other_address, Attr::response_origin,
                            Attr::alternate_server, Attr::xor_peer_address, Attr::xor_relayed_address}) {
      auto out = request();
      const auto m = *Message::parse(out.endpoint(type, *Endpoint::parse(text)).written());
      EXPECT_EQ(m.endpoint(type), *Endpoint::parse(text)) << text;
    }
  }
}

TEST(StunMessage, ValuesOfAnotherShapeAreMalformed) {
  const auto shaped = [](Attr type, std::size_t size, std::uint8_t second) {
    Bytes value(size, 0);
    if (size > 1) value[1] = second;
    return request().bytes(type, value).take();
  };
  const auto endpoint = [&](std::size_t size, std::uint8_t family) {
    const auto bytes = shaped(Attr::mapped_address, size, family);
    return Message::parse(bytes)->endpoint(Attr::mapped_address).has_value();
  };
  EXPECT_TRUE(endpoint(8, 1));
  EXPECT_TRUE(endpoint(20, 2));
  for (std::size_t size = 0; size < 24; ++size) {
    for (std::uint8_t family = 0; family < 4; ++family) {
      EXPECT_EQ(endpoint(size, family), (size == 8 && family == 1) || (size == 20 && family == 2)) << size;
    }
    const auto word = shaped(Attr::priority, size, 0);
    EXPECT_EQ(Message::parse(word)->u32(Attr::priority).has_value(), size == 4);
    const auto two = shaped(Attr::ice_controlled, size, 0);
    EXPECT_EQ(Message::parse(two)->u64(Attr::ice_controlled).has_value(), size == 8);
  }
}

TEST(StunMessage, ErrorCodesOutsideThreeToSixHundredAreMalformed) {
  const auto code = [](std::uint8_t hundreds, std::uint8_t rest) {
    auto out = request();
    const auto bytes = out.bytes(Attr::error_code, Bytes{0, 0, hundreds, rest}).take();
    return Message::parse(bytes)->error().has_value();
  };
  EXPECT_TRUE(code(3, 0));
  EXPECT_TRUE(code(6, 99));
  EXPECT_FALSE(code(2, 99));
  EXPECT_FALSE(code(7, 0));
  EXPECT_FALSE(code(4, 100));
  EXPECT_EQ(Message::parse(request().written())->error().error(), Fault::not_found);
}

TEST(StunMessage, ATextOverItsBoundIsRefused) {
  for (const auto& [type, bound] : {std::pair{Attr::username, 508U},
                                    {Attr::realm, 763U},
                                    {Attr::nonce, 763U},
                                    {Attr::software, 763U},
                                    {Attr::alternate_domain, 255U}}) {
    auto fits = request();
    auto over = request();
    fits.text(type, std::string(bound, 'x'));
    over.text(type, std::string(bound + 1, 'x'));
    EXPECT_TRUE(Message::parse(fits.written())->text(type));
    EXPECT_EQ(Message::parse(over.written())->text(type).error(), Fault::too_big);
  }
}

TEST(StunMessage, OnlyWhatCarriesTheCookieIsStun) {
  auto bytes = sample_request();
  EXPECT_TRUE(is_stun(bytes));
  for (const std::size_t at : {0U, 3U, 4U, 5U, 6U, 7U}) {
    auto other = bytes;
    other[at] ^= 0x41;
    EXPECT_FALSE(is_stun(other)) << at;
  }
  bytes.push_back(0);
  EXPECT_FALSE(is_stun(bytes));
}

}  // namespace
}  // namespace linnet::nat::stun
