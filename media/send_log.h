// When which packet of ours left and how many octets had left by then: what a peer's report is held against.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "media/rtp.h"

namespace linnet::media {

struct SentPacket {
  std::int64_t sequence = 0;  // extended
  Time at{};
  std::uint64_t octets = 0;  // on the wire, of all packets up to and including this one
};

class SendLog {
 public:
  static constexpr std::size_t kPackets = 1024;  // 20 s of 20 ms frames

  void add(Time now, std::uint16_t sequence, std::size_t wire_octets);
  // Only the lower 16 bits of a report's extended sequence number are ours: the cycles are the reporter's count.
  // Nothing when the packet was not sent or is too long ago.
  std::optional<SentPacket> find(std::uint32_t reported) const;
  // When the packet after this one left; nothing while it is the last.
  std::optional<Time> next_at(std::int64_t sequence) const;
  const SentPacket& first() const { return first_; }  // meaningful when not empty
  const SentPacket& last() const { return ring_[at(count_ - 1)]; }
  bool empty() const { return count_ == 0; }

 private:
  static std::size_t at(std::uint64_t n) { return static_cast<std::size_t>(n % kPackets); }

  std::array<SentPacket, kPackets> ring_{};
  std::uint64_t count_ = 0;
  SentPacket first_;
  Unwrapper<std::uint16_t> sequences_;
};

}  // namespace linnet::media
