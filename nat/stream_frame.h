// Packets on a stream, each after its length in two bytes (RFC 4571), as ICE-TCP sends STUN and data (RFC 6544, section
// 3).
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace linnet::nat {

inline constexpr std::size_t kMaxFrame = 8 * 1024;

// Nothing of more than 65,535 bytes.
Bytes write_frame(ByteView packet);

class FrameReader {
 public:
  // Takes bytes off the front of `in` until a packet is whole: a view until the next call, or nothing when all of `in`
  // was taken. Packets of no bytes are passed over. Fault::too_big over `most`: the stream cannot be read on.
  Result<std::optional<ByteView>> next(ByteView& in, std::size_t most = kMaxFrame);
  // What it holds never exceeds a packet and its length.
  std::size_t held() const { return held_.size(); }

 private:
  Bytes held_;
  bool whole_ = false;  // what is held was given out
};

}  // namespace linnet::nat
