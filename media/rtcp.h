// RTCP: sender and receiver reports, source description, goodbye (RFC 3550 section 6), extended reports with VoIP
// metrics (RFC 3611). Reduced-size packets are read and written (RFC 5506). Other packet types are skipped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "media/rtcp_xr.h"

namespace linnet::media {

inline constexpr std::size_t kMaxReportBlocks = 31;  // the count field has five bits
inline constexpr std::size_t kMaxRtcpPackets = 16;   // in one compound
inline constexpr std::size_t kMaxCname = 255;

struct ReportBlock {
  std::uint32_t ssrc = 0;            // whose stream is reported on
  std::uint8_t fraction_lost = 0;    // since the last report, of 256
  std::int32_t cumulative_lost = 0;  // 24 bits, may be negative
  std::uint32_t highest_sequence = 0;
  std::uint32_t jitter = 0;               // timestamp units
  std::uint32_t last_sr = 0;              // middle 32 bits of the NTP time of the last sender report; 0: none came
  std::uint32_t delay_since_last_sr = 0;  // 1/65536 s
};

struct SenderInfo {
  std::uint64_t ntp = 0;  // 32.32 seconds
  std::uint32_t rtp_timestamp = 0;
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;
};

struct Report {
  std::uint32_t ssrc = 0;            // its sender
  std::optional<SenderInfo> sender;  // present in an SR, absent in an RR
  std::vector<ReportBlock> blocks;
};

struct Rtcp {
  std::vector<Report> reports;
  std::string cname;  // empty: none came
  std::vector<std::uint32_t> bye;
  std::optional<VoipMetrics> voip;  // the first that came
  std::size_t skipped = 0;          // packets of types not named above
};

// Faults: truncated, malformed (version, padding), too_big (kMaxRtcpPackets).
Result<Rtcp> parse_rtcp(ByteView bytes);

// SR (or RR without sender info) with at most kMaxReportBlocks blocks, SDES CNAME (an empty one is left out: reduced
// size), VoIP metrics if given, and BYE if asked.
Bytes write_rtcp(const Report& report, std::string_view cname, bool bye = false, const VoipMetrics* voip = nullptr);

// Time as the 32.32 of a sender report. It need not be the wall clock's (section 4): it is compared with itself only.
std::uint64_t ntp_time(Time now);
inline std::uint32_t ntp_middle(std::uint64_t ntp) { return static_cast<std::uint32_t>(ntp >> 16); }
// The 32.32 of a peer's report as a time since its own beginning.
Duration ntp_duration(std::uint64_t ntp);
// Round trip from a report block on us (section 6.4.1). Absent when there was no SR or the figures contradict.
std::optional<Duration> round_trip(Time now, const ReportBlock& block);

}  // namespace linnet::media
