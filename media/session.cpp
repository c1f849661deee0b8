#include "media/session_impl.h"

#include <algorithm>

namespace linnet::media {
namespace {

std::uint32_t choose_ssrc(std::uint32_t wanted, Rng& rng) {
  while (wanted == 0) wanted = rng.u32();
  return wanted;
}

int copies_in(const SendPlan& plan) {
  return static_cast<int>(std::count_if(plan.copies.begin(), plan.copies.end(), [](auto d) { return d != 0; }));
}

PlayoutSettings playout_settings(const SessionConfig& config) {
  PlayoutSettings out;
  out.max_delay = std::clamp<std::int64_t>(config.max_delay.count(), 60, 1000) * kSamplesPerMs;
  if (config.low_delay) {
    out.first_margin = 5 * kSamplesPerMs;
    out.safety = 2 * kSamplesPerMs;
  }
  return out;
}

// Of a packet beside the codec's octets.
int packet_overhead(const SessionConfig& config, const Sender& sender) {
  constexpr int kIpv4Udp = 20 + 8;
  const int headers = kIpv4Udp + static_cast<int>(sender.header_octets());
  const auto* keys = std::get_if<SrtpKeys>(&config.security);
  return headers + (keys == nullptr ? 0 : static_cast<int>(srtp_overhead(keys->local.suite())));
}

RateSettings rate_settings(const SessionConfig& config, const Sender& sender) {
  RateSettings out;
  out.bitrate = config.bitrate;
  out.frame_ms = static_cast<int>(sender.frame()) / kSamplesPerMs;
  out.overhead = packet_overhead(config, sender);
  out.adapt = config.adapt;
  out.expects_reports = config.reduced_size;
  return out;
}

}  // namespace

Session::Impl::Impl(SessionConfig c, Rng& r)
    : config(std::move(c)),
      rng(r),
      ssrc(choose_ssrc(config.ssrc, rng)),
      remote_ssrc(config.remote_ssrc),
      codecs({config.bitrate, config.complexity, config.fec}),
      complexity(config.complexity),
      sender(config, ssrc, rng),
      rate(rate_settings(config, sender)),
      playout(playout_settings(config)),
      timing(config.rtcp_interval) {
  if (config.receive.size() > kMaxReceiveTypes) config.receive.resize(kMaxReceiveTypes);
  if (config.auxiliary.events.size() > kMaxEventTypes) config.auxiliary.events.resize(kMaxEventTypes);
  rate.set_redundancy(config.auxiliary.red.has_value());
  if (const auto* keys = std::get_if<SrtpKeys>(&config.security)) set_keys(*keys);
}

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
  timers.set(Deadline::report, now + timing.first(rng));
}

int Session::Impl::overhead() const { return packet_overhead(config, sender); }

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
  if (s.muted)
    s.mic_level.add_silence(samples.size());
  else
    s.mic_level.add(samples);
  while (s.sender.fill(samples)) s.send_frame(now - back(samples.size()));
}

bool Session::send_encoded(Time now, const EncodedFrame& frame) {
  auto& s = *impl_;
  if (s.closed) return false;
  s.begin(now);
  return s.send_encoded(now, frame);
}

SendWish Session::wish() const {
  const auto& plan = impl_->rate.plan();
  return {plan.bitrate, static_cast<int>(impl_->sender.planned_frame()) / kSamplesPerMs, copies_in(plan)};
}

void Session::capture_took(Duration cost, std::size_t samples) {
  auto& s = *impl_;
  if (!s.sending || s.muted || s.closed) return;  // nothing, or silence, is encoded: that costs less than voice will
  const Duration sound{static_cast<std::int64_t>(samples) * 1000 / kSamplesPerMs};
  if (s.complexity.spent(cost, sound)) s.codecs.set_complexity(s.complexity.level());
}

std::size_t Session::play(Time now, std::span<std::int16_t> out) {
  impl_->begin(now);
  const std::size_t first = impl_->playout.pull(now, out, impl_->codecs);
  impl_->heard_level.add(out.subspan(first));
  return first;
}

void Session::skim(Time now, std::size_t samples) {
  impl_->begin(now);
  impl_->playout.skim(now, samples);
  impl_->heard_level = {};  // nobody knows
}

Result<PacketKind> Session::handle_packet(Time now, MutableBytes packet) {
  auto kind = impl_->receive(now, packet);
  // The peer may send by two ways at once: what comes again is no attack.
  if (!kind) ++(kind.error() == Fault::replayed ? impl_->counted.packets_duplicate : impl_->counted.packets_refused);
  return kind;
}

std::optional<Bytes> Session::poll_packet() {
  Bytes out;
  if (!impl_->queue.pop(out)) return std::nullopt;
  return out;
}

bool Session::poll_packet(Bytes& into) { return impl_->queue.pop(into); }

