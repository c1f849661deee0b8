// Network addresses as values. No socket header: node/io converts.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace linnet {

enum class Transport : std::uint8_t { udp = 0, tcp = 1, tls = 2 };

std::string_view to_string(Transport transport);

// An IPv4 address is held in its IPv4-mapped form (::ffff:a.b.c.d), so there is one comparison.
struct IpAddress {
  ByteArray<16> bytes{};
  std::uint32_t scope = 0;  // interface index of a link-local address; never leaves this machine

  static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d);
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v6(const ByteArray<16>& bytes, std::uint32_t scope = 0);
  // Dotted IPv4 or RFC 4291 IPv6 text, without brackets; "%N" gives a numeric scope.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const {  // ::ffff:0:0/96, in words: every datagram asks
    std::uint64_t high;
    std::uint32_t low;
    std::memcpy(&high, bytes.data(), sizeof high);
    std::memcpy(&low, bytes.data() + 8, sizeof low);
    constexpr ByteArray<4> kMapped = {0, 0, 0xff, 0xff};
    return high == 0 && low == std::bit_cast<std::uint32_t>(kMapped);
  }
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local() const;
  bool is_private() const;    // RFC 1918, RFC 4193, RFC 6598
  bool is_multicast() const;  // or broadcast
  bool is_global() const {
    return !is_unspecified() && !is_loopback() && !is_link_local() && !is_private() && !is_multicast();
  }

  // /24 of an IPv4 address, /48 of an IPv6 one: the unit in which addresses are cheap to have.
  ByteArray<7> prefix() const {
    if (!is_v4()) return {6, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]};
    return {4, bytes[12], bytes[13], bytes[14], 0, 0, 0};
  }
  std::string to_string() const;  // IPv6 in RFC 5952 form, without brackets

  auto operator<=>(const IpAddress&) const = default;
  // Two words instead of a call of memcmp: every datagram is compared with many.
  bool operator==(const IpAddress& other) const {
    std::uint64_t a[2];
    std::uint64_t b[2];
    std::memcpy(a, bytes.data(), sizeof a);
    std::memcpy(b, other.bytes.data(), sizeof b);
    return a[1] == b[1] && a[0] == b[0] && scope == other.scope;
  }
};

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;
  Transport transport = Transport::udp;
  // Of a peer: which of this machine's sockets it is on the other end of, where there are several; 0: the one by which
  // a datagram to it would leave anyway. A NAT tells them apart. Never leaves this machine.
  std::uint8_t socket = 0;

  // "1.2.3.4:4400", "[2001:db8::1]:4400". The port is required. The transport is UDP.
  static std::optional<Endpoint> parse(std::string_view text);
  std::string to_string() const;  // no transport

  auto operator<=>(const Endpoint&) const = default;
};

// One address and port, by whatever transport and socket.
inline bool same_place(const Endpoint& a, const Endpoint& b) { return a.ip == b.ip && a.port == b.port; }

// Wire form: transport 1, family 1 (4 or 6), address 4 or 16, port 2 bytes. No scope; a link-local address is
// unspecified.
void write(Writer& out, const Endpoint& endpoint);
Result<Endpoint> read_endpoint(Reader& in);
inline constexpr std::size_t kMaxEndpointBytes = 20;

}  // namespace linnet

template <>
struct std::hash<linnet::IpAddress> {
  std::size_t operator()(const linnet::IpAddress& ip) const noexcept;
};
template <>
struct std::hash<linnet::Endpoint> {
  std::size_t operator()(const linnet::Endpoint& endpoint) const noexcept;
};
