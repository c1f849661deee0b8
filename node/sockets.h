// The UDP sockets that the driver bound, by the numbers that Endpoint::socket gives them: which of them is meant.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/endpoint.h"

namespace linnet::node {

// Numbers from here on are sockets that a search left (node/port_search.h): nobody is told of them, and each has one
// remote end.
inline constexpr std::uint8_t kFirstAdopted = 128;
inline constexpr std::size_t kMostAdopted = 16;

// Which one a datagram leaves by whose endpoint names none: the first of its family, loopback to loopback. Index from
// 0.
std::optional<std::size_t> usual_socket(std::span<const Endpoint> bound, const IpAddress& to);
// Where something came in that came from here.
std::optional<std::size_t> socket_of(std::span<const Endpoint> bound, const Endpoint& from);

// Two addresses and two ports that all have a socket: with them a server speaks RFC 5780. The first such pair of a
// family, never of the unspecified address, both of one reach (global, private or loopback).
struct AddressPair {
  Endpoint primary;
  Endpoint other;  // differs in address and in port
};
std::optional<AddressPair> discovery_pair(std::span<const Endpoint> bound, bool v4);
// The sockets that are missing for it, where there are two addresses.
std::vector<Endpoint> missing_for_discovery(std::span<const Endpoint> bound, bool v4);

}  // namespace linnet::node
