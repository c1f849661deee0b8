// Where a TURN server is, as people write it: the URIs of RFC 7065.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/endpoint.h"

namespace linnet::io {

struct TurnUri {
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 0;
  Transport transport = Transport::udp;

  // "turn:turn.example", "turn:192.0.2.1:3478?transport=tcp", "turns:[2001:db8::1]:5349". Ports are 3478 and 5349 where
  // none is given. Nothing for DTLS ("turns:" with transport=udp), which is not spoken here.
  static std::optional<TurnUri> parse(std::string_view text);
  // "turn.example:3478", as a resolver takes it.
  std::string place() const;

  bool operator==(const TurnUri&) const = default;
};

}  // namespace linnet::io
