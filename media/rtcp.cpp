#include "media/rtcp.h"

#include <algorithm>

namespace linnet::media {
namespace {

constexpr std::uint8_t kSr = 200, kRr = 201, kSdes = 202, kBye = 203, kXr = 207;
constexpr std::uint8_t kSdesCname = 1;

std::int32_t signed24(std::uint32_t v) {
  return (v & 0x800000U) != 0 ? static_cast<std::int32_t>(v) - 0x1000000 : static_cast<std::int32_t>(v);
}

ReportBlock read_block(Reader& in) {
  ReportBlock b;
  b.ssrc = in.u32();
  const std::uint32_t lost = in.u32();
  b.fraction_lost = static_cast<std::uint8_t>(lost >> 24);
  b.cumulative_lost = signed24(lost & 0xffffffU);
  b.highest_sequence = in.u32();
  b.jitter = in.u32();
  b.last_sr = in.u32();
  b.delay_since_last_sr = in.u32();
  return b;
}

Status read_report(Reader in, bool with_sender, std::size_t count, Rtcp& out) {
  Report report;
  report.ssrc = in.u32();
  if (with_sender) {
    SenderInfo s;
    s.ntp = in.u64();
    s.rtp_timestamp = in.u32();
    s.packets = in.u32();
    s.octets = in.u32();
    report.sender = s;
  }
  for (std::size_t i = 0; i < count && in.ok(); ++i) report.blocks.push_back(read_block(in));
  if (!in.ok()) return fail(Fault::truncated);
  out.reports.push_back(std::move(report));  // profile-specific extensions may follow; we know none
  return {};
}

Status read_sdes(Reader in, std::size_t chunks, Rtcp& out) {
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
    std::size_t used = 0;
    in.u32();
    for (;;) {
      const std::uint8_t type = in.u8();
      ++used;
      if (!in.ok()) return fail(Fault::truncated);
      if (type == 0) break;
      const std::size_t length = in.u8();
      const auto value = in.bytes(length);
      if (!in.ok()) return fail(Fault::truncated);
      used += 1 + length;
      if (type == kSdesCname && out.cname.empty()) out.cname = std::string(text(value));
    }
    // A chunk ends on a 32-bit boundary.
    if (used % 4 != 0) in.bytes(4 - used % 4);
  }
  if (!in.ok()) return fail(Fault::truncated);
  return {};
}

Status read_bye(Reader in, std::size_t count, Rtcp& out) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t ssrc = in.u32();
    if (!in.ok()) return fail(Fault::truncated);
    out.bye.push_back(ssrc);
  }
  return {};
}

Status read_xr(Reader in, Rtcp& out) {
  in.u32();  // its sender, who stands in the report as well
  if (!in.ok()) return fail(Fault::truncated);
  const auto metrics = read_xr_blocks(in.rest());
  if (!metrics) return fail(metrics.error());
  if (!out.voip) out.voip = *metrics;
  return {};
}

Status read_one(std::uint8_t type, std::size_t count, ByteView body, Rtcp& out) {
  switch (type) {
    case kSr: return read_report(Reader(body), true, count, out);
    case kRr: return read_report(Reader(body), false, count, out);
    case kSdes: return read_sdes(Reader(body), count, out);
    case kBye: return read_bye(Reader(body), count, out);
    case kXr: return read_xr(Reader(body), out);
    default: ++out.skipped; return {};
  }
}

void write_header(Writer& out, std::size_t count, std::uint8_t type, std::size_t bytes) {
  out.u8(static_cast<std::uint8_t>(0x80 | count)).u8(type).u16(static_cast<std::uint16_t>(bytes / 4 - 1));
}

