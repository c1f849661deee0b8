// The findings of `linnet doctor`, one at a time: made of the daemon's objects alone, so that a test can make them too.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace linnet::cli {

enum class Level : std::uint8_t { ok, unknown, warn, fail };  // unknown: nobody could tell, for good or ill

struct Check {
  std::string name;
  Level level = Level::ok;
  std::string text;
  std::string remedy;  // the command, or what to do; empty: nothing is to be done
};

std::string_view to_string(Level level);
// For a person: "?" of what is not known.
std::string_view shown(Level level);

// Of `status --json` and of the object of netcheck.
std::vector<Check> check_node(const nlohmann::json& status, const nlohmann::json& network);
// Of an examination (node/examination.h) and our NAT's short name.
std::vector<Check> check_person(const nlohmann::json& examined, const std::string& our_nat);
// What a machine would be good for as a supernode.
struct Machine {
  unsigned cores = 0;
  double memory_gb = 0;
  std::string port_80, port_443;  // "free", "taken", "not allowed"
};
// `relay`: what `linnet relay status --json` says.
std::vector<Check> check_supernode(const Machine& machine, const nlohmann::json& status, const nlohmann::json& network,
                                   const nlohmann::json& relay);

}  // namespace linnet::cli
