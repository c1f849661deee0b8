// The codecs Linnet speaks and what RTP needs to know of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace linnet::media {

// Everything inside runs at this rate, mono, 16-bit.
inline constexpr int kRate = 48000;
inline constexpr int kSamplesPerMs = kRate / 1000;

enum class CodecKind : std::uint8_t { opus, pcmu, pcma, l16 };
inline constexpr std::size_t kCodecKinds = 4;

// SDP encoding name (RFC 7587, RFC 3551): "opus", "PCMU", "PCMA", "L16".
std::string_view encoding_name(CodecKind kind);
// Encoding names compare without case (RFC 8866 section 6.6).
std::optional<CodecKind> codec_from_name(std::string_view encoding_name);
// RTP clock rate as it stands in a=rtpmap: 48000 or 8000.
int rtp_clock(CodecKind kind);
// Static payload type of RFC 3551 (0, 8); 111 by custom for Opus and 96 for L16 at 48 kHz, which have none.
std::uint8_t usual_payload_type(CodecKind kind);

}  // namespace linnet::media
