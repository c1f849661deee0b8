#include "nat/turn_message.h"

#include <algorithm>

namespace linnet::nat::turn {
namespace {

constexpr std::size_t padded(std::size_t n) { return (n + 3) & ~std::size_t{3}; }

void put16(std::uint8_t* to, std::size_t value) {
  to[0] = static_cast<std::uint8_t>(value >> 8);
  to[1] = static_cast<std::uint8_t>(value);
}

std::size_t at16(ByteView bytes, std::size_t at) { return static_cast<std::size_t>(bytes[at] << 8 | bytes[at + 1]); }

}  // namespace

bool is_turn_message(ByteView packet) {
  if (packet.size() < stun::kHeaderBytes || packet[0] != 0) return false;
  switch (packet[1]) {
    case 0x03:  // Allocate
    case 0x04:  // Refresh
    case 0x08:  // CreatePermission
    case 0x09:  // ChannelBind
    case 0x16:  // Send
      return true;
    default: return false;
  }
}

std::optional<ChannelData> read_channel_data(MutableBytes packet) {
  if (!is_channel_data(packet)) return std::nullopt;
  const auto length = at16(packet, 2);
  if (length > packet.size() - kChannelHeader) return std::nullopt;
  return ChannelData{static_cast<std::uint16_t>(at16(packet, 0)), packet.subspan(kChannelHeader, length)};
}

MutableBytes write_channel_data(Room room, std::uint16_t number, bool pad) {
  auto* const begin = room.data - kChannelHeader;
  put16(begin, number);
  put16(begin + 2, room.size);
  const auto size = pad ? padded(room.size) : room.size;
  std::fill(room.data + room.size, room.data + size, std::uint8_t{0});
  return {begin, kChannelHeader + size};
}

MutableBytes write_data_indication(Room room, const Endpoint& peer, const stun::TransactionId& id) {
  const bool v4 = peer.ip.is_v4();
  const std::size_t address = v4 ? 4 : 16;
  const auto before = stun::kHeaderBytes + 4 + 4 + address + 4;
  auto* const begin = room.data - before;
  const auto whole = before + padded(room.size);
  put16(begin, 0x0017);  // indication, Data
  put16(begin + 2, whole - stun::kHeaderBytes);
  put16(begin + 4, stun::kMagicCookie >> 16);
  put16(begin + 6, stun::kMagicCookie & 0xffff);
  std::copy(id.begin(), id.end(), begin + 8);
  auto* const place = begin + stun::kHeaderBytes;
  put16(place, static_cast<std::uint16_t>(stun::Attr::xor_peer_address));
  put16(place + 2, 4 + address);
  place[4] = 0;
  place[5] = v4 ? 1 : 2;
  put16(place + 6, peer.port ^ stun::kMagicCookie >> 16);
  for (std::size_t i = 0; i < address; ++i)
    place[8 + i] = static_cast<std::uint8_t>(peer.ip.bytes[16 - address + i] ^ begin[4 + i]);
  put16(room.data - 4, static_cast<std::uint16_t>(stun::Attr::data));
  put16(room.data - 2, room.size);
  std::fill(room.data + room.size, begin + whole, std::uint8_t{0});
  return {begin, whole};
}

// RFC 8489, sections 14.1 and 14.2.
std::optional<Endpoint> read_place(const stun::Message& message, const stun::Message::Attribute& attribute) {
  const auto value = message.value(attribute);
  const bool v4 = value.size() == 8;
  if ((!v4 && value.size() != 20) || value[1] != (v4 ? 1 : 2)) return std::nullopt;
  const auto mask = message.bytes().subspan(4);  // the cookie and the transaction id
  ByteArray<16> address{};
  for (std::size_t i = 0; i < value.size() - 4; ++i) address[i] = static_cast<std::uint8_t>(value[4 + i] ^ mask[i]);
  const auto port = static_cast<std::uint16_t>(at16(value, 2) ^ stun::kMagicCookie >> 16);
  const auto ip = v4 ? IpAddress::v4(address[0], address[1], address[2], address[3]) : IpAddress::v6(address);
  return Endpoint{ip, port};
}

std::optional<std::size_t> stream_frame(ByteView bytes) {
  if (bytes.empty()) return 0;
  if (bytes[0] >= 0x80) return std::nullopt;
  if (bytes.size() < 4) return 0;
  const auto length = at16(bytes, 2);
  if (bytes[0] >> 6 == 1) return kChannelHeader + padded(length);
  if (bytes[0] > 3 || length % 4 != 0) return std::nullopt;
  return stun::kHeaderBytes + length;
}

}  // namespace linnet::nat::turn
