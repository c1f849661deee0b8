// VoIP metrics (RFC 3611 section 4.7).
#include "media/rtcp_xr.h"

#include <gtest/gtest.h>

#include "media/rtcp.h"

namespace linnet::media {
namespace {

VoipMetrics some() {
  VoipMetrics m;
  m.ssrc = 0xabcd;
  m.loss_rate = 25;
  m.burst_duration = 300;
  m.round_trip = 41;
  m.mos_cq = 42;
  m.buffer_absolute = 500;
  return m;
}

TEST(VoipMetrics, TravelInAReportAndComeBackTheSame) {
  Report report;
  report.ssrc = 7;
  const auto metrics = some();
  const auto rtcp = parse_rtcp(write_rtcp(report, "", false, &metrics));
  ASSERT_TRUE(rtcp);
  EXPECT_TRUE(rtcp->cname.empty()) << "reduced size, RFC 5506";
  ASSERT_TRUE(rtcp->voip);
  EXPECT_EQ(*rtcp->voip, metrics);
  EXPECT_EQ(rtcp->skipped, 0U);
}

TEST(VoipMetrics, RefuseEveryTruncationAndABlockOfAnotherLength) {
  Writer out;
  write_voip_metrics(out, some());
  Bytes bytes = out.take();
  ASSERT_EQ(bytes.size(), kVoipMetricsBytes);
  for (std::size_t n = 1; n < bytes.size(); ++n) EXPECT_FALSE(read_xr_blocks(ByteView(bytes).first(n))) << n;
  bytes[3] = 7;  // a word less
  bytes.resize(bytes.size() - 4);
  EXPECT_EQ(read_xr_blocks(bytes).error(), Fault::malformed);
}

TEST(BurstMeter, CountsALoneLossToTheGapAndARunAsABurst) {
  BurstMeter meter;
  const auto add = [&](int n, BurstMeter::Fate fate) {
    for (int i = 0; i < n; ++i) meter.add(fate);
  };
  add(100, BurstMeter::Fate::received);
  add(1, BurstMeter::Fate::lost);
  add(100, BurstMeter::Fate::received);
  VoipMetrics m;
  meter.fill(m, 20);
  EXPECT_EQ(m.burst_duration, 0);
  EXPECT_EQ(outage_ms(m), 0);
  add(15, BurstMeter::Fate::lost);
  add(100, BurstMeter::Fate::received);
  meter.fill(m, 20);
  EXPECT_EQ(m.burst_duration, 300) << "15 packets of 20 ms";
  EXPECT_EQ(m.burst_density, 255) << "all of it lost, as near as 8 bits say";
  EXPECT_EQ(outage_ms(m), 300);
  EXPECT_EQ(m.loss_rate, 16 * 256 / 316);
}

}  // namespace
}  // namespace linnet::media
