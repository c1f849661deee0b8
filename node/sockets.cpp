#include "node/sockets.h"

#include <algorithm>

namespace linnet::node {
namespace {

bool open(const IpAddress& ip) { return ip.is_unspecified() || ip == IpAddress::v4(0); }

bool same_reach(const IpAddress& a, const IpAddress& b) {
  return a.is_global() == b.is_global() && a.is_loopback() == b.is_loopback() && a.is_link_local() == b.is_link_local();
}

bool bound_at(std::span<const Endpoint> bound, const IpAddress& ip, std::uint16_t port) {
  return std::any_of(bound.begin(), bound.end(), [&](const Endpoint& e) { return e.ip == ip && e.port == port; });
}

// The first two addresses of that family, and the ports they are to have.
std::optional<AddressPair> two_addresses(std::span<const Endpoint> bound, bool v4) {
  std::optional<AddressPair> out;
  for (const auto& at : bound) {
    if (at.ip.is_v4() != v4 || open(at.ip) || at.port == 0) continue;
    if (!out) {
      out = AddressPair{at, {}};
    } else if (at.ip != out->primary.ip && same_reach(at.ip, out->primary.ip)) {
      out->other = at;
      break;
    }
  }
  if (!out || out->other.port == 0) return std::nullopt;
  if (out->other.port != out->primary.port) return out;
  // Both at one port: another that either has already, else the next one.
  const auto usable = [&](const Endpoint& e) {
    return (e.ip == out->primary.ip || e.ip == out->other.ip) && e.port != out->primary.port;
  };
  const auto second = std::find_if(bound.begin(), bound.end(), usable);
  const auto next = out->primary.port == 0xffff ? out->primary.port - 1 : out->primary.port + 1;
  out->other.port = second != bound.end() ? second->port : static_cast<std::uint16_t>(next);
  return out;
}

}  // namespace

std::optional<std::size_t> usual_socket(std::span<const Endpoint> bound, const IpAddress& to) {
  std::optional<std::size_t> any;
  for (std::size_t i = 0; i < bound.size(); ++i) {
    const auto& at = bound[i].ip;
    if (at.is_v4() != to.is_v4()) continue;
    if (open(at) || at.is_loopback() == to.is_loopback()) return i;
    if (!any) any = i;
  }
  return any;
}

std::optional<std::size_t> socket_of(std::span<const Endpoint> bound, const Endpoint& from) {
  if (from.socket == 0) return usual_socket(bound, from.ip);
  return from.socket <= bound.size() ? std::optional<std::size_t>(from.socket - 1U) : std::nullopt;
}

std::optional<AddressPair> discovery_pair(std::span<const Endpoint> bound, bool v4) {
  const auto pair = two_addresses(bound, v4);
  const bool whole = pair && bound_at(bound, pair->primary.ip, pair->other.port) &&
                     bound_at(bound, pair->other.ip, pair->primary.port) &&
                     bound_at(bound, pair->other.ip, pair->other.port);
  return whole ? pair : std::nullopt;
}

std::vector<Endpoint> missing_for_discovery(std::span<const Endpoint> bound, bool v4) {
  std::vector<Endpoint> out;
  const auto pair = two_addresses(bound, v4);
  if (!pair) return out;
  for (const auto& ip : {pair->primary.ip, pair->other.ip}) {
    for (const auto port : {pair->primary.port, pair->other.port})
      if (!bound_at(bound, ip, port)) out.push_back({ip, port});
  }
  return out;
}

}  // namespace linnet::node
