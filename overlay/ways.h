// How a supernode is reached from networks of all kinds (protocol.md, section 6): by UDP and by TCP at its one port, in
// TLS on 443, by plain TCP on 80, and each stream through a proxy as well.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "overlay/path.h"

namespace linnet::overlay {

inline constexpr std::uint16_t kTlsPort = 443;
inline constexpr std::uint16_t kWebPort = 80;
// Endpoint::socket of a stream that goes through this machine's proxy.
inline constexpr std::uint8_t kByProxy = 1;

enum class Way : std::uint8_t { udp, tcp, tls, web, tls_by_proxy, tcp_by_proxy };
inline constexpr std::size_t kWays = 6;

struct Ways {
  bool tcp = false;    // the driver has TCP
  bool proxy = false;  // and a proxy to go through
};

// Where a supernode's packets go by this way.
Endpoint by(Way way, const Endpoint& supernode);
Way way_of(const Endpoint& endpoint);
// All that there are to this supernode, `favourite` before other streams. Ports that others may hold are left out on
// loopback, where many supernodes share one address.
std::vector<Endpoint> all_ways(const Ways& ways, const Endpoint& supernode, std::optional<Way> favourite);
// An address that stands for a name which only the proxy can resolve: of the discard prefix 100::/64 (RFC 6666), so that
// nothing ever leaves for it. It means something to this machine's driver alone.
Endpoint placeholder(std::uint16_t number, std::uint16_t port);
bool is_placeholder(const IpAddress& ip);
// The endpoint is one of the supernode's, or its address on a port of convention.
bool leads_to(const Endpoint& endpoint, const Endpoint& supernode);
// Where a supernode is that answered from `heard` and says that it is at `told`: who answers from a port of convention
// has its own at home, and where a name leads only its owner knows.
Endpoint home_of(const Endpoint& heard, const Endpoint& told);

}  // namespace linnet::overlay
