// One allocation of a TURN server (RFC 8656, section 3.2): whose it is, its relayed addresses and its peers.
#pragma once

#include "nat/stun.h"
#include "nat/turn_credentials.h"
#include "nat/turn_peers.h"

namespace linnet::nat::turn {

// A relayed socket, by the number that the driver gave it. Never 0.
using RelayId = std::uint32_t;

struct Relay {
  RelayId id = 0;
  Endpoint at;
};

struct Allocation {
  std::uint32_t id = 0;
  Endpoint client;  // where it is seen, by which transport and socket
  Credentials::Known owner;
  stun::TransactionId asked{};  // of the Allocate: the same one again gets the same answer
  std::chrono::seconds lifetime{};
  Time until{};
  Relay v4, v6;
  std::optional<std::uint64_t> reserved;  // the token that was handed out with it
  std::optional<stun::ErrorCode> no_v6;   // what became of the additional family
  Peers peers;

  bool open() const { return v4.id != 0 || v6.id != 0; }
  const Relay& relay_for(const IpAddress& peer) const { return peer.is_v4() ? v4 : v6; }
};

}  // namespace linnet::nat::turn
