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
    : payload_type_(config.send), types_(config.auxiliary), plan_(first_plan(config)), frame_(planned_frame()) {
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

void Sender::advance() {
  pending_.clear();
  header_.timestamp += static_cast<std::uint32_t>(frame_) / ratio();
  frame_ = planned_frame();
}

void Sender::skip() {
  advance();
  sent_.clear();
  resumed_ = true;
}

Bytes Sender::finish(const RtpHeader& header, ByteView payload) {
  Bytes out;
  out.reserve(kRtpHeader + payload.size() + 160);  // with the room SRTP asks for
  write_rtp(out, header, payload);
  ++header_.sequence;
  ++packets_;
  octets_ += payload.size();
  return out;
}

std::vector<Bytes> Sender::packets(Time now, bool muted, CodecBank& codecs) {
  std::vector<Bytes> out;
  const auto* type = event_type();
  const int ms = static_cast<int>(frame_) / kSamplesPerMs;
  const auto digit = type == nullptr
                         ? std::nullopt
                         : digits_.next(header_.timestamp, ms, static_cast<std::uint32_t>(type->clock / 1000));
  last_timestamp_ = header_.timestamp;
  last_at_ = now;
  last_frame_ = frame_;
  if (digit) {
    out = event(*digit, type->number);
    skip();  // voice begins anew after it
  } else if (auto packet = voice(muted, codecs)) {
    out.push_back(std::move(*packet));
    advance();
  } else {
    skip();
  }
  return out;
}

std::optional<Bytes> Sender::voice(bool muted, CodecBank& codecs) {
  if (muted) std::fill(pending_.begin(), pending_.end(), std::int16_t{0});
  encoded_.clear();
  if (!codecs.get(payload_type_.codec).encode(pending_, encoded_)) return std::nullopt;
  RtpHeader header = header_;
  header.marker = std::exchange(resumed_, false);
  const bool opus = payload_type_.codec == CodecKind::opus;
  const auto length = static_cast<std::uint32_t>(frame_) / ratio();
  ByteView payload = encoded_;
  // A stream that was redundant stays so while the plan says it, also in the frames that have no copies yet.
  if (opus && types_.red && plan_.copies[0] != 0) {
    header.payload_type = *types_.red;
    payload_.clear();
    sent_.write(payload_, payload_type_.number, header_.timestamp, length, encoded_, plan_.copies);
    payload = payload_;
  }
  auto packet = finish(header, payload);
  if (opus && types_.red) sent_.add(header_.timestamp, length, encoded_);
  return packet;
}

std::vector<Bytes> Sender::event(const DigitSender::Packet& digit, std::uint8_t type) {
  std::vector<Bytes> out;
  RtpHeader header = header_;
  header.payload_type = type;
  header.timestamp = digit.timestamp;
  payload_.clear();
  write_event(payload_, digit.event);
  for (int i = 0; i < digit.copies; ++i) {
    header.marker = digit.first && i == 0;
    header.sequence = header_.sequence;
    out.push_back(finish(header, payload_));
  }
  return out;
}

void Sender::set_payload_type(const PayloadType& type) {
  payload_type_ = type;
  header_.payload_type = type.number;
  resumed_ = true;
  sent_.clear();
  if (pending_.empty()) frame_ = planned_frame();
}

void Sender::set_auxiliary(const Auxiliary& types) { types_ = types; }

void Sender::set_plan(const SendPlan& plan, CodecBank& codecs) {
  if (plan == plan_) return;
  auto& codec = codecs.get(payload_type_.codec);
  if (plan.bitrate != plan_.bitrate) codec.set_bitrate(plan.bitrate);
  if (plan.expected_loss != plan_.expected_loss) codec.set_expected_loss(plan.expected_loss);
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
