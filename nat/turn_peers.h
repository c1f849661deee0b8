// Whom one allocation may exchange datagrams with, and by which channels (RFC 8656, sections 9 and 12). Bounded: an
// allocation with every place taken stays under 4 KB.
#pragma once

#include <array>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"

namespace linnet::nat::turn {

inline constexpr Duration kPermissionLife = std::chrono::minutes(5);
inline constexpr Duration kChannelLife = std::chrono::minutes(10);

// Of an address. Until it has answered a check, few STUN packets go to it (protocol.md section 6).
struct Permission {
  static constexpr std::uint8_t kChecks = 5;

  IpAddress ip;
  std::uint8_t checks = kChecks;  // that may still go out
  bool answered = false;
  std::array<std::uint32_t, 2> asked{};  // of the last checks that went out, a part of their transaction ids
  Time until{};

  // Whether this may go to the peer. What is no STUN always may.
  bool may_send(ByteView data);
  void received(ByteView data);
};

struct Channel {
  IpAddress ip;
  std::uint16_t port = 0;
  std::uint16_t number = 0;
  Time until{};

  Endpoint peer() const { return Endpoint{ip, port}; }
};

class Peers {
 public:
  static constexpr std::size_t kMaxPermissions = 40;
  static constexpr std::size_t kMaxChannels = 40;

  Permission* permission(Time now, const IpAddress& ip);
  // New or renewed. False: no room.
  bool permit(Time now, const IpAddress& ip);
  // Whether permit() has room for so many that are not there yet.
  bool room_for(Time now, std::size_t more);

  const Channel* channel(Time now, std::uint16_t number);
  const Channel* channel_to(Time now, const Endpoint& peer);
  // New or renewed, and so is the permission.
  enum class Bound : std::uint8_t { yes, mismatch, full };  // mismatch: the number or the peer is bound otherwise
  Bound bind(Time now, std::uint16_t number, const Endpoint& peer);

  std::size_t permissions() const { return permissions_.size(); }
  std::size_t channels() const { return channels_.size(); }
  std::size_t memory_bytes() const {
    return permissions_.capacity() * sizeof(Permission) + channels_.capacity() * sizeof(Channel);
  }

 private:
  static constexpr std::size_t kHints = 64;

  static std::size_t hint_of(const Endpoint& peer);
  Channel* find(std::uint16_t number);
  Channel* find(const Endpoint& peer);
  void forget_channels(Time now);

  std::vector<Permission> permissions_;
  std::vector<Channel> channels_;
  // Where a channel was found last: most searches end there.
  std::array<std::uint8_t, kHints> by_number_{};
  std::array<std::uint8_t, kHints> by_peer_{};
};

}  // namespace linnet::nat::turn
