// The RTP packet (RFC 3550 section 5.1) and its demultiplexing from RTCP (RFC 5761 section 4).
#pragma once

#include <array>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "media/rtp_extension.h"

namespace linnet::media {

inline constexpr std::size_t kRtpHeader = 12;
inline constexpr std::size_t kMaxCsrc = 15;

struct RtpHeader {
  bool marker = false;
  std::uint8_t payload_type = 0;  // 0..127
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  std::array<std::uint32_t, kMaxCsrc> csrc{};
  std::uint8_t csrc_count = 0;
};

// Views into the parsed packet.
struct RtpPacket {
  RtpHeader header;
  std::optional<std::uint16_t> extension_profile;  // section 5.3.1
  ByteView extension;                              // a whole number of 32-bit words
  ByteView payload;                                // without padding
};

// Faults: truncated, malformed (version, padding longer than the packet).
Result<RtpPacket> parse_rtp(ByteView bytes);

// Appends header with its CSRCs and payload, without extension or padding.
void write_rtp(Bytes& out, const RtpHeader& header, ByteView payload);
// The same with an extension of these elements, where there are any.
void write_rtp(Bytes& out, const RtpHeader& header, std::span<const ExtensionElement> elements, ExtensionForm form,
               ByteView payload);

// True for the second octets 192..223, which rtcp-mux keeps free of RTP. False also for what is too short to be either.
bool is_rtcp(ByteView packet);

// The SSRC of the sender of an RTP or RTCP packet, readable before it is authenticated.
std::optional<std::uint32_t> sender_ssrc(ByteView packet);

// Extends a counter that wraps at 2^bits to 64 bits by nearness to the last one seen.
template <class Wrapping>
class Unwrapper {
 public:
  std::int64_t unwrap(Wrapping value) {
    if (!last_) {
      last_ = value;
      return value;
    }
    const std::int64_t out = peek(value);
    if (out > *last_) last_ = out;
    return out;
  }
  // Does not move.
  std::int64_t peek(Wrapping value) const {
    if (!last_) return value;
    using Signed = std::make_signed_t<Wrapping>;
    return *last_ + static_cast<Signed>(static_cast<Wrapping>(value - static_cast<Wrapping>(*last_)));
  }
  void reset() { last_.reset(); }

 private:
  std::optional<std::int64_t> last_;
};

}  // namespace linnet::media
