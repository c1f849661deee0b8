// What a voice codec does. Both ends are 48 kHz mono whatever rate the codec works at. The encoder and the decoder of
// one object are independent; each keeps its state from frame to frame.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "media/codec_kind.h"

namespace linnet::media {

inline constexpr std::size_t kMaxFrame = 120 * kSamplesPerMs;  // 120 ms, the longest Opus packet
inline constexpr std::size_t kMaxPayload = 1100;               // leaves room for headers and tags under 1,200

class Codec {
 public:
  virtual ~Codec() = default;

  virtual CodecKind kind() const = 0;
  // Samples (48 kHz) the codec adds to what framing costs, encoder and decoder together.
  virtual int lookahead() const = 0;

  // One frame of 10, 20, 40, 60 or 120 ms. Appends the payload to `out`; false when the codec refused.
  virtual bool encode(std::span<const std::int16_t> frame, Bytes& out) = 0;

  // Samples (48 kHz) that a payload decodes to; 0 when it is no payload of this codec or longer than kMaxFrame.
  virtual std::size_t duration(ByteView payload) const = 0;
  // Decodes into `out`, which must hold duration() samples. Returns the samples written, 0 on a damaged payload.
  virtual std::size_t decode(ByteView payload, std::span<std::int16_t> out) = 0;
  // What was decoded before has nothing to do with what comes.
  virtual void reset_decoder() {}
  // Fills all of `out`, a multiple of 10 ms, with what may have been said (packet loss concealment).
  virtual void conceal(std::span<std::int16_t> out) = 0;

  // True when `next` carries a second copy of the frame before it (Opus LBRR).
  virtual bool has_recovery(ByteView /*next*/) const { return false; }
  // Decodes the frame before `next` from it, filling `out` (the length of the lost frame). Call before decode(next).
  virtual bool recover(ByteView /*next*/, std::span<std::int16_t> /*out*/) { return false; }

  // What the peer reports; the encoder spends bits on recovery data accordingly.
  virtual void set_expected_loss(int /*percent*/) {}
  virtual void set_bitrate(int /*bits_per_second*/) {}
  // 0..10, from the next frame on; absent where a codec has no such choice.
  virtual void set_complexity(int /*complexity*/) {}
  virtual std::optional<int> complexity() const { return std::nullopt; }
};

struct CodecSettings {
  int bitrate = 24000;
  int complexity = 5;
  bool fec = true;
};

std::unique_ptr<Codec> make_codec(CodecKind kind, const CodecSettings& settings);

}  // namespace linnet::media
