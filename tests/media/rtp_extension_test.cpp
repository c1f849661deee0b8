#include "media/rtp_extension.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "media/rtp.h"

namespace linnet::media {
namespace {

Bytes octets_of(std::string_view hex) { return *from_hex(hex); }

std::string listed(const Result<ExtensionElements>& read) {
  if (!read) return "fault";
  std::string out;
  for (const auto& e : std::span(read->elements).first(read->count)) {
    out.append(out.empty() ? "" : " ").append(std::to_string(e.id)).append("=").append(to_hex(e.data));
  }
  return out;
}

std::string in_one_octet(std::string_view hex) {
  const auto bytes = octets_of(hex);
  return listed(parse_elements(0xbede, bytes));
}

std::string in_two_octets(std::string_view hex) {
  const auto bytes = octets_of(hex);
  return listed(parse_elements(0x1000, bytes));
}

TEST(RtpExtension, ReadsElementsOfOneOctetOfHead) {
  EXPECT_EQ(in_one_octet("10ff0000"), "1=ff") << "a length of 0 is one octet";
  EXPECT_EQ(in_one_octet("10ff2201020300000000e0aa"), "1=ff 2=010203 14=aa");
  EXPECT_EQ(in_one_octet("3f000102030405060708090a0b0c0d0e0f"), "3=000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(in_one_octet(""), "");
}

TEST(RtpExtension, ReadsElementsOfTwoOctetsOfHead) {
  EXPECT_EQ(in_two_octets("0100020101000000"), "1= 2=01");
  EXPECT_EQ(in_two_octets("ff030102030f01aa"), "255=010203 15=aa") << "15 is an identifier like others here";
  const auto bytes = octets_of("0100");
  EXPECT_EQ(listed(parse_elements(0x100f, bytes)), "1=") << "the last four bits are the application's";
}

TEST(RtpExtension, PassesOverPaddingBeforeBetweenAndBehindElements) {
  EXPECT_EQ(in_one_octet("000010ff000020ee0000"), "1=ff 2=ee");
  EXPECT_EQ(in_two_octets("00000101aa00000201bb"), "1=aa 2=bb");
}

TEST(RtpExtension, EndsAtAnIdentifierThatIsReserved) {
  EXPECT_EQ(in_one_octet("10fff020ee"), "1=ff") << "15 (RFC 8285 section 4.2)";
  EXPECT_EQ(in_one_octet("10ff0120ee"), "1=ff") << "0 with a length";
}

TEST(RtpExtension, RefusesElementsLongerThanThePacketAndOtherProfiles) {
  EXPECT_EQ(in_one_octet("12ffff"), "fault");
  EXPECT_EQ(in_one_octet("10"), "fault");
  EXPECT_EQ(in_two_octets("0102ff"), "fault");
  EXPECT_EQ(in_two_octets("01"), "fault") << "the length is missing";
  const auto bytes = octets_of("10ff0000");
  for (const std::uint16_t profile : {0x0000, 0xbedf, 0x1010, 0x2000})
    EXPECT_EQ(parse_elements(profile, bytes).error(), Fault::unsupported) << profile;
}

TEST(RtpExtension, ReadsABoundedNumberOfElements) {
  Bytes many;
  for (int i = 0; i < 100; ++i) append(many, octets_of("10ff"));
  EXPECT_EQ(parse_elements(kOneOctetProfile, many)->count, kMaxElements);
}

TEST(RtpExtension, TheFirstOfTwoElementsOfOneIdentifierCounts) {
  const auto bytes = octets_of("10aa10bb");
  const auto read = parse_elements(kOneOctetProfile, bytes);
  EXPECT_EQ(to_hex(*read->find(1)), "aa");
  EXPECT_FALSE(read->find(2));
  EXPECT_FALSE(read->find(0));
}

TEST(RtpExtension, WritesTheSmallerFormThatTakesEveryElement) {
  const auto a = octets_of("ff"), none = Bytes{}, long_one = Bytes(17, 1);
  const auto form = [](std::uint8_t id, ByteView data) { return form_for(std::array{ExtensionElement{id, data}}); };
  EXPECT_EQ(form(14, a), ExtensionForm::one_octet);
  EXPECT_EQ(form(15, a), ExtensionForm::two_octets);
  EXPECT_EQ(form(1, none), ExtensionForm::two_octets) << "the small form has no empty element";
  EXPECT_EQ(form(1, long_one), ExtensionForm::two_octets);
  Bytes out;
  write_elements(out, std::array{ExtensionElement{1, a}}, ExtensionForm::one_octet);
  EXPECT_EQ(to_hex(out), "bede000110ff0000");
  out.clear();
  write_elements(out, std::array{ExtensionElement{1, a}, ExtensionElement{20, a}}, ExtensionForm::two_octets);
  EXPECT_EQ(to_hex(out), "100000020101ff1401ff0000");
}

TEST(RtpExtension, LeavesOutWhatCannotBeWritten) {
  const Bytes a = octets_of("ff"), long_one(17, 1), longest(256, 1);
  Bytes out;
  const std::array impossible{ExtensionElement{0, a}, ExtensionElement{15, a}, ExtensionElement{1, long_one}};
  write_elements(out, impossible, ExtensionForm::one_octet);
  EXPECT_TRUE(out.empty()) << "no extension is written for nothing";
  EXPECT_EQ(extension_size(impossible, ExtensionForm::one_octet), 0U);
  write_elements(out, std::array{ExtensionElement{0, a}, ExtensionElement{2, a}, ExtensionElement{1, longest}},
                 ExtensionForm::two_octets);
  EXPECT_EQ(to_hex(out), "100000010201ff00");
}

TEST(RtpExtension, APacketCarriesSourcesElementsAndPayload) {
  RtpHeader header;
  header.csrc_count = 2;
  header.csrc = {7, 8};
  const Bytes level = octets_of("2a"), payload = octets_of("010203");
  Bytes out;
  write_rtp(out, header, std::array{ExtensionElement{1, level}}, ExtensionForm::one_octet, payload);
  const auto read = parse_rtp(out);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->header.csrc_count, 2);
  EXPECT_EQ(read->header.csrc[1], 8U);
  EXPECT_EQ(to_hex(read->payload), "010203");
  EXPECT_EQ(to_hex(*parse_elements(*read->extension_profile, read->extension)->find(1)), "2a");
  Bytes plain, none;
  write_rtp(plain, header, payload);
  write_rtp(none, header, {}, ExtensionForm::two_octets, payload);
  EXPECT_EQ(plain, none) << "no element, no extension";
}

// Whatever elements: what is written has the size that was said, whole words, and reads back as what fits.
TEST(RtpExtension, WhatIsWrittenReadsBack) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SeededRng rng(seed);
    const auto form = rng.below(2) == 0 ? ExtensionForm::one_octet : ExtensionForm::two_octets;
    std::vector<Bytes> data(rng.below(kMaxElements + 1));
    std::vector<ExtensionElement> elements;
    std::string wanted;
    for (auto& bytes : data) {
      bytes.resize(rng.below(form == ExtensionForm::one_octet ? 20 : 300));
      rng.fill(bytes);
      elements.push_back({static_cast<std::uint8_t>(rng.below(256)), bytes});
      if (!fits(elements.back(), form)) continue;
      wanted.append(wanted.empty() ? "" : " ")
          .append(std::to_string(elements.back().id))
          .append("=")
          .append(to_hex(bytes));
    }
    Bytes out;
    write_elements(out, elements, form);
    ASSERT_EQ(out.size(), extension_size(elements, form));
    ASSERT_EQ(out.size() % 4, 0U);
    if (out.empty()) continue;
    Reader in(out);
    const auto profile = in.u16();
    const std::size_t words = in.u16();
    ASSERT_EQ(words * 4, in.remaining());
    ASSERT_EQ(listed(parse_elements(profile, in.rest())), wanted) << seed;
  }
}

TEST(RtpExtension, AnyOctetsAreReadWithinTheirBounds) {
  SeededRng rng(9);
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes(rng.below(40));
    rng.fill(bytes);
    const auto read = parse_elements(i % 2 == 0 ? kOneOctetProfile : kTwoOctetProfile, bytes);
    if (!read) continue;
    for (const auto& e : std::span(read->elements).first(read->count)) {
      ASSERT_NE(e.id, 0);
      ASSERT_GE(e.data.data(), bytes.data());
      ASSERT_LE(e.data.data() + e.data.size(), bytes.data() + bytes.size());
    }
  }
}

}  // namespace
}  // namespace linnet::media
