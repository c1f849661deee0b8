#include <algorithm>

#include "media/quality.h"
#include "media/session_impl.h"

namespace linnet::media {
namespace {

constexpr auto kActiveSender = std::chrono::seconds(2);
constexpr double kIpUdp = 28;
constexpr std::uint64_t kWholeReports = 2;  // at first, then each
constexpr std::uint64_t kWholeEvery = 16;   // carries the CNAME also where reduced size is agreed on
constexpr auto kMetricsEvery = std::chrono::seconds(5);
constexpr auto kMetricsSeldom = std::chrono::seconds(30);  // on a slow path
constexpr int kSlow = 20'000;                              // bit/s on the wire

std::uint16_t whole_ms(double ms) { return static_cast<std::uint16_t>(std::clamp(ms, 0.0, 65535.0)); }

}  // namespace

bool Session::Impl::protect(Bytes& packet, bool rtcp) {
  if (plain()) return true;
  if (!out_srtp) return false;
  return (rtcp ? out_srtp->protect_rtcp(packet) : out_srtp->protect_rtp(packet)).has_value();
}

void Session::Impl::enqueue(Bytes& packet) {
  // Old voice is worth less than new.
  if (!queue.push(packet)) ++counted.packets_dropped;
}

double Session::Impl::incoming_loss() const {
  constexpr std::uint64_t kEnoughToJudge = 40;
  constexpr double kNoQueue = 60;  // ms
  if (reception.expected() < kEnoughToJudge || reception.lost() <= 1 || reception.lateness_ms() > kNoQueue) return 0;
  return static_cast<double>(reception.lost()) / static_cast<double>(reception.expected());
}

void Session::Impl::send_frame(Time now) {
  if (!ready_to_send(now)) return sender.skip();
  send(now, sender.packets(now, muted, codecs));
}

bool Session::Impl::send_encoded(Time now, const EncodedFrame& frame) {
  if (!sender.takes(frame)) return false;
  if (ready_to_send(now))
    send(now, sender.packets(now, frame));
  else
    sender.skip(frame);
  return !stopped();
}

bool Session::Impl::ready_to_send(Time now) {
  if (stopped()) {
    breaker.pause();
    return false;
  }
  rate.on_frame(now, {incoming_loss(), reception.lateness_ms()});
  sender.set_plan(rate.plan());
  return !rate.draining(now);
}

void Session::Impl::send(Time now, std::span<Bytes> packets) {
  for (auto& packet : packets) {
    const auto sequence = parse_rtp(packet)->header.sequence;
    if (!protect(packet, false)) continue;
    rate.on_sent(now, sequence, packet.size());
    breaker.on_sent(now, config.reduced_size);
    enqueue(packet);
    last_sent = now;
    if (!counted.first_sent) counted.first_sent = now;
  }
}

// What the ear of this end had of the peer's stream (RFC 3611 section 4.7).
VoipMetrics Session::Impl::metrics(Time) const {
  VoipMetrics out;
  out.ssrc = source.value_or(0);
  const double packet_ms = static_cast<double>(playout.frame()) / kSamplesPerMs;
  reception.fill(out, packet_ms);
  const auto played = playout.stats();
  if (rtt) out.round_trip = whole_ms(millis(*rtt));
  const double delay = played.delay_ms.value_or(0);
  out.end_system_delay = whole_ms(delay + packet_ms);
  out.rx_config = 0xb0;  // concealment: enhanced; jitter buffer: adaptive (sections 4.7.6, 4.7.7)
  out.buffer_nominal = whole_ms(delay);
  out.buffer_maximum = out.buffer_absolute = whole_ms(static_cast<double>(config.max_delay.count()));
  if (const auto score = rate_quality(played)) out.mos_cq = static_cast<std::uint8_t>(*score * 10 + 0.5);
  return out;
}

void Session::Impl::send_report(Time now, bool bye) {
  Report report;
  report.ssrc = ssrc;
  // A sender report comes from who sent in the last two intervals (section 6.4); we take two seconds.
  if (counted.first_sent && now - last_sent <= kActiveSender) report.sender = sender.report(now);
  const auto expected = static_cast<double>(reception.expected_since_report());
  timing.reported(now, reception.lateness_ms(), static_cast<double>(reception.lost_since_report()), expected);
  if (source && reception.received() > 0) report.blocks.push_back(reception.report(now, *source));
  const bool whole = !config.reduced_size || bye || reports < kWholeReports || reports % kWholeEvery == 0;
  std::optional<VoipMetrics> voip;
  const Duration every = rate.ceiling().value_or(kSlow) < kSlow ? kMetricsSeldom : kMetricsEvery;
  if (config.metrics && !report.blocks.empty() && (bye || now - metrics_at >= every)) {
    voip = metrics(now);
    metrics_at = now;
  }
  Bytes packet = write_rtcp(report, whole ? config.cname : std::string(), bye, voip ? &*voip : nullptr);
  if (!protect(packet, true)) return;
  ++reports;
  ++counted.rtcp_sent;
  counted.rtcp_octets_sent += packet.size() + static_cast<std::uint64_t>(kIpUdp);
  report_octets += (static_cast<double>(packet.size()) + kIpUdp - report_octets) / 4;
  enqueue(packet);
}

void Session::Impl::plan_next_report(Time now) {
  const double octets = report_octets;
  const int stream = wire_rate(rate.plan(), 56);
  timers.set(Deadline::report, now + timing.next(rng, octets, stream));
}

}  // namespace linnet::media
