// The data packet (type 8) and the frames sealed inside it.
//
//   8 | receiver index (4) | key epoch (1) | packet number (7) | sealed frames | tag (16)
//
// The thirteen bytes before the sealed part are authenticated as associated data. Epoch and number together are the
// 64-bit nonce. Numbers run on across epochs, so one replay window and one acknowledgement space serve the whole
// session.
#pragma once

#include <array>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "base/time.h"
#include "crypto/suite.h"
#include "overlay/range_set.h"

namespace linnet::overlay {

inline constexpr std::uint8_t kDataPacket = 8;
// What a session puts on any path: 1,200 less what a forward header adds.
inline constexpr std::size_t kMaxInner = 1160;
inline constexpr std::size_t kDataHeaderBytes = 13;
// No data packet is shorter, so that the challenge a packet may cause is never longer than the packet.
inline constexpr std::size_t kMinDataPacket = kDataHeaderBytes + 9 + crypto::kTagBytes;
inline constexpr std::size_t kMaxPlain = kMaxInner - kDataHeaderBytes - crypto::kTagBytes;
inline constexpr std::uint64_t kMaxNumber = (std::uint64_t{1} << 56) - 1;

struct DataHeader {
  std::uint32_t receiver = 0;
  std::uint8_t epoch = 0;
  std::uint64_t number = 0;

  std::uint64_t nonce() const { return std::uint64_t{epoch} << 56 | number; }
};
void write_data_header(Bytes& out, const DataHeader& header);
Result<DataHeader> read_data_header(ByteView packet);

namespace frame {

enum class Type : std::uint8_t {
  padding = 0,
  ping = 1,
  ack = 2,
  data = 3,
  challenge = 4,
  response = 5,
  close = 6,
  alive = 7,
  both = 8
};

// Wants an acknowledgement and says nothing else.
struct Ping {};
// Which packets arrived, highest range first; `delay` is how long the highest waited for this acknowledgement.
struct Ack {
  static constexpr std::size_t kMaxRanges = 16;
  Duration delay{};
  std::array<RangeSet::Range, kMaxRanges> ranges{};
  std::size_t count = 0;

  std::uint64_t largest() const { return ranges[0].end - 1; }
};
// A piece of a channel's stream. The stream is messages, each after its length in four bytes.
struct Data {
  std::uint8_t channel = 0;
  std::uint64_t offset = 0;
  ByteView bytes;
};
// Of the token seven bytes are random, then six bits are the sender's number of a path that it wants, 0 for one that it
// only heard from, and two count the challenges of a round.
struct Challenge {
  std::uint64_t token = 0;
  std::uint8_t number() const { return static_cast<std::uint8_t>(token >> 2 & 0x3f); }
};
struct Response {
  std::uint64_t token = 0;
};
// Answers a challenge by another path than it came by: the peer is alive, and no path is proven by it.
struct Alive {
  std::uint64_t token = 0;
};
// silent: nothing was heard of you any more; nobody meant to end it.
enum class CloseReason : std::uint8_t { closed = 0, refused = 1, expired = 2, broken = 3, silent = 4 };
struct Close {
  CloseReason reason = CloseReason::closed;
};
// Voice does not come as it should: for so long the peer's shall go two ways at once. Urgent: none comes at all.
struct Both {
  static constexpr Duration kUnit = std::chrono::milliseconds(100);
  Duration lease{};  // 25.5 s at most
  bool urgent = false;
};
using Any = std::variant<Ping, Ack, Data, Challenge, Response, Alive, Both, Close>;

inline constexpr std::size_t kBothBytes = 3;
inline constexpr std::size_t kDataOverhead = 1 + 1 + 8 + 2;
inline constexpr std::uint64_t kMaxOffset = std::uint64_t{1} << 62;

void write(Bytes& out, const Ping& ping);
void write(Bytes& out, const Ack& ack);
void write(Bytes& out, const Data& data);
void write(Bytes& out, const Challenge& challenge);
void write(Bytes& out, const Response& response);
void write(Bytes& out, const Alive& alive);
void write(Bytes& out, const Both& both);
void write(Bytes& out, const Close& close);
std::size_t bytes_of(const Ack& ack);

// Reads the frames of one packet, in order. Views point into the packet.
class FrameReader {
 public:
  explicit FrameReader(ByteView plain) : in_(plain) {}
  // Nothing at the end of the packet.
  Result<std::optional<Any>> next();

 private:
  Result<Any> read(Type type);
  Result<Any> read_ack();

  Reader in_;
};

}  // namespace frame

}  // namespace linnet::overlay
