#include "overlay/ways.h"

#include <algorithm>

namespace linnet::overlay {
namespace {

bool of_convention(const Endpoint& endpoint) {
  return (endpoint.transport == Transport::tls && endpoint.port == kTlsPort) ||
         (endpoint.transport == Transport::tcp && endpoint.port == kWebPort);
}

}  // namespace

Endpoint placeholder(std::uint16_t number, std::uint16_t port) {
  ByteArray<16> bytes{1};
  bytes[14] = static_cast<std::uint8_t>(number >> 8);
  bytes[15] = static_cast<std::uint8_t>(number);
  return {IpAddress::v6(bytes), port, Transport::udp};
}

bool is_placeholder(const IpAddress& ip) {
  constexpr ByteArray<8> kDiscard{1};
  return equal(ByteView(ip.bytes).first(8), kDiscard);
}

Endpoint by(Way way, const Endpoint& supernode) {
  Endpoint out = supernode;
  if (way == Way::udp) {
    // The socket is the one it was reached by, if it was.
    if (supernode.transport != Transport::udp) out.socket = 0;
    out.transport = Transport::udp;
    return out;
  }
  const bool tls = way == Way::tls || way == Way::tls_by_proxy;
  out.transport = tls ? Transport::tls : Transport::tcp;
  if (tls) out.port = kTlsPort;
  if (way == Way::web) out.port = kWebPort;
  out.socket = way == Way::tls_by_proxy || way == Way::tcp_by_proxy ? kByProxy : 0;
  return out;
}

Way way_of(const Endpoint& endpoint) {
  const bool proxy = endpoint.socket == kByProxy;
  switch (endpoint.transport) {
    case Transport::udp: return Way::udp;
    case Transport::tls: return proxy ? Way::tls_by_proxy : Way::tls;
    case Transport::tcp: break;
  }
  if (proxy) return Way::tcp_by_proxy;
  return endpoint.port == kWebPort ? Way::web : Way::tcp;
}

std::vector<Endpoint> all_ways(const Ways& ways, const Endpoint& supernode, std::optional<Way> favourite) {
  const bool named = is_placeholder(supernode.ip);
  std::vector<Endpoint> out;
  if (!named) out.push_back(by(Way::udp, supernode));
  if (!ways.tcp) return out;
  std::vector<Way> streams;
  if (!named) streams.push_back(Way::tcp);
  if (!named && !supernode.ip.is_loopback()) streams.insert(streams.end(), {Way::tls, Way::web});
  if (ways.proxy && !supernode.ip.is_loopback()) streams.insert(streams.end(), {Way::tls_by_proxy, Way::tcp_by_proxy});
  std::stable_partition(streams.begin(), streams.end(), [&](Way way) { return way == favourite; });
  for (const auto way : streams) {
    const auto at = by(way, supernode);
    if (std::find(out.begin(), out.end(), at) == out.end()) out.push_back(at);
  }
  return out;
}

bool leads_to(const Endpoint& endpoint, const Endpoint& supernode) {
  return endpoint.ip == supernode.ip && (endpoint.port == supernode.port || of_convention(endpoint));
}

Endpoint home_of(const Endpoint& heard, const Endpoint& told) {
  Endpoint out = by(Way::udp, is_placeholder(heard.ip) ? told : heard);
  if (of_convention(heard) && told.port != 0) out.port = told.port;
  return out;
}

}  // namespace linnet::overlay
