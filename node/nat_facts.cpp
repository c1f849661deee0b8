#include "node/nat_facts.h"

namespace linnet::node {

using nat::Dependence;

std::string_view to_string(NatType type) {
  switch (type) {
    case NatType::none: return "none";
    case NatType::firewall: return "firewall";
    case NatType::full_cone: return "full-cone";
    case NatType::restricted: return "restricted";
    case NatType::port_restricted: return "port-restricted";
    case NatType::symmetric: return "symmetric";
    case NatType::udp_blocked: return "udp-blocked";
    case NatType::unknown: break;
  }
  return "unknown";
}

std::string_view to_string(Dependence dependence) {
  switch (dependence) {
    case Dependence::endpoint_independent: return "endpoint-independent";
    case Dependence::address: return "address-dependent";
    case Dependence::address_and_port: return "address-and-port-dependent";
    case Dependence::unknown: break;
  }
  return "unknown";
}

NatType type_of(const nat::ProbeReport& report) {
  if (!report.mapped) return NatType::unknown;
  const bool open = report.filtering == Dependence::endpoint_independent;
  const bool known = report.filtering != Dependence::unknown;
  if (!report.nat) return !known ? NatType::unknown : open ? NatType::none : NatType::firewall;
  if (report.mapping == Dependence::unknown) return NatType::unknown;
  if (report.mapping != Dependence::endpoint_independent) return NatType::symmetric;
  if (!known) return NatType::unknown;
  if (open) return NatType::full_cone;
  return report.filtering == Dependence::address ? NatType::restricted : NatType::port_restricted;
}

std::optional<bool> punches(NatType ours, NatType theirs) {
  if (ours == NatType::udp_blocked || theirs == NatType::udp_blocked) return false;
  if (ours == NatType::unknown || theirs == NatType::unknown) return std::nullopt;
  if (ours != NatType::symmetric && theirs != NatType::symmetric) return true;
  const auto other = ours == NatType::symmetric ? theirs : ours;
  // Whose filter looks at ports, or who has another port for everybody, does not hear the port that nobody can know.
  return other == NatType::none || other == NatType::full_cone || other == NatType::restricted;
}

bool searches(NatType ours, NatType theirs) {
  if ((ours == NatType::symmetric) == (theirs == NatType::symmetric)) return false;
  const auto other = ours == NatType::symmetric ? theirs : ours;
  return other == NatType::port_restricted || other == NatType::firewall;
}

NatType nat_type(std::string_view word) {
  for (auto i = static_cast<int>(NatType::unknown); i <= static_cast<int>(NatType::udp_blocked); ++i) {
    if (to_string(static_cast<NatType>(i)) == word) return static_cast<NatType>(i);
  }
  return NatType::unknown;
}

std::string why_unproven(const OpenPort& port) {
  if (port.reached.value_or(true)) return {};
  const auto at = port.external.to_string();
  if (port.proof == nat::Proof::asking) return "supernodes are being asked to come in by " + at;
  if (port.proof == nat::Proof::nobody) return "no supernode is known that could come in by " + at;
  if (!port.external.ip.is_global())
    return "nobody came in by " + at + ": the router is behind another NAT, its own address is not a public one";
  if (port.proof == nat::Proof::seen_there)
    return "every supernode that was asked sees this node at " + at + " anyway, which proves nothing";
  return "nobody came in by " + at + ", which the router promised";
}

std::string relayed_because(NatType ours, NatType theirs) {
  if (theirs == NatType::unknown && ours != NatType::udp_blocked) return {};
  const auto word = [](NatType type) {
    return type == NatType::unknown ? std::string("?") : std::string(to_string(type));
  };
  return "yours " + word(ours) + ", theirs " + word(theirs);
}

}  // namespace linnet::node
