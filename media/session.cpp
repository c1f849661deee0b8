#include "media/session.h"

#include <algorithm>
#include <deque>

#include "base/timers.h"
#include "media/playout.h"
#include "media/quality.h"
#include "media/reception.h"
#include "media/sender.h"
#include "media/srtp.h"

namespace linnet::media {
namespace {

constexpr std::size_t kMaxQueue = 64;  // packets waiting for poll_packet
constexpr std::size_t kMaxReceiveTypes = 8;
constexpr int kMaxSources = 16;  // changes of the peer's SSRC in one call
constexpr double kLossSmoothing = 0.3;
constexpr auto kActiveSender = std::chrono::seconds(2);

enum class Deadline : std::uint8_t { report, count_ };

std::uint32_t choose_ssrc(std::uint32_t wanted, Rng& rng) {
  while (wanted == 0) wanted = rng.u32();
  return wanted;
}

PlayoutSettings playout_settings(const SessionConfig& config) {
  PlayoutSettings out;
  out.max_delay = std::clamp<std::int64_t>(config.max_delay.count(), 60, 1000) * kSamplesPerMs;
  return out;
}

}  // namespace

struct Session::Impl {
  Impl(SessionConfig c, Rng& r)
      : config(std::move(c)),
        rng(r),
        ssrc(choose_ssrc(config.ssrc, rng)),
        remote_ssrc(config.remote_ssrc),
        codecs({config.bitrate, config.complexity, config.fec}),
        sender(config, ssrc, rng),
        playout(playout_settings(config)) {
    if (config.receive.size() > kMaxReceiveTypes) config.receive.resize(kMaxReceiveTypes);
    if (const auto* keys = std::get_if<SrtpKeys>(&config.security)) set_keys(*keys);
  }

  bool plain() const { return std::holds_alternative<PlainRtp>(config.security); }
  void set_keys(const SrtpKeys& keys);
  void set_outbound(const SrtpKey& key);
  void set_inbound(const SrtpKey& key);
  void rekey(const SrtpKeys& keys);

  void begin(Time now);
  void send_frame(Time now);
  void send_report(Time now, bool bye);
  bool protect(Bytes& packet, bool rtcp);
  void enqueue(Bytes packet);
  Duration report_interval(bool first);

  Result<PacketKind> receive(Time now, MutableBytes packet);
  Result<MutableBytes> open(MutableBytes packet, bool rtcp);
  Status receive_rtp(Time now, ByteView plain);
  Status receive_rtcp(Time now, ByteView plain);
  void new_source(std::uint32_t source);
  void on_report_block(Time now, const ReportBlock& block);
  const PayloadType* find_type(std::uint8_t number) const;
  std::optional<double> rate_quality(const PlayoutStats& played) const;

