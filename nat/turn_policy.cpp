#include "nat/turn_policy.h"

#include <algorithm>
#include <charconv>

namespace linnet::nat::turn {
namespace {

Range range(const char* text) { return *Range::parse(text); }

// Never, whatever is configured. Loopback has a switch of its own.
const std::vector<Range>& refused() {
  static const std::vector<Range> list = {
      range("0.0.0.0/8"),           // this network (RFC 1122)
      range("169.254.0.0/16"),      // link-local, and where clouds tell their machines secrets
      range("192.0.0.0/24"),        // protocol assignments (RFC 6890)
      range("192.88.99.0/24"),      // 6to4 relays (RFC 7526)
      range("100.100.100.200/32"),  // metadata of a cloud
      range("168.63.129.16/32"),    // the same of another
      range("224.0.0.0/4"),         // multicast
      range("240.0.0.0/4"),         // reserved, broadcast
      range("64:ff9b::/96"),        // NAT64 (RFC 6052)
      range("64:ff9b:1::/48"),      // NAT64 (RFC 8215)
      range("100::/64"),            // discard (RFC 6666)
      range("2001::/32"),           // Teredo (RFC 4380)
      range("2002::/16"),           // 6to4 (RFC 3056)
      range("fe80::/10"),           // link-local
      range("fec0::/10"),           // site-local (RFC 3879)
      range("ff00::/8"),            // multicast
      range("fd00:ec2::254/128"),   // metadata of a cloud
  };
  return list;
}

// ::/8 is nobody's: unspecified, loopback, IPv4-compatible and -translated. The mapped form is our own for IPv4.
bool reserved_v6(const IpAddress& ip) { return !ip.is_v4() && ip.bytes[0] == 0 && !ip.is_loopback(); }

// Blocks that somebody may have for himself. What carriers share among customers (RFC 6598) is nobody's network.
const std::vector<Range>& blocks() {
  static const std::vector<Range> list = {range("10.0.0.0/8"), range("172.16.0.0/12"), range("192.168.0.0/16")};
  return list;
}

std::optional<Range> within_block(const Range& own) {
  if (!own.ip.is_v4())
    return own.ip.is_private() ? std::optional(Range{own.ip, std::max(own.bits, 48U)}) : std::nullopt;
  for (const auto& block : blocks()) {
    if (block.holds(own.ip)) return Range{own.ip, std::max(own.bits, block.bits)};
  }
  return std::nullopt;
}

bool in(const std::vector<Range>& list, const IpAddress& ip) {
  return std::any_of(list.begin(), list.end(), [&](const Range& r) { return r.holds(ip); });
}

}  // namespace

std::optional<Range> Range::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto ip = IpAddress::parse(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (!ip || failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  const bool v4 = text.find(':') == std::string_view::npos;
  if (bits > (v4 ? 32U : 128U)) return std::nullopt;
  return Range{*ip, v4 ? bits + 96 : bits};
}

bool Range::holds(const IpAddress& other) const {
  if (ip.is_v4() != other.is_v4()) return false;
  const auto whole = bits / 8;
  if (!std::equal(ip.bytes.begin(), ip.bytes.begin() + whole, other.bytes.begin())) return false;
  const auto rest = bits % 8;
  return rest == 0 || (ip.bytes[whole] ^ other.bytes[whole]) >> (8 - rest) == 0;
}

bool Policy::allows(const IpAddress& peer) const {
  if (peer.is_loopback()) return allow_loopback;
  if (reserved_v6(peer) || in(refused(), peer)) return false;
  return !peer.is_private() || in(private_ranges, peer);
}

bool Policy::allows(const IpAddress& peer, const IpAddress& client) const {
  if (allows(peer)) return true;
  return !in(refused(), peer) && in(lan_ranges, peer) && in(lan_ranges, client);
}

bool Policy::is_own(const Endpoint& peer) const {
  return std::any_of(own.begin(), own.end(), [&](const Endpoint& at) {
    // All of 127/8 is this machine.
    return at.port == peer.port && (at.ip == peer.ip || (at.ip.is_loopback() && peer.ip.is_loopback()));
  });
}

std::vector<Range> lan_ranges(const std::vector<std::vector<Range>>& links, const std::vector<IpAddress>& reached,
                              const IpAddress& told) {
  std::vector<Range> out;
  if (std::any_of(reached.begin(), reached.end(), [](const IpAddress& ip) { return ip.is_global(); })) return out;
  for (const auto& link : links) {
    const bool here = std::any_of(link.begin(), link.end(), [&](const Range& own) { return own.ip == told; });
    if (!here || !within_block({told, 128})) continue;
    for (const auto& own : link) {
      if (const auto range = within_block(own)) out.push_back(*range);
    }
  }
  return out;
}

}  // namespace linnet::nat::turn
