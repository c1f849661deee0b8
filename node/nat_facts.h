// What is known of the network in front of this node: what its NAT does (RFC 4787, RFC 5780) and which supernodes are
// reached by what. In words that people and scripts read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nat/dial_back.h"
#include "nat/port_mapping.h"
#include "nat/probe.h"

namespace linnet::node {

// The short names. Without them: what was found is not enough to say.
enum class NatType : std::uint8_t {
  unknown = 0,
  none,             // no NAT, and whoever knows the address gets in
  firewall,         // no NAT; only who was sent to gets in
  full_cone,        // endpoint-independent mapping and filtering
  restricted,       // endpoint-independent mapping, address-dependent filtering
  port_restricted,  // endpoint-independent mapping, address- and port-dependent filtering
  symmetric,        // the mapping depends on the destination, whatever the filtering
  udp_blocked,
};

std::string_view to_string(NatType type);                // "full-cone", ...; "unknown"
std::string_view to_string(nat::Dependence dependence);  // "endpoint-independent", "address-dependent", ...
NatType type_of(const nat::ProbeReport& report);
// Whether a plain two-sided punch opens this pair (docs/protocol/traversal.md). Nothing when either is not known.
std::optional<bool> punches(NatType ours, NatType theirs);
// Whether a call of this pair, relayed at first, becomes direct by a search for ports (node/port_search.h), and how
// long that takes at the most when it succeeds.
bool searches(NatType ours, NatType theirs);
inline constexpr std::chrono::seconds kSearched{10};
// "symmetric" and so on; anything else is unknown.
NatType nat_type(std::string_view word);
// Why a call of this pair is relayed: "yours symmetric, theirs port-restricted". Empty when nothing is known of theirs.
std::string relayed_because(NatType ours, NatType theirs);

// One supernode, asked from a socket of its own.
struct Reach {
  Endpoint endpoint;
  std::optional<Duration> udp;     // round trip of a Binding request
  std::optional<Duration> tcp;     // until the connection stood; where TCP was tried
  std::optional<Duration> tcp443;  // likewise, at port 443
  std::optional<Duration> tls;     // until a handshake of TLS was over there
};

// What one run found out.
struct Probed {
  std::optional<nat::ProbeReport> v4, v6;  // nothing: nobody to ask in that family, or no socket
  std::vector<Reach> reach;
  bool tried_tcp = false;
  Duration took{};
};

// A port that a router opened for us.
struct OpenPort {
  Endpoint internal;  // our own, with the socket behind it
  Endpoint external;  // where it was proven to lead to us, else as the router says
  nat::MappedBy by{};
  std::optional<bool>
      reached;  // somebody came in by it: routers promise what they like. Nothing: it is our own address
  Time until = kNever;
  nat::Proof proof = nat::Proof::asking;

  bool operator==(const OpenPort&) const = default;
};

// Why it is not known that others come in by this port. Empty: they do.
std::string why_unproven(const OpenPort& port);

}  // namespace linnet::node
