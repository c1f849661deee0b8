#include "media/sender.h"

#include <algorithm>

namespace linnet::media {
namespace {

std::size_t frame_samples(std::chrono::milliseconds ptime) {
  const auto ms = ptime.count();
  const bool known = ms == 10 || ms == 20 || ms == 40 || ms == 60;
  return static_cast<std::size_t>(known ? ms : 20) * kSamplesPerMs;
}

}  // namespace

Sender::Sender(const SessionConfig& config, std::uint32_t ssrc, Rng& rng)
    : payload_type_(config.send), frame_(frame_samples(config.ptime)) {
  pending_.reserve(frame_);
  header_.ssrc = ssrc;
  header_.payload_type = config.send.number;
  // Random starts (RFC 3550 section 5.1); the upper half is left out so that no wrap comes within the first
  // packets, which SRTP's roll-over counter could not survive if they were lost (RFC 3711 section 3.3.1).
  header_.sequence = static_cast<std::uint16_t>(rng.below(0x8000));
  header_.timestamp = rng.u32();
}

bool Sender::fill(std::span<const std::int16_t>& samples) {
  const std::size_t n = std::min(samples.size(), frame_ - pending_.size());
  pending_.insert(pending_.end(), samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(n));
  samples = samples.subspan(n);
  return pending_.size() == frame_;
}

void Sender::advance() {
  pending_.clear();
  const auto ratio = static_cast<std::uint32_t>(kRate / rtp_clock(payload_type_.codec));
  header_.timestamp += static_cast<std::uint32_t>(frame_) / ratio;
}

void Sender::skip() {
  advance();
  resumed_ = true;
}

std::optional<Bytes> Sender::packet(Time now, bool muted, CodecBank& codecs) {
  if (muted) std::fill(pending_.begin(), pending_.end(), std::int16_t{0});
  payload_.clear();
  if (!codecs.get(payload_type_.codec).encode(pending_, payload_)) {
    skip();
    return std::nullopt;
  }
  header_.marker = resumed_;
  resumed_ = false;
  Bytes out;
  out.reserve(kRtpHeader + payload_.size() + 160);  // with the room SRTP asks for
  write_rtp(out, header_, payload_);
  last_timestamp_ = header_.timestamp;
  last_at_ = now;
  ++header_.sequence;
  ++packets_;
  octets_ += payload_.size();
  advance();
  return out;
}

void Sender::set_payload_type(const PayloadType& type) {
  payload_type_ = type;
  header_.payload_type = type.number;
  resumed_ = true;
}

std::optional<SenderInfo> Sender::report(Time now) const {
  if (packets_ == 0) return std::nullopt;
  SenderInfo info;
  info.ntp = ntp_time(now);
  // The timestamp of this very moment, on the clock the packets follow.
  const auto frame_us = static_cast<std::int64_t>(frame_) * 1000 / kSamplesPerMs;
  const std::int64_t since = micros(now - last_at_) + frame_us;
  info.rtp_timestamp = last_timestamp_ + static_cast<std::uint32_t>(since * rtp_clock(payload_type_.codec) / 1'000'000);
  info.packets = static_cast<std::uint32_t>(packets_);
  info.octets = static_cast<std::uint32_t>(octets_);
  return info;
}

}  // namespace linnet::media
