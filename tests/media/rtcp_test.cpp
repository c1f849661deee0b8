#include "media/rtcp.h"

#include <gtest/gtest.h>

#include "media/reception.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

Bytes hex(std::string_view text) { return *from_hex(text); }

TEST(Rtcp, ReadsACompoundOfReportDescriptionAndGoodbye) {
  const auto r =
      parse_rtcp(hex("81c8000c"
                     "00000001"
                     "83aa7e80"
                     "40000000"
                     "00000010"
                     "00000005"
                     "000003e8"  // SR, NTP, RTP time, 5 packets, 1000 octets
                     "00000002"
                     "40ffffff"
                     "00010003"
                     "00000007"
                     "7e804000"
                     "00008000"  // block: 25 %, -1 lost, highest, jitter, LSR, DLSR
                     "81ca0003"
                     "00000001"
                     "0103616263000000"  // CNAME abc
                     ));
  ASSERT_TRUE(r) << to_string(r.error());
  ASSERT_EQ(r->reports.size(), 1U);
  EXPECT_EQ(r->reports[0].ssrc, 1U);
  ASSERT_TRUE(r->reports[0].sender);
  EXPECT_EQ(r->reports[0].sender->ntp, 0x83aa7e8040000000U);
  EXPECT_EQ(r->reports[0].sender->packets, 5U);
  EXPECT_EQ(r->reports[0].sender->octets, 1000U);
  const auto& b = r->reports[0].blocks.at(0);
  EXPECT_EQ(b.ssrc, 2U);
  EXPECT_EQ(b.fraction_lost, 0x40);
  EXPECT_EQ(b.cumulative_lost, -1);
  EXPECT_EQ(b.highest_sequence, 0x00010003U);
  EXPECT_EQ(b.last_sr, 0x7e804000U);
  EXPECT_EQ(r->cname, "abc");
}

TEST(Rtcp, WritesWhatItReads) {
  Report report;
  report.ssrc = 77;
  report.sender = SenderInfo{0x0123456789abcdefU, 5, 6, 7};
  report.blocks.push_back({99, 12, -345, 0x20001, 44, 0xaabbccdd, 65536});
  for (const std::string name : {"", "a", "ab", "abc", "abcd", "some longer name"}) {
    const Bytes bytes = write_rtcp(report, name, true);
    EXPECT_EQ(bytes.size() % 4, 0U);
    const auto r = parse_rtcp(bytes);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->cname, name);
    EXPECT_EQ(r->reports.at(0).sender->rtp_timestamp, 5U);
    EXPECT_EQ(r->reports[0].blocks.at(0).cumulative_lost, -345);
    EXPECT_EQ(r->reports[0].blocks[0].delay_since_last_sr, 65536U);
    EXPECT_EQ(r->bye, std::vector<std::uint32_t>{77});
  }
}

TEST(Rtcp, ToleratesReducedSizeAndSkipsWhatItDoesNotKnow) {
  const auto r =
      parse_rtcp(hex("80ce0001"
                     "00000001"));  // payload-specific feedback alone
  ASSERT_TRUE(r);
  EXPECT_EQ(r->skipped, 1U);
  EXPECT_TRUE(r->reports.empty());
}

TEST(Rtcp, RefusesEveryTruncation) {
  Report report;
  report.blocks.resize(2);
  const Bytes bytes = write_rtcp(report, "cname", true);
  const std::size_t rr = 8 + 2 * 24, sdes = rr + 16;
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    if (n == rr || n == sdes) continue;  // whole packets
    EXPECT_FALSE(parse_rtcp(ByteView(bytes).first(n))) << n;
  }
}

TEST(Rtcp, RefusesACompoundOfTooManyPackets) {
  Bytes bytes;
  for (std::size_t i = 0; i <= kMaxRtcpPackets; ++i) append(bytes, hex("80cb0000"));
  EXPECT_EQ(parse_rtcp(bytes).error(), Fault::too_big);
}

TEST(Rtcp, RoundTripIsWhatPassedLessWhatThePeerHeldItFor) {
  ReportBlock block;
  EXPECT_FALSE(round_trip(at_ms(500), block));  // it has seen no report of ours
  block.last_sr = ntp_middle(ntp_time(at_ms(0)));
  block.delay_since_last_sr = 65536 / 4;  // 250 ms
  ASSERT_TRUE(round_trip(at_ms(330), block));
  EXPECT_NEAR(millis(*round_trip(at_ms(330), block)), 80, 0.1);
  EXPECT_FALSE(round_trip(at_ms(100), block));  // it claims to have held it longer than it existed
}

RtpHeader packet(std::uint16_t sequence, std::uint32_t timestamp) {
  RtpHeader h;
  h.sequence = sequence;
  h.timestamp = timestamp;
  return h;
}

TEST(Reception, CountsLossAcrossTheWrapOfSequenceNumbers) {
  Reception r;
  for (int i = 0; i < 100; ++i) {
    if (i % 4 == 3) continue;
    r.on_packet(at_ms(i * 20), packet(static_cast<std::uint16_t>(65500 + i), static_cast<std::uint32_t>(i) * 960),
                48000);
  }
  r.on_packet(at_ms(2000), packet(static_cast<std::uint16_t>(65500 + 100), 96000), 48000);
  EXPECT_EQ(r.expected(), 101U);
  EXPECT_EQ(r.lost(), 25);
  const auto block = r.report(at_ms(2000), 9);
  EXPECT_EQ(block.fraction_lost, 25 * 256 / 101);
  EXPECT_EQ(block.cumulative_lost, 25);
  EXPECT_EQ(block.highest_sequence, 65600U);
  EXPECT_EQ(r.report(at_ms(2001), 9).fraction_lost, 0) << "nothing was expected since";
}

TEST(Reception, JitterFollowsTheFormulaOfSection641) {
  Reception r;
  EXPECT_FALSE(r.jitter_ms());
  double expected = 0;
  for (int i = 0; i < 200; ++i) {
    r.on_packet(at_ms(i * 20 + (i % 2) * 8), packet(static_cast<std::uint16_t>(i), static_cast<std::uint32_t>(i) * 160),
                8000);
    if (i > 0) expected += (8 - expected) / 16;
  }
  ASSERT_TRUE(r.jitter_ms());
  EXPECT_NEAR(*r.jitter_ms(), expected, 0.01);
}

}  // namespace
}  // namespace linnet::media
