#include "overlay/stream.h"

#include <algorithm>

namespace linnet::overlay {
namespace {

constexpr std::size_t kLengthBytes = 2;
constexpr std::size_t kMostHeld = 2 * (kMaxStreamPacket + kLengthBytes) + kStreamMagic.size();

}  // namespace

Status write_stream_packet(Bytes& out, ByteView packet) {
  if (packet.empty()) return fail(Fault::malformed);
  if (packet.size() > kMaxStreamPacket) return fail(Fault::too_big);
  out.push_back(static_cast<std::uint8_t>(packet.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(packet.size()));
  append(out, packet);
  return {};
}

Status StreamReader::push(ByteView bytes) {
  if (broken_) return fail(Fault::malformed);
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  if (buffer_.size() + bytes.size() > kMostHeld) return fail(Fault::full);
  append(buffer_, bytes);
  return {};
}

Result<std::optional<MutableBytes>> StreamReader::next() {
  if (broken_) return fail(Fault::malformed);
  const MutableBytes rest = MutableBytes(buffer_).subspan(at_);
  if (expects_magic_) {
    // The first wrong byte is enough: whoever speaks something else is not waited for.
    const auto seen = std::min(rest.size(), kStreamMagic.size());
    broken_ = !std::equal(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(seen), kStreamMagic.begin());
    if (broken_) return fail(Fault::malformed);
    if (seen < kStreamMagic.size()) return std::optional<MutableBytes>();
    expects_magic_ = false;
    at_ += seen;
    return next();
  }
  if (rest.size() < kLengthBytes) return std::optional<MutableBytes>();
  const std::size_t length = static_cast<std::size_t>(rest[0]) << 8 | rest[1];
  broken_ = length == 0 || length > kMaxStreamPacket;
  if (broken_) return fail(length == 0 ? Fault::malformed : Fault::too_big);
  if (rest.size() < kLengthBytes + length) return std::optional<MutableBytes>();
  at_ += kLengthBytes + length;
  return std::optional<MutableBytes>(rest.subspan(kLengthBytes, length));
}

}  // namespace linnet::overlay
