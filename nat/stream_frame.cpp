#include "nat/stream_frame.h"

#include <algorithm>

namespace linnet::nat {
namespace {

constexpr std::size_t kLengthBytes = 2;

std::size_t length_of(ByteView frame) { return static_cast<std::size_t>(frame[0]) << 8 | frame[1]; }

}  // namespace

Bytes write_frame(ByteView packet) {
  Bytes out;
  if (packet.size() > 0xffff) return out;
  out.reserve(kLengthBytes + packet.size());
  out.push_back(static_cast<std::uint8_t>(packet.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(packet.size()));
  append(out, packet);
  return out;
}

Result<std::optional<ByteView>> FrameReader::next(ByteView& in, std::size_t most) {
  if (whole_) held_.clear();
  whole_ = false;
  while (true) {
    const bool has_length = held_.size() >= kLengthBytes;
    const auto length = has_length ? length_of(held_) : 0;
    if (length > most) return fail(Fault::too_big);
    const auto n = std::min(kLengthBytes + length - held_.size(), in.size());
    append(held_, in.subspan(0, n));
    in = in.subspan(n);
    if (held_.size() < kLengthBytes + length) return std::optional<ByteView>();
    if (!has_length) continue;
    if (length == 0) {
      held_.clear();
      continue;
    }
    whole_ = true;
    return std::optional<ByteView>(ByteView(held_).subspan(kLengthBytes));
  }
}

}  // namespace linnet::nat
