// Microphone samples to RTP packets: framing, encoding, sequence and timestamp.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/rng.h"
#include "media/codec_bank.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/session.h"

namespace linnet::media {

class Sender {
 public:
  Sender(const SessionConfig& config, std::uint32_t ssrc, Rng& rng);

  // Takes samples up to the end of a frame and removes them from `samples`. True when a frame is complete.
  bool fill(std::span<const std::int16_t>& samples);
  // The completed frame as a packet, or nothing when the codec refused. `muted` sends silence in its place.
  std::optional<Bytes> packet(Time now, bool muted, CodecBank& codecs);
  // The completed frame is not sent; the timestamp moves on (RFC 3550 section 5.1).
  void skip();

  // From the next frame on; it begins a talkspurt, since the timestamp's clock may be another (RFC 7160).
  void set_payload_type(const PayloadType& type);

  // For a sender report; absent before the first packet.
  std::optional<SenderInfo> report(Time now) const;
  std::uint64_t packets() const { return packets_; }
  std::uint64_t octets() const { return octets_; }
  std::size_t frame() const { return frame_; }

 private:
  void advance();

  PayloadType payload_type_;
  std::size_t frame_;  // samples at 48 kHz
  std::vector<std::int16_t> pending_;
  Bytes payload_;
  RtpHeader header_;
  bool resumed_ = true;  // the next packet begins a talkspurt: marker bit (RFC 3551 section 4.1)
  Time last_at_{};       // when the last sample of the packet with last_timestamp_ was taken
  std::uint32_t last_timestamp_ = 0;
  std::uint64_t packets_ = 0;
  std::uint64_t octets_ = 0;
};

}  // namespace linnet::media
