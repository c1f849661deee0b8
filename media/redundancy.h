// Redundant audio in one RTP payload (RFC 2198): copies of earlier frames, then the frame itself.
#pragma once

#include <array>
#include <deque>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace linnet::media {

inline constexpr std::size_t kMaxRedBlocks = 8;         // in one payload, the primary one included
inline constexpr std::uint32_t kMaxRedOffset = 0x3fff;  // 14 bits: 341 ms at 48 kHz
inline constexpr std::size_t kMaxRedBlock = 0x3ff;      // 10 bits

// Views into the payload.
struct RedBlock {
  std::uint8_t payload_type = 0;
  std::uint32_t offset = 0;  // how much earlier than the packet's timestamp; 0 in the primary block
  ByteView payload;
};

struct Red {
  std::array<RedBlock, kMaxRedBlocks> blocks{};
  std::size_t count = 0;  // at least 1

  const RedBlock& primary() const { return blocks[count - 1]; }
  std::span<const RedBlock> copies() const { return {blocks.data(), count - 1}; }  // as they stand, oldest first
};

// Faults: truncated, too_big (kMaxRedBlocks).
Result<Red> parse_red(ByteView payload);

// Appends a payload; the last block is the primary one. Blocks over the limits above must not be given.
void write_red(Bytes& out, std::span<const RedBlock> blocks);

// The frames sent last, of which copies are taken.
class SentFrames {
 public:
  static constexpr std::size_t kFrames = 33;

  // `timestamp` of the frame's first sample. A frame that does not follow the last one at the same length begins anew:
  // the receiver counts sequence numbers back in frames of one length.
  void add(std::uint32_t timestamp, std::uint32_t length, ByteView payload);
  void clear() { frames_.clear(); }

  // Copies of the frames `distances` frames before the one at `timestamp` of `length`, oldest first, for as far as they
  // are there and within the limits of the format; then the primary block.
  void write(Bytes& out, std::uint8_t payload_type, std::uint32_t timestamp, std::uint32_t length, ByteView primary,
             std::span<const std::uint8_t> distances) const;

 private:
  struct Frame {
    std::uint32_t timestamp = 0;
    std::uint32_t length = 0;
    Bytes payload;
  };
  std::deque<Frame> frames_;  // newest last
};

}  // namespace linnet::media
