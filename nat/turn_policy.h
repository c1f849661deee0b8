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
  std::vector<Range> lan_ranges;      // of networks of our own (lan_ranges()): for clients that are there themselves
  bool allow_loopback = false;        // for tests on one machine
  std::vector<Endpoint> own;          // where we listen ourselves, as addresses, with any transport

  // An address that a permission may be for.
  bool allows(const IpAddress& peer) const;
  // The same for a client of that address, who may be on a network of ours.
  bool allows(const IpAddress& peer, const IpAddress& client) const;
  // The same and not one of our own ports.
  bool allows(const Endpoint& peer, const IpAddress& client) const { return allows(peer.ip, client) && !is_own(peer); }
  bool allows(const Endpoint& peer) const { return allows(peer.ip) && !is_own(peer); }
  bool is_own(const Endpoint& peer) const;
};

// The private ranges of our own that are relayed to without being listed (protocol.md section 6): those of the link at
// whose private address a supernode is told of, of RFC 1918 and RFC 4193 and never wider than their blocks (IPv6: /48).
// None when one of the addresses where it is reached is a global one, or no address of its own is told of.
// `links`: of each the machine's addresses there, with the length of their prefixes.
std::vector<Range> lan_ranges(const std::vector<std::vector<Range>>& links, const std::vector<IpAddress>& reached,
                              const IpAddress& told);

}  // namespace linnet::nat::turn