void Session::handle_timeout(Time now) {
  auto& s = *impl_;
  if (!s.timers.expired(Impl::Deadline::report, now)) return;
  s.send_report(now, false);
  s.plan_next_report(now);
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

void Session::set_least_round_trip(Duration least) { impl_->rate.set_least_round_trip(least); }

bool Session::muted() const { return impl_->muted; }
bool Session::sending() const { return impl_->sending; }
bool Session::receiving() const { return impl_->receiving; }

void Session::rekey(const SrtpKeys& keys) { impl_->rekey(keys); }

void Session::set_remote_ssrc(std::optional<std::uint32_t> ssrc) { impl_->remote_ssrc = ssrc; }

void Session::set_codecs(const PayloadType& send, std::vector<PayloadType> receive, const Auxiliary& auxiliary) {
  auto& config = impl_->config;
  if (receive.size() > Impl::kMaxReceiveTypes) receive.resize(Impl::kMaxReceiveTypes);
  config.receive = std::move(receive);
  config.auxiliary = auxiliary;
  if (config.auxiliary.events.size() > Impl::kMaxEventTypes) config.auxiliary.events.resize(Impl::kMaxEventTypes);
  impl_->sender.set_auxiliary(config.auxiliary);
  impl_->rate.set_redundancy(auxiliary.red.has_value());
  if (config.send == send) return;
  config.send = send;
  impl_->sender.set_payload_type(send);
}

void Session::set_levels(std::optional<std::uint8_t> client, std::optional<std::uint8_t> mixer, const LevelUse& use) {
  auto& s = *impl_;
  s.config.client_level = client;
  s.config.mixer_level = mixer;
  s.config.level_use = use;
  s.sender.set_levels(client, mixer, use);
  s.rate.set_overhead(s.overhead());
}

std::optional<HeardLevel> Session::heard_level() const { return impl_->client_level; }

std::span<const Contributor> Session::contributors() const {
  return std::span(impl_->contributors).first(impl_->contributor_count);
}

void Session::set_contributors(std::span<const Contributor> contributors) {
  impl_->sender.set_contributors(contributors);
  impl_->rate.set_overhead(impl_->overhead());
}

bool Session::send_digit(char digit) { return impl_->sending && impl_->sender.send_digit(digit); }

std::optional<char> Session::poll_digit() {
  auto& digits = impl_->digits;
  if (digits.empty()) return std::nullopt;
  const char out = digits.front();
  digits.pop_front();
  return out;
}

void Session::close(Time now) {
  auto& s = *impl_;
  if (s.closed) return;
  s.timers.stop(Impl::Deadline::report);
  if (s.counted.first_sent || s.source) s.send_report(now, true);
  s.playout.pause();
  s.closed = true;
}

Session::Coming Session::coming() const {
  const auto& s = *impl_;
  return {static_cast<int>(s.playout.frame()) / kSamplesPerMs, s.reception.jitter_ms(), s.rate.ceiling(),
          static_cast<double>(s.playout.concealed()) / kSamplesPerMs, s.reception.lateness_ms()};
}

Stats Session::stats(Time) const {
  const auto& s = *impl_;
  const auto played = s.playout.stats();
  Stats out = s.counted;
  out.packets_sent = s.sender.packet_count();
  out.bytes_sent = s.sender.octets();
  out.packets_received = s.reception.received();
  out.packets_lost = static_cast<std::uint64_t>(std::max<std::int64_t>(s.reception.lost(), 0));
  out.packets_late = played.late;
  if (s.reception.expected() > 0) {
    out.loss_pct = 100.0 * static_cast<double>(out.packets_lost) / static_cast<double>(s.reception.expected());
  }
  out.jitter_ms = s.reception.jitter_ms();
  if (s.rtt) out.rtt_ms = millis(*s.rtt);
  out.mos = s.rate_quality(played);
  if (played.longest_gap) out.max_gap_ms = static_cast<double>(*played.longest_gap) / kSamplesPerMs;
  out.playout_delay_ms = played.delay_ms;
  out.codec = encoding_name(s.config.send.codec);
  if (const auto* codec = s.codecs.find(s.config.send.codec)) out.complexity = codec->complexity();
  const auto& plan = s.rate.plan();
  out.bitrate = s.sender.bitrate_elsewhere().value_or(plan.bitrate);
  out.frame_ms = static_cast<int>(s.sender.frame()) / kSamplesPerMs;
  out.heard_frame_ms = static_cast<int>(s.playout.frame()) / kSamplesPerMs;
  out.copies = copies_in(plan);
  out.ceiling = s.rate.ceiling();
  out.queue_ms = s.rate.queue_ms();
  if (const auto why = s.breaker.broken()) out.broken = to_string(*why);
  out.mic_dbfs = s.mic_level.dbfs();
  out.heard_dbfs = s.heard_level.dbfs();
  out.frames_decoded = played.decoded;
  out.frames_skimmed = played.skimmed;
  out.frames_fec = played.recovered;
  out.concealed_ms = static_cast<double>(played.concealed) / kSamplesPerMs;
  out.frames_concealed = static_cast<std::uint64_t>(played.concealed) / s.playout.frame();
  out.accelerated_ms = static_cast<double>(played.accelerated) / kSamplesPerMs;
  out.expanded_ms = static_cast<double>(played.expanded) / kSamplesPerMs;
  out.first_voice = out.play_start = played.start;
  return out;
}

}  // namespace linnet::media
