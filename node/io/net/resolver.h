// Names of bootstrap nodes into endpoints. Numeric ones take no time; DNS runs on threads of its own, with a bound.
#pragma once

#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"

namespace linnet::io {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
// "host:port", "1.2.3.4:4400", "[::1]:4400". The port is required.
std::optional<HostPort> parse_host_port(std::string_view text);

struct Resolved {
  std::vector<Endpoint> endpoints;
  std::vector<std::string> failed;  // as given
};
// Waits at most `limit` for all of them together.
Resolved resolve(const std::vector<std::string>& names, Duration limit);

}  // namespace linnet::io
