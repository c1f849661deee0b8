#include "overlay/stream.h"

#include <algorithm>

#include "overlay/forward.h"

namespace linnet::overlay {
namespace {

constexpr std::size_t kLengthBytes = 2;
constexpr std::size_t kMostHeld = 2 * (kMaxStreamPacket + kLengthBytes) + kStreamMagic.size();

}  // namespace

StreamOpening stream_opening(ByteView first) {
  constexpr std::uint8_t kTlsHandshake = 22, kTlsMajor = 3;
  constexpr ByteArray<4> kStunCookie{0x21, 0x12, 0xa4, 0x42};
  constexpr std::size_t kCookieAt = 4;
  const auto begins = [](ByteView seen, const ByteArray<4>& with) {
    return std::equal(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(std::min(seen.size(), with.size())),
                      with.begin());
  };
  if (first.empty()) return StreamOpening::undecided;
  if (first[0] == kStreamMagic[0]) {
    if (!begins(first, kStreamMagic)) return StreamOpening::foreign;
    return first.size() < kStreamMagic.size() ? StreamOpening::undecided : StreamOpening::ours;
  }
  if (first[0] == kTlsHandshake) {
    if (first.size() == 1) return StreamOpening::undecided;
    return first[1] == kTlsMajor ? StreamOpening::tls : StreamOpening::foreign;
  }
  if (first[0] > 3) return StreamOpening::foreign;
  if (first.size() > kCookieAt && !begins(first.subspan(kCookieAt), kStunCookie)) return StreamOpening::foreign;
  return first.size() < kOpeningBytes ? StreamOpening::undecided : StreamOpening::stun;
}

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

bool is_voice(ByteView packet) {
  const auto srtp = [](std::uint8_t first) { return first >= 128 && first <= 191; };
  if (packet.empty()) return false;
  if (srtp(packet[0])) return true;
  const bool circuit = packet[0] == kForwardType && packet.size() > kCircuitHeader &&
                       packet[1] == static_cast<std::uint8_t>(ForwardKind::circuit);
  return circuit && srtp(packet[kCircuitHeader]);
}

// Outdated voice at the front makes room.
void StreamQueue::shed(Time now) {
  while (!waiting_.empty()) {
    const auto& first = waiting_.front();
    if (now - first.since < kMostAge || !is_voice(first.packet)) return;
    bytes_ -= first.packet.size();
    waiting_.pop_front();
    ++outdated_;
  }
}

bool StreamQueue::push(Time now, Bytes packet) {
  if (bytes_ + packet.size() > kMostBytes) shed(now);
  if (bytes_ + packet.size() > kMostBytes) return false;
  bytes_ += packet.size();
  waiting_.push_back({now, std::move(packet)});
  return true;
}

std::optional<Bytes> StreamQueue::pop(Time now) {
  shed(now);
  if (waiting_.empty()) return std::nullopt;
  auto packet = std::move(waiting_.front().packet);
  waiting_.pop_front();
  bytes_ -= packet.size();
  return packet;
}

}  // namespace linnet::overlay
