// Microphone samples to RTP packets: framing, encoding, redundancy, digits, sequence and timestamp.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/rng.h"
#include "media/codec_bank.h"
#include "media/redundancy.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/send_plan.h"
#include "media/session.h"
#include "media/telephone_event.h"

namespace linnet::media {

class Sender {
 public:
  Sender(const SessionConfig& config, std::uint32_t ssrc, Rng& rng);

  // Takes samples up to the end of a frame and removes them from `samples`. True when a frame is complete.
  bool fill(std::span<const std::int16_t>& samples);
  // The completed frame as a packet, or a digit in its place; nothing when the codec refused, several at a digit's end.
  // `muted` sends silence.
  std::vector<Bytes> packets(Time now, bool muted, CodecBank& codecs);
  // The completed frame is not sent; the timestamp moves on (RFC 3550 section 5.1).
  void skip();

  // From the next frame on; it begins a talkspurt, since the timestamp's clock may be another (RFC 7160).
  void set_payload_type(const PayloadType& type);
  void set_auxiliary(const Auxiliary& types);
  // From the next frame on.
  void set_plan(const SendPlan& plan, CodecBank& codecs);
  bool send_digit(char digit) { return event_type() != nullptr && digits_.push(digit); }

  // For a sender report; absent before the first packet.
  std::optional<SenderInfo> report(Time now) const;
  std::uint64_t packet_count() const { return packets_; }
  std::uint64_t octets() const { return octets_; }
  std::size_t frame() const { return frame_; }  // samples at 48 kHz
  std::uint16_t last_sequence() const { return static_cast<std::uint16_t>(header_.sequence - 1); }

 private:
  void advance();
  std::size_t planned_frame() const;
  const EventType* event_type() const;
  std::uint32_t ratio() const { return static_cast<std::uint32_t>(kRate / rtp_clock(payload_type_.codec)); }
  std::optional<Bytes> voice(bool muted, CodecBank& codecs);
  std::vector<Bytes> event(const DigitSender::Packet& digit, std::uint8_t type);
  Bytes finish(const RtpHeader& header, ByteView payload);

  PayloadType payload_type_;
  Auxiliary types_;
  SendPlan plan_;
  std::size_t frame_;  // of the frame being filled
  std::vector<std::int16_t> pending_;
  Bytes encoded_, payload_;
  SentFrames sent_;
  DigitSender digits_;
  RtpHeader header_;
  bool resumed_ = true;  // the next packet begins a talkspurt: marker bit (RFC 3551 section 4.1)
  Time last_at_{};       // when the last sample of the packet with last_timestamp_ was taken
  std::uint32_t last_timestamp_ = 0;
  std::size_t last_frame_ = 0;
  std::uint64_t packets_ = 0;
  std::uint64_t octets_ = 0;
};

}  // namespace linnet::media
