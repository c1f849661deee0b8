// What a TURN relay does with packets that pass through (RFC 8656, sections 11 and 12): ChannelData and Data
// indications, written in place around what a peer sent, and the frames of a stream.
#pragma once

#include "base/endpoint.h"
#include "nat/stun_message.h"

namespace linnet::nat::turn {

// REQUESTED-ADDRESS-FAMILY (RFC 8656, section 18.6).
inline constexpr std::uint8_t kFamilyV4 = 1;
inline constexpr std::uint8_t kFamilyV6 = 2;

// RFC 8656 leaves 0x4000 to 0x4fff; RFC 5766 had all up to 0x7fff, and its clients take any of them.
inline constexpr std::uint16_t kFirstChannel = 0x4000;
inline constexpr std::uint16_t kLastChannel = 0x7fff;
inline constexpr std::size_t kChannelHeader = 4;

constexpr bool is_channel(std::uint16_t number) { return number >= kFirstChannel && number <= kLastChannel; }
// By its first byte. Nothing else on our port begins so.
inline bool is_channel_data(ByteView packet) { return packet.size() >= kChannelHeader && packet[0] >> 6 == 1; }
// A request or an indication of TURN, by the type alone: what is left is for other STUN servers.
bool is_turn_message(ByteView packet);

struct ChannelData {
  std::uint16_t number = 0;
  MutableBytes data;
};
// Padding behind the data is not looked at (section 12.5).
std::optional<ChannelData> read_channel_data(MutableBytes packet);

// A datagram of a peer, with room before and behind it.
struct Room {
  static constexpr std::size_t kBefore = 48;  // a Data indication of an IPv6 peer
  static constexpr std::size_t kBehind = 4;

  std::uint8_t* data = nullptr;
  std::size_t size = 0;
};
// `padded`: streams need a multiple of four (section 12.5).
MutableBytes write_channel_data(Room room, std::uint16_t number, bool padded);
MutableBytes write_data_indication(Room room, const Endpoint& peer, const stun::TransactionId& id);

// Of one of several attributes of an exclusive-or address; nothing: it has another shape.
std::optional<Endpoint> read_place(const stun::Message& message, const stun::Message::Attribute& attribute);

// Bytes of the message that begins here, padding included; 0: not enough to tell, nothing: it is none.
std::optional<std::size_t> stream_frame(ByteView bytes);

}  // namespace linnet::nat::turn
