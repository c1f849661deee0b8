#include "media/send_log.h"

#include <algorithm>

namespace linnet::media {

void SendLog::add(Time now, std::uint16_t sequence, std::size_t wire_octets) {
  const std::uint64_t before = count_ == 0 ? 0 : last().octets;
  const SentPacket packet{sequences_.unwrap(sequence), now, before + wire_octets};
  if (count_ == 0) first_ = packet;
  ring_[at(count_)] = packet;
  ++count_;
}

std::optional<SentPacket> SendLog::find(std::uint32_t reported) const {
  if (count_ == 0) return std::nullopt;
  const std::int64_t sequence = sequences_.peek(static_cast<std::uint16_t>(reported));
  const std::int64_t back = last().sequence - sequence;
  if (back < 0 || static_cast<std::uint64_t>(back) >= std::min<std::uint64_t>(count_, kPackets)) return std::nullopt;
  return ring_[at(count_ - 1 - static_cast<std::uint64_t>(back))];
}

std::optional<Time> SendLog::next_at(std::int64_t sequence) const {
  if (count_ == 0) return std::nullopt;
  const std::int64_t back = last().sequence - sequence;
  if (back < 1 || static_cast<std::uint64_t>(back) >= std::min<std::uint64_t>(count_, kPackets)) return std::nullopt;
  return ring_[at(count_ - static_cast<std::uint64_t>(back))].at;
}

}  // namespace linnet::media
