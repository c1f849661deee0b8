// Packets on a byte stream (TCP, in TLS or not): the connecting side begins with four bytes, then each packet follows its
// length in two (protocol.md section 4). A core: the driver owns sockets and the clock.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/fifo.h"
#include "base/machine.h"
#include "base/time.h"

namespace linnet::overlay {

// The first byte is none of STUN, TLS or a length of ours, so that one port serves all three.
inline constexpr ByteArray<4> kStreamMagic{0x05, 'L', 'N', 1};
inline constexpr std::size_t kMaxStreamPacket = 16 * 1024;

// What the side that connected speaks, by its first bytes. STUN is told by its cookie (RFC 8489, section 5), TLS by a
// record of a handshake (RFC 8446, section 5.1).
enum class StreamOpening : std::uint8_t { undecided, ours, tls, stun, foreign };
inline constexpr std::size_t kOpeningBytes = 8;  // enough to tell
StreamOpening stream_opening(ByteView first);

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

// Packets that a stream does not take yet. Voice that waited too long is worth nothing: it goes, so that what is said
// now is heard now and not seconds later; everything else keeps its order and its place.
class StreamQueue {
 public:
  static constexpr std::size_t kMostBytes = 64 * 1024;
  static constexpr Duration kMostAge = std::chrono::milliseconds(200);  // of voice

  // False: full, dropped.
  bool push(Time now, Bytes packet);
  // The next one that is worth sending.
  std::optional<Bytes> pop(Time now);
  bool empty() const { return waiting_.empty(); }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t outdated() const { return outdated_; }

 private:
  struct Waiting {
    Time since;
    Bytes packet;
  };
  void shed(Time now);

  Fifo<Waiting> waiting_;
  std::size_t bytes_ = 0;
  std::uint64_t outdated_ = 0;
};

// SRTP, straight or in a circuit.
bool is_voice(ByteView packet);

}  // namespace linnet::overlay
