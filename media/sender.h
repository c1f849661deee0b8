// Microphone samples to RTP packets: framing, encoding, redundancy, digits, sequence and timestamp.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "base/rng.h"
#include "media/audio_level.h"
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
  // `muted` sends silence. The packets are the caller's to change or exchange until the next call.
  std::span<Bytes> packets(Time now, bool muted, CodecBank& codecs);
  // The completed frame is not sent; the timestamp moves on (RFC 3550 section 5.1).
  void skip();

  // Whether the frame is of the codec and a length that can be sent; the two below take only such.
  bool takes(const EncodedFrame& frame) const;
  // The same for a frame that was encoded elsewhere. What fill() has begun is left out.
  std::span<Bytes> packets(Time now, const EncodedFrame& frame);
  void skip(const EncodedFrame& frame);

  // From the next frame on; it begins a talkspurt, since the timestamp's clock may be another (RFC 7160).
  void set_payload_type(const PayloadType& type);
  void set_auxiliary(const Auxiliary& types);
  // From the next frame on.
  void set_plan(const SendPlan& plan);
  void set_levels(std::optional<std::uint8_t> client, std::optional<std::uint8_t> mixer, const LevelUse& use);
  void set_contributors(std::span<const Contributor> contributors);
  bool send_digit(char digit) { return event_type() != nullptr && digits_.push(digit); }

  // For a sender report; absent before the first packet.
  std::optional<SenderInfo> report(Time now) const;
  std::uint64_t packet_count() const { return packets_; }
  std::uint64_t octets() const { return octets_; }
  std::size_t frame() const { return elsewhere_ ? last_frame_ : frame_; }  // samples at 48 kHz
  std::size_t planned_frame() const;
  // Of frames that were encoded elsewhere; absent where the last one was our own.
  std::optional<int> bitrate_elsewhere() const { return elsewhere_; }
  std::size_t header_octets() const;  // of a packet of voice: RTP with CSRCs and extension
  std::uint16_t last_sequence() const { return static_cast<std::uint16_t>(header_.sequence - 1); }

 private:
  struct Elements {
    std::array<ExtensionElement, 2> list{};
    std::size_t count = 0;
    std::span<const ExtensionElement> all() const { return std::span(list).first(count); }
  };

  void begin(Time now, std::size_t samples);
  void advance();
  void pass(std::size_t samples);
  void leave_out_pending();
  const EventType* event_type() const;
  std::uint32_t ratio() const { return static_cast<std::uint32_t>(kRate / rtp_clock(payload_type_.codec)); }
  bool encode(CodecBank& codecs);
  void voice(std::size_t samples, ByteView encoded, const AudioLevel& level, bool keep);
  bool digit(std::size_t samples);
  Elements elements(const std::uint8_t& client, std::size_t contributors) const;
  void finish(const RtpHeader& header, const AudioLevel& level, ByteView payload);

  PayloadType payload_type_;
  Auxiliary types_;
  SendPlan plan_, applied_;  // as wanted; as the codec has it
  std::size_t frame_;        // of the frame being filled
  std::vector<std::int16_t> pending_;
  Bytes encoded_, payload_;
  SentFrames sent_;
  DigitSender digits_;
  RtpHeader header_;                                   // with the contributors
  std::array<std::uint8_t, kMaxCsrc> mixer_levels_{};  // of them
  std::optional<std::uint8_t> client_level_, mixer_level_;
  bool vad_ = true;
  ExtensionForm form_ = ExtensionForm::one_octet;
  VoiceDetector detector_;
  std::array<Bytes, 3> made_;  // the end of an event is three packets
  std::size_t made_count_ = 0;
  bool resumed_ = true;  // the next packet begins a talkspurt: marker bit (RFC 3551 section 4.1)
  Time last_at_{};       // when the last sample of the packet with last_timestamp_ was taken
  std::uint32_t last_timestamp_ = 0;
  std::size_t last_frame_ = 0;
  std::size_t part_ = 0;          // samples passed that make no whole unit of the timestamp yet
  std::optional<int> elsewhere_;  // bit/s
  std::uint64_t packets_ = 0;
  std::uint64_t octets_ = 0;
};

}  // namespace linnet::media
