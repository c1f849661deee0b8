// Packets on a byte stream (TCP): the connecting side begins with four bytes, then each packet follows its length in
// two (protocol.md section 4). A core: the driver owns sockets and the clock.
#pragma once

#include <optional>

#include "base/bytes.h"

namespace linnet::overlay {

// The first byte is none of STUN, TLS or a length of ours, so that one port serves all three.
inline constexpr ByteArray<4> kStreamMagic{0x05, 'L', 'N', 1};
inline constexpr std::size_t kMaxStreamPacket = 16 * 1024;

// Appends one packet with its length. Fault::too_big over 16 KiB, Fault::malformed when empty; nothing is appended
// then.
Status write_stream_packet(Bytes& out, ByteView packet);

class StreamReader {
 public:
  // The side that accepted the connection reads the magic first.
  explicit StreamReader(bool expects_magic) : expects_magic_(expects_magic) {}

  // At most kMaxStreamPacket at a time, and next() until it has nothing: so no more than two packets are ever held.
  // Fault::full when that was not kept to.
  Status push(ByteView bytes);
  // A view until the next push. A fault (wrong magic, length 0 or over 16 KiB) is for good: the stream cannot be read
  // on.
  Result<std::optional<MutableBytes>> next();

  // Some of a packet (or of the magic) is here and the rest is not.
  bool in_the_middle() const { return buffer_.size() > at_; }
  bool greeted() const { return !expects_magic_; }

 private:
  Bytes buffer_;
  std::size_t at_ = 0;
  bool expects_magic_;
  bool broken_ = false;
};

}  // namespace linnet::overlay
