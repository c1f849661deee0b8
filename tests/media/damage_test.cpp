// security.md, check 3, for what a call carries inside SRTP: every truncation and every flipped bit of one packet of each
// kind. SRTP refuses them all (srtp_test); should the other end of a call send them, nothing is read beyond the packet.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>

#include "media/redundancy.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/telephone_event.h"

namespace linnet::media {
namespace {

// Whether what was read lies within the packet and keeps the limits of its header file.
using Sane = std::function<bool(ByteView)>;

struct Kind {
  const char* name;
  Bytes packet;
  Sane sane;
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

bool within(ByteView part, ByteView whole) {
  if (part.empty()) return true;
  const std::less_equal<const std::uint8_t*> le;
  return le(whole.data(), part.data()) && le(part.data() + part.size(), whole.data() + whole.size());
}

Kind rtp() {
  RtpHeader header;
  header.marker = true;
  header.payload_type = 96;
  header.sequence = 7;
  header.ssrc = 0x01020304;
  header.csrc_count = 2;
  header.csrc[0] = 5;
  header.csrc[1] = 6;
  Bytes out;
  write_rtp(out, header, Bytes(40, 9));
  return {"rtp", std::move(out), [](ByteView b) {
            const auto read = parse_rtp(b);
            return !read || (within(read->payload, b) && within(read->extension, b) && read->header.csrc_count <= kMaxCsrc &&
                             read->header.payload_type < 128);
          }};
}

Kind rtp_with_extension_and_padding() {
  Bytes out{0xb0, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 42, 43, 0, 0, 0, 4};
  auto kind = rtp();
  kind.name = "rtp with extension and padding";
  kind.packet = std::move(out);
  return kind;
}

Bytes compound(const VoipMetrics* voip) {
  Report report;
  report.ssrc = 1;
  report.sender = SenderInfo{0x0102030405060708, 160, 5, 800};
  report.blocks = {{2, 3, -4, 50, 6, 7, 8}, {3, 0, 0, 51, 1, 0, 0}};
  return write_rtcp(report, "somebody@demo.example", true, voip);
}

bool sane_rtcp(ByteView b) {
  const auto read = parse_rtcp(b);
  if (!read) return true;
  const auto few = [](const Report& r) { return r.blocks.size() <= kMaxReportBlocks; };
  return read->reports.size() <= kMaxRtcpPackets && read->cname.size() <= kMaxCname && read->bye.size() <= b.size() / 4 &&
         std::all_of(read->reports.begin(), read->reports.end(), few);
}

Kind rtcp() { return {"rtcp", compound(nullptr), sane_rtcp}; }

Kind rtcp_xr() {
  VoipMetrics metrics;
  metrics.ssrc = 2;
  metrics.loss_rate = 40;
  return {"rtcp xr", compound(&metrics), sane_rtcp};
}

Kind event() {
  Bytes out;
  write_event(out, {5, true, 10, 800});
  return {"telephone-event", std::move(out), [](ByteView b) {
            const auto read = parse_event(b);
            return !read || read->volume <= 63;
          }};
}

Kind red() {
  Bytes out;
  SentFrames frames;
  frames.add(0, 960, Bytes(20, 1));
  frames.add(960, 960, Bytes(20, 2));
  const std::uint8_t distances[] = {2, 1};
  frames.write(out, 96, 1920, 960, Bytes(20, 3), distances);
  return {"redundancy", std::move(out), [](ByteView b) {
            const auto read = parse_red(b);
            if (!read) return true;
            bool good = read->count >= 1 && read->count <= kMaxRedBlocks;
            for (std::size_t i = 0; good && i < read->count; ++i) good = within(read->blocks[i].payload, b);
            return good;
          }};
}

struct MediaDamage : testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, MediaDamage,
                         testing::Values(rtp(), rtp_with_extension_and_padding(), rtcp(), rtcp_xr(), event(), red()));

TEST_P(MediaDamage, NoTruncationIsReadBeyondItsEnd) {
  const auto& kind = GetParam();
  ASSERT_TRUE(kind.sane(kind.packet));
  for (std::size_t n = 0; n < kind.packet.size(); ++n) {
    const Bytes part(kind.packet.begin(), kind.packet.begin() + static_cast<std::ptrdiff_t>(n));  // its own allocation
    EXPECT_TRUE(kind.sane(part)) << n;
  }
}

TEST_P(MediaDamage, NoFlippedBitIsReadBeyondTheEnd) {
  const auto& kind = GetParam();
  for (std::size_t bit = 0; bit < kind.packet.size() * 8; ++bit) {
    auto bad = kind.packet;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_TRUE(kind.sane(bad)) << bit;
  }
}

}  // namespace
}  // namespace linnet::media
