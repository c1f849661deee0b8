// The routers by which this machine reaches the Internet (netlink: rtnetlink(7)). The kernel is asked for the way to an
// address far away; nothing is sent there.
#pragma once

#include <vector>

#include "base/endpoint.h"

namespace linnet::io {

struct Gateway {
  IpAddress router;  // a link-local one with its scope
  IpAddress local;   // our own address on the way

  bool operator==(const Gateway&) const = default;
};

// At most one of each family; none where the way needs no router.
std::vector<Gateway> default_gateways();

}  // namespace linnet::io
