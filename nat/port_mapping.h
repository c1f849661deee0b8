// A port that a router in front of this machine opened for it, by whichever protocol it was asked, or unasked.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/endpoint.h"
#include "base/time.h"

namespace linnet::nat {

enum class MappedBy : std::uint8_t { pcp, nat_pmp, upnp, static_nat };

constexpr std::string_view to_string(MappedBy by) {
  switch (by) {
    case MappedBy::pcp: return "pcp";
    case MappedBy::nat_pmp: return "nat-pmp";
    case MappedBy::upnp: return "upnp";
    case MappedBy::static_nat: break;
  }
  return "static-nat";
}

struct PortMapping {
  MappedBy by{};
  std::uint16_t internal = 0;  // our own port
  Endpoint external;           // as the router says, with the transport; others are to reach us there
  Time until = kNever;         // the router keeps it so long; it is renewed before
  IpAddress local;             // our own address toward that router

  bool operator==(const PortMapping&) const = default;
  bool same_place_as(const PortMapping& other) const {
    return by == other.by && internal == other.internal && external == other.external && local == other.local;
  }
};

}  // namespace linnet::nat