  SessionConfig config;
  Rng& rng;
  std::uint32_t ssrc;
  std::optional<std::uint32_t> remote_ssrc;  // as signalled
  std::optional<std::uint32_t> source;       // as heard
  int sources = 0;
  std::optional<Srtp> out_srtp, in_srtp;
  CodecBank codecs;
  Sender sender;
  Playout playout;
  Reception reception;
  Timers<Deadline> timers;
  std::deque<Bytes> queue;
  bool muted = false, sending = true, receiving = true, closed = false;
  Time last_sent{};
  double expected_loss = 0;  // smoothed, of what we send
  std::optional<Duration> rtt;
  Stats counted;  // the fields that are counted here
};

// A key that SRTP refuses leaves that direction shut: nothing leaves in the clear, nothing comes in unauthenticated.
void Session::Impl::set_keys(const SrtpKeys& keys) {
  set_outbound(keys.local);
  set_inbound(keys.remote);
}

void Session::Impl::set_outbound(const SrtpKey& key) {
  out_srtp.reset();
  if (auto srtp = Srtp::outbound(key)) out_srtp = std::move(*srtp);
}

void Session::Impl::set_inbound(const SrtpKey& key) {
  in_srtp.reset();
  if (auto srtp = Srtp::inbound(key)) in_srtp = std::move(*srtp);
}

// A direction whose key stays keeps its context: roll-over counter and replay window are worth keeping.
void Session::Impl::rekey(const SrtpKeys& keys) {
  const auto same = [](const SrtpKey& a, const SrtpKey& b) {
    return a.suite() == b.suite() && equal(a.inline_key(), b.inline_key());
  };
  const auto* old = std::get_if<SrtpKeys>(&config.security);
  if (old == nullptr || !same(old->local, keys.local)) set_outbound(keys.local);
  if (old == nullptr || !same(old->remote, keys.remote)) set_inbound(keys.remote);
  config.security = keys;
}

void Session::Impl::begin(Time now) {
  if (timers.running(Deadline::report) || closed) return;
  timers.set(Deadline::report, now + report_interval(true));
}

// RFC 3550 section 6.3.1: half the interval at first, spread over 0.5..1.5 of it, divided by e - 3/2.
Duration Session::Impl::report_interval(bool first) {
  constexpr double kCompensation = 1.21828;
  const double mean = static_cast<double>(micros(config.rtcp_interval)) * (first ? 0.5 : 1.0);
  return Duration{static_cast<std::int64_t>(mean * (0.5 + rng.unit()) / kCompensation)};
}

bool Session::Impl::protect(Bytes& packet, bool rtcp) {
  if (plain()) return true;
  if (!out_srtp) return false;
  return (rtcp ? out_srtp->protect_rtcp(packet) : out_srtp->protect_rtp(packet)).has_value();
}

void Session::Impl::enqueue(Bytes packet) {
  // Old voice is worth less than new.
  if (queue.size() == kMaxQueue) {
    queue.pop_front();
    ++counted.packets_dropped;
  }
  queue.push_back(std::move(packet));
}

void Session::Impl::send_frame(Time now) {
  if (!sending || closed) return sender.skip();
  auto packet = sender.packet(now, muted, codecs);
  if (!packet || !protect(*packet, false)) return;
  enqueue(std::move(*packet));
  last_sent = now;
  if (!counted.first_sent) counted.first_sent = now;
}

void Session::Impl::send_report(Time now, bool bye) {
  Report report;
  report.ssrc = ssrc;
  // A sender report comes from who sent in the last two intervals (section 6.4); we take two seconds.
  if (counted.first_sent && now - last_sent <= kActiveSender) report.sender = sender.report(now);
  if (source && reception.received() > 0) report.blocks.push_back(reception.report(now, *source));
  Bytes packet = write_rtcp(report, config.cname, bye);
  if (protect(packet, true)) enqueue(std::move(packet));
}

const PayloadType* Session::Impl::find_type(std::uint8_t number) const {
  const auto it = std::find_if(config.receive.begin(), config.receive.end(),
                               [number](const PayloadType& t) { return t.number == number; });
  return it == config.receive.end() ? nullptr : &*it;
}

Result<MutableBytes> Session::Impl::open(MutableBytes packet, bool rtcp) {
  if (plain()) return packet;
  if (!in_srtp) return fail(Fault::bad_key);
  return rtcp ? in_srtp->open_rtcp(packet) : in_srtp->open_rtp(packet);
}

Result<PacketKind> Session::Impl::receive(Time now, MutableBytes packet) {
  if (closed) return fail(Fault::refused);
  const auto from = sender_ssrc(packet);
  if (!from) return fail(Fault::truncated);
  if (packet[0] >> 6 != 2) return fail(Fault::malformed);
  if (*from == ssrc || (remote_ssrc && *from != *remote_ssrc)) return fail(Fault::mismatch);
  if (source && *from != *source && sources >= kMaxSources) return fail(Fault::refused);
  const bool rtcp = is_rtcp(packet);
  auto plain_packet = open(packet, rtcp);
  if (!plain_packet) return fail(plain_packet.error());
  const auto status = rtcp ? receive_rtcp(now, *plain_packet) : receive_rtp(now, *plain_packet);
  if (!status) return fail(status.error());
  begin(now);
  return rtcp ? PacketKind::rtcp : PacketKind::rtp;
}

// The peer's stream has another source than before (another device, a mixer's change): its numbers start anew.
void Session::Impl::new_source(std::uint32_t from) {
  if (source == from) return;
  if (source) {
    playout.restart();
    reception = Reception{};
  }
  source = from;
  ++sources;
}

Status Session::Impl::receive_rtp(Time now, ByteView bytes) {
  const auto packet = parse_rtp(bytes);
  if (!packet) return fail(packet.error());
  const PayloadType* type = find_type(packet->header.payload_type);
  if (type == nullptr) return fail(Fault::unsupported);
  new_source(packet->header.ssrc);
  if (!counted.first_received) counted.first_received = now;
  const std::int64_t sequence = reception.extend(packet->header.sequence);
  if (receiving && !packet->payload.empty()) {
    const auto admission =
        playout.insert(now, sequence, packet->header.timestamp, packet->payload, codecs.get(type->codec));
    if (admission == Admission::duplicate) return {};
  }
  reception.on_packet(now, packet->header, rtp_clock(type->codec));
  return {};
}

void Session::Impl::on_report_block(Time now, const ReportBlock& block) {
  if (block.ssrc != ssrc) return;
  const double loss = block.fraction_lost * 100.0 / 256;
  counted.remote_loss_pct = loss;
  // Smoothed over several reports: an encoder that changes its mind each second makes the peer's delay swing.
  expected_loss += (loss - expected_loss) * kLossSmoothing;
  codecs.get(config.send.codec).set_expected_loss(static_cast<int>(expected_loss + 0.5));
  if (const auto round = round_trip(now, block)) rtt = rtt ? (*rtt * 7 + *round) / 8 : *round;
}

Status Session::Impl::receive_rtcp(Time now, ByteView bytes) {
  const auto rtcp = parse_rtcp(bytes);
  if (!rtcp) return fail(rtcp.error());
  for (const auto& report : rtcp->reports) {
    if (report.sender && (!source || report.ssrc == *source)) reception.on_sender_report(now, report.sender->ntp);
    for (const auto& block : report.blocks) on_report_block(now, block);
  }
  if (source && std::find(rtcp->bye.begin(), rtcp->bye.end(), *source) != rtcp->bye.end()) playout.pause();
  return {};
}

std::optional<double> Session::Impl::rate_quality(const PlayoutStats& played) const {
  if (!rtt || !played.delay_ms || reception.expected() == 0) return std::nullopt;
  QualityInput in;
  in.codec = config.send.codec;
  // What the ear missed: neither decoded nor recovered, be it lost or late.
  const double frame = static_cast<double>(playout.frame());
  const double missed = static_cast<double>(played.concealed) / frame;
  const double heard = static_cast<double>(played.decoded + played.recovered);
  if (heard + missed > 0) in.loss_pct = 100 * missed / (heard + missed);
  in.one_way_ms = millis(*rtt) / 2 + *played.delay_ms + frame / kSamplesPerMs;
  return mos(rating(in));
}

Session::Session(SessionConfig config, Rng& rng) : impl_(std::make_unique<Impl>(std::move(config), rng)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::uint32_t Session::ssrc() const { return impl_->ssrc; }

void Session::capture(Time now, std::span<const std::int16_t> samples) {
  auto& s = *impl_;
  if (samples.empty() || s.closed) return;
  s.begin(now);
  const auto back = [](std::size_t n) { return Duration{static_cast<std::int64_t>(n) * 1000 / kSamplesPerMs}; };
  if (!s.counted.record_start) s.counted.record_start = now - back(samples.size());
  while (s.sender.fill(samples)) s.send_frame(now - back(samples.size()));
}

std::size_t Session::play(Time now, std::span<std::int16_t> out) {
  impl_->begin(now);
  return impl_->playout.pull(now, out, impl_->codecs);
}

Result<PacketKind> Session::handle_packet(Time now, MutableBytes packet) {
  auto kind = impl_->receive(now, packet);
  if (!kind) ++impl_->counted.packets_refused;
  return kind;
}

std::optional<Bytes> Session::poll_packet() {
  auto& queue = impl_->queue;
  if (queue.empty()) return std::nullopt;
  Bytes out = std::move(queue.front());
  queue.pop_front();
  return out;
}

void Session::handle_timeout(Time now) {
  auto& s = *impl_;
  if (!s.timers.expired(Deadline::report, now)) return;
  s.send_report(now, false);
  s.timers.set(Deadline::report, now + s.report_interval(false));
}

Time Session::next_timeout() const { return impl_->timers.next(); }

void Session::set_muted(bool muted) { impl_->muted = muted; }
void Session::set_sending(bool sending) { impl_->sending = sending; }

void Session::set_receiving(bool receiving) {
  if (impl_->receiving && !receiving) {
    impl_->playout.pause();
    impl_->playout.restart();
  }
  impl_->receiving = receiving;
}

bool Session::muted() const { return impl_->muted; }
bool Session::sending() const { return impl_->sending; }
bool Session::receiving() const { return impl_->receiving; }

void Session::rekey(const SrtpKeys& keys) { impl_->rekey(keys); }

void Session::set_remote_ssrc(std::optional<std::uint32_t> ssrc) { impl_->remote_ssrc = ssrc; }

void Session::set_codecs(const PayloadType& send, std::vector<PayloadType> receive) {
  auto& config = impl_->config;
  if (receive.size() > kMaxReceiveTypes) receive.resize(kMaxReceiveTypes);
  config.receive = std::move(receive);
  if (config.send == send) return;
  config.send = send;
  impl_->sender.set_payload_type(send);
}

void Session::close(Time now) {
  auto& s = *impl_;
  if (s.closed) return;
  s.timers.stop(Deadline::report);
  if (s.counted.first_sent || s.source) s.send_report(now, true);
  s.playout.pause();
  s.closed = true;
}

Stats Session::stats(Time) const {
  const auto& s = *impl_;
  const auto played = s.playout.stats();
  Stats out = s.counted;
  out.packets_sent = s.sender.packets();
  out.bytes_sent = s.sender.octets();
  out.packets_received = s.reception.received();
  out.packets_lost = static_cast<std::uint64_t>(std::max<std::int64_t>(s.reception.lost(), 0));
  out.packets_late = played.late;
  out.packets_duplicate = played.duplicate;
  if (s.reception.expected() > 0) {
    out.loss_pct = 100.0 * static_cast<double>(out.packets_lost) / static_cast<double>(s.reception.expected());
  }
  out.jitter_ms = s.reception.jitter_ms();
  if (s.rtt) out.rtt_ms = millis(*s.rtt);
  out.mos = s.rate_quality(played);
  if (played.longest_gap) out.max_gap_ms = static_cast<double>(*played.longest_gap) / kSamplesPerMs;
  out.playout_delay_ms = played.delay_ms;
  out.codec = encoding_name(s.config.send.codec);
  out.frames_decoded = played.decoded;
  out.frames_fec = played.recovered;
  out.concealed_ms = static_cast<double>(played.concealed) / kSamplesPerMs;
  out.frames_concealed = static_cast<std::uint64_t>(played.concealed) / s.playout.frame();
  out.accelerated_ms = static_cast<double>(played.accelerated) / kSamplesPerMs;
  out.expanded_ms = static_cast<double>(played.expanded) / kSamplesPerMs;
  out.first_voice = out.play_start = played.start;
  return out;
}

}  // namespace linnet::media
