// To whom a TURN server relays nothing (RFC 8656, section 21.1.4; protocol.md section 6): peers that a client could not
// reach by itself, and must not reach through us. Every form in which IPv6 carries an IPv4 address is refused as such.
#pragma once

#include <vector>

#include "base/endpoint.h"

namespace linnet::nat::turn {

struct Range {
  IpAddress ip;
  unsigned bits = 128;  // of the 128 of the mapped form: an IPv4 /8 is 104

  // "10.0.0.0/8", "fc00::/7".
  static std::optional<Range> parse(std::string_view text);
  bool holds(const IpAddress& other) const;
};

class Policy {
 public:
  std::vector<Range> private_ranges;  // relay.private: of RFC 1918, 4193 and 6598 these are peers all the same
  bool allow_loopback = false;        // for tests on one machine
  std::vector<Endpoint> own;          // where we listen ourselves, as addresses, with any transport

  // An address that a permission may be for.
  bool allows(const IpAddress& peer) const;
  // The same and not one of our own ports.
  bool allows(const Endpoint& peer) const { return allows(peer.ip) && !is_own(peer); }
  bool is_own(const Endpoint& peer) const;
};

}  // namespace linnet::nat::turn
