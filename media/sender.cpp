#include "media/sender.h"

#include <algorithm>

namespace linnet::media {
namespace {

int frame_ms(std::chrono::milliseconds ptime) {
  const auto ms = ptime.count();
  const bool known = ms == 10 || ms == 20 || ms == 40 || ms == 60 || ms == 120;
  return static_cast<int>(known ? ms : 20);
}

SendPlan first_plan(const SessionConfig& config) {
  SendPlan plan;
  plan.frame_ms = frame_ms(config.ptime);
  plan.bitrate = config.bitrate;
  return plan;
}

}  // namespace

Sender::Sender(const SessionConfig& config, std::uint32_t ssrc, Rng& rng)
    : payload_type_(config.send),
      types_(config.auxiliary),
      plan_(first_plan(config)),
      applied_(plan_),
      frame_(planned_frame()) {
  set_levels(config.client_level, config.mixer_level, config.level_use);
  pending_.reserve(frame_);
  header_.ssrc = ssrc;
  header_.payload_type = config.send.number;
  // Random starts (RFC 3550 section 5.1); the upper half is left out so that no wrap comes within the first
  // packets, which SRTP's roll-over counter could not survive if they were lost (RFC 3711 section 3.3.1).
  header_.sequence = static_cast<std::uint16_t>(rng.below(0x8000));
  header_.timestamp = rng.u32();
}

// Linear samples fill a datagram in 10 ms; G.711 takes 60 ms at most.
std::size_t Sender::planned_frame() const {
  int ms = plan_.frame_ms;
  if (payload_type_.codec == CodecKind::l16) ms = 10;
  if (payload_type_.codec != CodecKind::opus) ms = std::min(ms, 60);
  return static_cast<std::size_t>(ms) * kSamplesPerMs;
}

const EventType* Sender::event_type() const {
  const int clock = rtp_clock(payload_type_.codec);
  const auto it = std::find_if(types_.events.begin(), types_.events.end(),
                               [clock](const EventType& e) { return e.clock == clock; });
  return it == types_.events.end() ? nullptr : &*it;
}

bool Sender::fill(std::span<const std::int16_t>& samples) {
  const std::size_t n = std::min(samples.size(), frame_ - pending_.size());
  pending_.insert(pending_.end(), samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(n));
  samples = samples.subspan(n);
  return pending_.size() == frame_;
}

// The timestamp moves in whole units of its clock, and loses nothing.
void Sender::pass(std::size_t samples) {
  part_ += samples;
  header_.timestamp += static_cast<std::uint32_t>(part_) / ratio();
  part_ %= ratio();
}

void Sender::advance() {
  pending_.clear();
  pass(frame_);
  frame_ = planned_frame();
}

void Sender::leave_out_pending() {
  pass(pending_.size());
  pending_.clear();
  frame_ = planned_frame();
}

void Sender::skip() {
  advance();
  sent_.clear();
  resumed_ = true;
}

bool Sender::takes(const EncodedFrame& frame) const {
  const auto ms = std::chrono::milliseconds(frame.samples / kSamplesPerMs);
  const bool whole = frame.samples % kSamplesPerMs == 0 && frame.samples > 0 && frame_ms(ms) == ms.count();
  return whole && frame.codec == payload_type_.codec && !frame.payload.empty() && frame.payload.size() <= kMaxPayload;
}

void Sender::skip(const EncodedFrame& frame) {
  leave_out_pending();
  pass(frame.samples);
  sent_.clear();
  resumed_ = true;
}

void Sender::begin(Time now, std::size_t samples) {
  made_count_ = 0;
  last_timestamp_ = header_.timestamp;
  last_at_ = now;
  last_frame_ = samples;
}

std::span<Bytes> Sender::packets(Time now, bool muted, CodecBank& codecs) {
  begin(now, frame_);
  elsewhere_.reset();
  if (muted) std::fill(pending_.begin(), pending_.end(), std::int16_t{0});
  // Muted frames say nothing of the room's noise.
  const auto level = client_level_ && !muted ? detector_.measure(pending_) : AudioLevel{};
  if (digit(frame_) || !encode(codecs)) {
    skip();  // voice begins anew after it
  } else {
    voice(frame_, encoded_, level, types_.red.has_value());
    advance();
  }
  return std::span(made_).first(made_count_);
}

std::span<Bytes> Sender::packets(Time now, const EncodedFrame& frame) {
  leave_out_pending();
  begin(now, frame.samples);
  elsewhere_ = static_cast<int>(frame.payload.size() * 8 * static_cast<std::size_t>(kRate) / frame.samples);
  if (digit(frame.samples)) {
    skip(frame);
  } else {
    voice(frame.samples, frame.payload, frame.level, plan_.copies[0] != 0);
    pass(frame.samples);
  }
  return std::span(made_).first(made_count_);
}

bool Sender::encode(CodecBank& codecs) {
  auto& codec = codecs.get(payload_type_.codec);
  if (plan_.bitrate != applied_.bitrate) codec.set_bitrate(plan_.bitrate);
  if (plan_.expected_loss != applied_.expected_loss) codec.set_expected_loss(plan_.expected_loss);
  applied_ = plan_;
  encoded_.clear();
  return codec.encode(pending_, encoded_);
}

// `keep`: copies of it may be sent later.
void Sender::voice(std::size_t samples, ByteView encoded, const AudioLevel& level, bool keep) {
  RtpHeader header = header_;
  header.marker = std::exchange(resumed_, false);
  const bool red = payload_type_.codec == CodecKind::opus && types_.red;
  const auto length = static_cast<std::uint32_t>(samples) / ratio();
  ByteView payload = encoded;
  // A stream that was redundant stays so while the plan says it, also in the frames that have no copies yet.
  if (red && plan_.copies[0] != 0) {
    header.payload_type = *types_.red;
    payload_.clear();
    sent_.write(payload_, payload_type_.number, header_.timestamp, length, encoded, plan_.copies);
    payload = payload_;
  }
  finish(header, level, payload);
  if (red && keep) sent_.add(header_.timestamp, length, encoded);
}

// A digit in the place of a frame, if one is due.
bool Sender::digit(std::size_t samples) {
  const auto* type = event_type();
  if (type == nullptr) return false;
  const int ms = static_cast<int>(samples) / kSamplesPerMs;
  const auto due = digits_.next(header_.timestamp, ms, static_cast<std::uint32_t>(type->clock / 1000));
  if (!due) return false;
  RtpHeader header = header_;
  header.payload_type = type->number;
  header.timestamp = due->timestamp;
  payload_.clear();
  write_event(payload_, due->event);
  for (int i = 0; i < due->copies; ++i) {
    header.marker = due->first && i == 0;
    header.sequence = header_.sequence;
    finish(header, {}, payload_);  // no voice is in it
  }
  return true;
}

Sender::Elements Sender::elements(const std::uint8_t& client, std::size_t contributors) const {
  Elements out;
  if (client_level_) out.list[out.count++] = {*client_level_, ByteView(&client, 1)};
  if (mixer_level_ && contributors > 0)
    out.list[out.count++] = {*mixer_level_, ByteView(mixer_levels_).first(contributors)};
  return out;
}

void Sender::finish(const RtpHeader& header, const AudioLevel& level, ByteView payload) {
  constexpr std::size_t kDatagram = 1200, kTag = 16, kExtension = 12;  // heads, client level and padding
  constexpr std::size_t kEach = 5;
  const std::size_t taken = kRtpHeader + kExtension + kTag + payload.size();
  RtpHeader whole = header;
  whole.csrc_count = static_cast<std::uint8_t>(
      std::min<std::size_t>(header.csrc_count, (kDatagram - std::min(kDatagram, taken)) / kEach));
  const std::uint8_t octet = client_level_octet({level.dbov, level.voice && vad_});
  const auto extension = elements(octet, whole.csrc_count);
  Bytes& out = made_[made_count_++];
  out.clear();
  out.reserve(kRtpHeader + 4 * kMaxCsrc + kExtension + kMaxCsrc + payload.size() + 160);  // with the room SRTP asks for
  write_rtp(out, whole, extension.all(), form_, payload);
  ++header_.sequence;
  ++packets_;
  octets_ += payload.size();
}

std::size_t Sender::header_octets() const {
  const std::uint8_t any = 0;
  return kRtpHeader + 4 * std::size_t{header_.csrc_count} +
         extension_size(elements(any, header_.csrc_count).all(), form_);
}

void Sender::set_levels(std::optional<std::uint8_t> client, std::optional<std::uint8_t> mixer, const LevelUse& use) {
  client_level_ = use.send_client ? client : std::nullopt;
  mixer_level_ = use.send_mixer ? mixer : std::nullopt;
  vad_ = use.vad;
  const std::uint8_t any = 0;
  form_ = form_for(elements(any, kMaxCsrc).all());
}

void Sender::set_contributors(std::span<const Contributor> contributors) {
  header_.csrc_count = static_cast<std::uint8_t>(std::min(contributors.size(), kMaxCsrc));
  for (std::size_t i = 0; i < header_.csrc_count; ++i) {
    header_.csrc[i] = contributors[i].ssrc;
    mixer_levels_[i] = client_level_octet({contributors[i].level.dbov, false});
  }
}

void Sender::set_payload_type(const PayloadType& type) {
  payload_type_ = type;
  header_.payload_type = type.number;
  resumed_ = true;
  sent_.clear();
  applied_.bitrate = applied_.expected_loss = -1;  // another codec has not heard of the plan
  if (pending_.empty()) frame_ = planned_frame();
}

void Sender::set_auxiliary(const Auxiliary& types) { types_ = types; }

void Sender::set_plan(const SendPlan& plan) {
  if (plan == plan_) return;
  plan_ = plan;
  if (pending_.empty()) frame_ = planned_frame();
}

std::optional<SenderInfo> Sender::report(Time now) const {
  if (packets_ == 0) return std::nullopt;
  SenderInfo info;
  info.ntp = ntp_time(now);
  // The timestamp of this very moment, on the clock the packets follow.
  const auto frame_us = static_cast<std::int64_t>(last_frame_) * 1000 / kSamplesPerMs;
  const std::int64_t since = micros(now - last_at_) + frame_us;
  info.rtp_timestamp = last_timestamp_ + static_cast<std::uint32_t>(since * rtp_clock(payload_type_.codec) / 1'000'000);
  info.packets = static_cast<std::uint32_t>(packets_);
  info.octets = static_cast<std::uint32_t>(octets_);
  return info;
}

}  // namespace linnet::media
