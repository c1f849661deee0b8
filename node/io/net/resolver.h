// Names of bootstrap nodes into endpoints. Numeric ones take no time; DNS runs on threads of its own, with a bound. The
// addresses of a name stand in the order of RFC 6724, which the system's resolver sorts them by, families mixed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"
#include "node/io/net/service_records.h"

namespace linnet::io {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
// "host:port", "1.2.3.4:4400", "[::1]:4400". The port is required.
std::optional<HostPort> parse_host_port(std::string_view text);

// "home.example": a domain, whose SRV records say where its supernodes are (service_records.h). Not "10.0.0.1".
bool is_domain(std::string_view text);

struct Resolved {
  std::vector<Endpoint> endpoints;
  std::vector<std::string> failed;  // as given
};
using FindServices = std::function<std::vector<ServiceRecord>(const std::string& domain, Duration limit)>;
// Waits at most `limit` for all of them together. Of a domain without such records the domain itself is tried, at
// kPort. The other one asks the system's name servers.
Resolved resolve(const std::vector<std::string>& names, Duration limit, FindServices services);
Resolved resolve(const std::vector<std::string>& names, Duration limit);

}  // namespace linnet::io
