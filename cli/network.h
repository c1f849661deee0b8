// `linnet netcheck` and `linnet ping`: the network in front of this node, and the way to somebody.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int netcheck(const Context& context, const verb::Netcheck& options);
int ping(const Context& context, const verb::Ping& options);

// The object of the daemon, progress told to a person meanwhile.
io::Outcome<nlohmann::ordered_json> ask_network(const Context& context);

// "IPv4   port-restricted: mapping endpoint-independent, ...; seen as 203.0.113.9:4400"
std::string family_text(const nlohmann::json& family);
// How long the NAT keeps an unused mapping, of "binding" in status and netcheck, and what follows from it.
std::string binding_text(const nlohmann::json& found);
// "right, ...", "7 s behind 3 supernodes"; "?" while nobody has told the time.
std::string told_clock_text(const nlohmann::json& found);
// "203.0.113.9:4400 by nat-pmp"; says when nobody came in by it.
std::string mapped_text(const nlohmann::json& port);
// A line for each supernode: "198.51.100.1:4400  UDP 12.1 ms  TCP 13.0 ms  443 no answer  TLS no answer".
std::string reach_text(const nlohmann::json& relay);

}  // namespace linnet::cli
