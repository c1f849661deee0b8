#include "media/rtcp_xr.h"

#include <algorithm>

namespace linnet::media {
namespace {

std::uint8_t share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(std::min<std::uint64_t>(255, part * 256 / whole));
}

std::uint16_t length_ms(double ms) { return static_cast<std::uint16_t>(std::clamp(ms, 0.0, 65535.0)); }

VoipMetrics read_metrics(Reader& in) {
  VoipMetrics m;
  m.ssrc = in.u32();
  m.loss_rate = in.u8();
  m.discard_rate = in.u8();
  m.burst_density = in.u8();
  m.gap_density = in.u8();
  m.burst_duration = in.u16();
  m.gap_duration = in.u16();
  m.round_trip = in.u16();
  m.end_system_delay = in.u16();
  m.signal_level = in.u8();
  m.noise_level = in.u8();
  m.rerl = in.u8();
  m.gmin = in.u8();
  m.r_factor = in.u8();
  m.external_r_factor = in.u8();
  m.mos_lq = in.u8();
  m.mos_cq = in.u8();
  m.rx_config = in.u8();
  in.u8();
  m.buffer_nominal = in.u16();
  m.buffer_maximum = in.u16();
  m.buffer_absolute = in.u16();
  return m;
}

}  // namespace

void write_voip_metrics(Writer& out, const VoipMetrics& m) {
  out.u8(kVoipMetricsBlock).u8(0).u16(kVoipMetricsBytes / 4 - 1);
  out.u32(m.ssrc).u8(m.loss_rate).u8(m.discard_rate).u8(m.burst_density).u8(m.gap_density);
  out.u16(m.burst_duration).u16(m.gap_duration).u16(m.round_trip).u16(m.end_system_delay);
  out.u8(m.signal_level).u8(m.noise_level).u8(m.rerl).u8(m.gmin);
  out.u8(m.r_factor).u8(m.external_r_factor).u8(m.mos_lq).u8(m.mos_cq);
  out.u8(m.rx_config).u8(0).u16(m.buffer_nominal).u16(m.buffer_maximum).u16(m.buffer_absolute);
}

Result<std::optional<VoipMetrics>> read_xr_blocks(ByteView blocks) {
  std::optional<VoipMetrics> out;
  Reader in(blocks);
  while (in.remaining() > 0) {
    const std::uint8_t type = in.u8();
    in.u8();
    const std::size_t length = std::size_t{in.u16()} * 4;
    const auto body = in.bytes(length);
    if (!in.ok()) return fail(Fault::truncated);
    if (type != kVoipMetricsBlock || out) continue;
    if (length != kVoipMetricsBytes - 4) return fail(Fault::malformed);
    Reader fields(body);
    out = read_metrics(fields);
  }
  return out;
}

int outage_ms(const VoipMetrics& m) {
  constexpr int kDense = 166;  // 65 % of a burst lost
  if (m.burst_density < kDense || m.burst_duration < 60 || m.burst_duration > 400) return 0;
  return m.burst_duration;
}

void BurstMeter::add(Fate fate) {
  ++total_;
  if (fate == Fate::received) {
    ++run_;
    if (run_ == kGmin) end_of_loss_free_run();
    return;
  }
  ++(fate == Fate::lost ? lost_ : discarded_);
  if (open_bad_ == 0) {
    open_length_ = 1;
  } else {
    open_length_ += run_ + 1;
  }
  ++open_bad_;
  run_ = 0;
}

// One bad packet alone belongs to the gap.
void BurstMeter::end_of_loss_free_run() {
  if (open_bad_ > 1) {
    ++bursts_;
    burst_length_ += open_length_;
    burst_bad_ += open_bad_;
  } else {
    lone_bad_ += open_bad_;
  }
  open_bad_ = open_length_ = 0;
}

void BurstMeter::fill(VoipMetrics& out, double packet_ms) const {
  auto all = *this;
  all.end_of_loss_free_run();
  out.gmin = kGmin;
  out.loss_rate = share(all.lost_, all.total_);
  out.discard_rate = share(all.discarded_, all.total_);
  out.burst_density = share(all.burst_bad_, all.burst_length_);
  const std::uint64_t gaps = all.total_ - all.burst_length_;
  out.gap_density = share(all.lone_bad_, gaps);
  const auto mean = [packet_ms](std::uint64_t packets, std::uint64_t count) {
    return count == 0 ? std::uint16_t{0}
                      : length_ms(static_cast<double>(packets) / static_cast<double>(count) * packet_ms);
  };
  out.burst_duration = mean(all.burst_length_, all.bursts_);
  out.gap_duration = mean(gaps, all.bursts_ + 1);
}

}  // namespace linnet::media
