#include "media/rtp.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet::media {
namespace {

Bytes packet_of(std::string_view text) { return *from_hex(text); }

TEST(Rtp, ReadsTheFieldsOfAPlainPacket) {
  // V=2, M=1, PT=111, seq 0x1234, ts 0x01020304, SSRC 0xdeadbeef, payload aa bb.
  const auto p = parse_rtp(packet_of("80ef123401020304deadbeefaabb"));
  // The parsed packet views the bytes, which are gone here: only values are looked at.
  ASSERT_TRUE(p);
  EXPECT_TRUE(p->header.marker);
  EXPECT_EQ(p->header.payload_type, 111);
  EXPECT_EQ(p->header.sequence, 0x1234);
  EXPECT_EQ(p->header.timestamp, 0x01020304U);
  EXPECT_EQ(p->header.ssrc, 0xdeadbeefU);
  EXPECT_EQ(p->payload.size(), 2U);
}

TEST(Rtp, ReadsContributingSourcesExtensionAndPadding) {
  // P=1, X=1, CC=2; extension profile 0xbede of one word; payload 01 02 03, padding 00 02.
  const Bytes bytes = packet_of(
      "b2000001"
      "00000002"
      "00000003"
      "11111111"
      "22222222"
      "bede0001"
      "10ff0000"
      "010203"
      "0002");
  const auto p = parse_rtp(bytes);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->header.csrc_count, 2);
  EXPECT_EQ(p->header.csrc[0], 0x11111111U);
  EXPECT_EQ(p->header.csrc[1], 0x22222222U);
  EXPECT_EQ(p->extension_profile, 0xbede);
  EXPECT_EQ(to_hex(p->extension), "10ff0000");
  EXPECT_EQ(to_hex(p->payload), "010203");
}

TEST(Rtp, RefusesAnotherVersionAndImpossiblePadding) {
  EXPECT_EQ(parse_rtp(packet_of("406f0000000000000000000000")).error(), Fault::malformed);
  EXPECT_EQ(parse_rtp(packet_of("a06f00000000000000000000"
                                "05"))
                .error(),
            Fault::malformed);
  EXPECT_EQ(parse_rtp(packet_of("a06f00000000000000000000"
                                "00"))
                .error(),
            Fault::malformed);
  EXPECT_EQ(parse_rtp(packet_of("a06f00000000000000000000")).error(), Fault::malformed);
}

TEST(Rtp, RefusesEveryTruncationBeforeThePayload) {
  const Bytes bytes = packet_of(
      "92000001"
      "00000002"
      "00000003"
      "11111111"
      "22222222"
      "bede0001"
      "10ff0000"
      "010203");
  for (std::size_t n = 0; n < 28; ++n) EXPECT_EQ(parse_rtp(ByteView(bytes).first(n)).error(), Fault::truncated) << n;
  EXPECT_TRUE(parse_rtp(ByteView(bytes).first(28)));
}

TEST(Rtp, WritesWhatItReads) {
  SeededRng rng(7);
  for (int round = 0; round < 200; ++round) {
    RtpHeader h;
    h.marker = rng.below(2) == 1;
    h.payload_type = static_cast<std::uint8_t>(rng.below(128));
    h.sequence = static_cast<std::uint16_t>(rng.u32());
    h.timestamp = rng.u32();
    h.ssrc = rng.u32();
    h.csrc_count = static_cast<std::uint8_t>(rng.below(16));
    for (std::size_t i = 0; i < h.csrc_count; ++i) h.csrc[i] = rng.u32();
    Bytes payload(rng.below(100));
    rng.fill(payload);
    Bytes bytes;
    write_rtp(bytes, h, payload);
    const auto p = parse_rtp(bytes);
    ASSERT_TRUE(p);
    EXPECT_EQ(p->header.marker, h.marker);
    EXPECT_EQ(p->header.payload_type, h.payload_type);
    EXPECT_EQ(p->header.sequence, h.sequence);
    EXPECT_EQ(p->header.timestamp, h.timestamp);
    EXPECT_EQ(p->header.ssrc, h.ssrc);
    EXPECT_EQ(p->header.csrc, h.csrc);
    EXPECT_TRUE(equal(p->payload, payload));
  }
}

TEST(Rtp, IsToldFromRtcpByItsSecondOctet) {
  EXPECT_TRUE(is_rtcp(packet_of("80c8")));   // SR
  EXPECT_TRUE(is_rtcp(packet_of("81cf")));   // XR
  EXPECT_FALSE(is_rtcp(packet_of("806f")));  // 111
  EXPECT_FALSE(is_rtcp(packet_of("80ef")));  // 111 with marker
  EXPECT_FALSE(is_rtcp(packet_of("8000")));  // PCMU
  EXPECT_FALSE(is_rtcp(packet_of("80")));
}

TEST(Unwrapper, FollowsWrapsAndSeesStragglersBehind) {
  Unwrapper<std::uint16_t> u;
  EXPECT_EQ(u.unwrap(65534), 65534);
  EXPECT_EQ(u.unwrap(1), 65537);
  EXPECT_EQ(u.unwrap(65535), 65535);
  EXPECT_EQ(u.peek(2), 65538);
  EXPECT_EQ(u.unwrap(2), 65538);
}

}  // namespace
}  // namespace linnet::media
