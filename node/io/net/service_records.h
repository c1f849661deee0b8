// DNS SRV (RFC 2782): where the supernodes of a domain are, `_linnet._udp.DOMAIN`. Through c-ares, since the system's
// resolver knows no such records; addresses are the system's to find.
#pragma once

#include <string>
#include <vector>

#include "base/rng.h"
#include "base/time.h"

namespace linnet::io {

struct ServiceRecord {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;
};

inline constexpr std::size_t kMaxServices = 8;  // of one domain: the first in order

// In the order in which they are to be tried: lowest priority first, within one by chance as their weights say. A
// target "." says that there is no such service: nothing is left.
std::vector<ServiceRecord> in_order(std::vector<ServiceRecord> records, Rng& rng);

// Waits at most `limit`; empty when there are none, or nobody answered. `servers`: "127.0.0.1:5353", for tests; empty:
// those of the system.
std::vector<ServiceRecord> find_services(const std::string& domain, Duration limit, const std::string& servers = {});

}  // namespace linnet::io