void write_report(Writer& out, const Report& report) {
  const std::size_t count = std::min(report.blocks.size(), kMaxReportBlocks);
  write_header(out, count, report.sender ? kSr : kRr, 8 + (report.sender ? 20 : 0) + 24 * count);
  out.u32(report.ssrc);
  if (report.sender) {
    const auto& s = *report.sender;
    out.u64(s.ntp).u32(s.rtp_timestamp).u32(s.packets).u32(s.octets);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto& b = report.blocks[i];
    const std::int32_t lost = std::clamp(b.cumulative_lost, -0x800000, 0x7fffff);
    out.u32(b.ssrc).u8(b.fraction_lost);
    out.u8(static_cast<std::uint8_t>(lost >> 16)).u16(static_cast<std::uint16_t>(lost));
    out.u32(b.highest_sequence).u32(b.jitter).u32(b.last_sr).u32(b.delay_since_last_sr);
  }
}

void write_sdes(Writer& out, std::uint32_t ssrc, std::string_view cname) {
  cname = cname.substr(0, kMaxCname);
  const std::size_t items = 2 + cname.size() + 1;  // with the null that ends the list
  const std::size_t padded = (items + 3) / 4 * 4;
  write_header(out, 1, kSdes, 8 + padded);
  out.u32(ssrc).u8(kSdesCname).u8(static_cast<std::uint8_t>(cname.size())).bytes(view(cname));
  out.zeros(padded - items + 1);
}

}  // namespace

Result<Rtcp> parse_rtcp(ByteView bytes) {
  if (bytes.empty()) return fail(Fault::truncated);
  Rtcp out;
  Reader in(bytes);
  for (std::size_t packets = 0; in.remaining() > 0; ++packets) {
    if (packets == kMaxRtcpPackets) return fail(Fault::too_big);
    const std::uint8_t first = in.u8();
    const std::uint8_t type = in.u8();
    const std::size_t length = std::size_t{in.u16()} * 4;
    auto body = in.bytes(length);
    if (!in.ok()) return fail(Fault::truncated);
    if (first >> 6 != 2) return fail(Fault::malformed);
    if ((first & 0x20) != 0) {
      // Only the last packet of a compound may be padded.
      if (in.remaining() > 0 || body.empty()) return fail(Fault::malformed);
      const std::size_t padding = body.back();
      if (padding == 0 || padding > body.size()) return fail(Fault::malformed);
      body = body.first(body.size() - padding);
    }
    if (auto read = read_one(type, first & 0x1f, body, out); !read) return fail(read.error());
  }
  return out;
}

Bytes write_rtcp(const Report& report, std::string_view cname, bool bye, const VoipMetrics* voip) {
  Writer out(160);
  write_report(out, report);
  if (!cname.empty()) write_sdes(out, report.ssrc, cname);
  if (voip != nullptr) {
    write_header(out, 0, kXr, 8 + kVoipMetricsBytes);
    out.u32(report.ssrc);
    write_voip_metrics(out, *voip);
  }
  if (bye) {
    write_header(out, 1, kBye, 8);
    out.u32(report.ssrc);
  }
  return out.take();
}

std::uint64_t ntp_time(Time now) {
  const auto us = static_cast<std::uint64_t>(micros(now.time_since_epoch()));
  return (us / 1'000'000 << 32) | ((us % 1'000'000 << 32) / 1'000'000);
}

Duration ntp_duration(std::uint64_t ntp) {
  const auto seconds = static_cast<std::int64_t>(ntp >> 32);
  const auto fraction = static_cast<std::int64_t>(((ntp & 0xffffffffU) * 1'000'000) >> 32);
  return Duration{seconds * 1'000'000 + fraction};
}

std::optional<Duration> round_trip(Time now, const ReportBlock& block) {
  if (block.last_sr == 0) return std::nullopt;
  const std::uint32_t middle = ntp_middle(ntp_time(now));
  // Modulo 2^32 (18 hours); a difference in the upper half means that the delay exceeds what passed.
  const auto units = static_cast<std::int32_t>(middle - block.last_sr - block.delay_since_last_sr);
  if (units < 0) {
    // Rounding of the two 1/65536 s figures may give a little under zero on a fast path.
    return units >= -4 ? std::optional(Duration{0}) : std::nullopt;
  }
  return Duration{static_cast<std::int64_t>(units) * 1'000'000 / 65536};
}

}  // namespace linnet::media
