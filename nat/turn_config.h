// What a TURN server is told at start.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nat/turn_policy.h"

namespace linnet::nat::turn {

struct User {
  std::string name;  // at most 508 bytes
  std::string password;

  bool operator==(const User&) const = default;
};

struct Limits {
  std::size_t total = 2048;  // allocations
  std::size_t per_user = 512;
  std::size_t per_prefix = 256;   // of a /24 or /48 of clients. Loopback is exempt
  std::size_t reservations = 64;  // ports kept for who asked for a pair
};

// What may still be relayed in this month, shared with whatever else is counted into it: the owner fills it anew.
struct Allowance {
  std::optional<std::uint64_t> bytes;  // none: as much as there is

  bool spent() const { return bytes == 0U; }
  // False: not so much.
  bool take(std::size_t n) {
    if (!bytes) return true;
    if (*bytes < n) return false;
    *bytes -= n;
    return true;
  }
};

struct ServerConfig {
  std::string realm = "linnet";
  std::vector<User> users;
  std::string secret;  // whoever has a pair made with it is a user too (turn_pair.h); empty: nobody
  Policy policy;
  Limits limits;
  bool v4 = true;  // families that relayed addresses can be had of
  bool v6 = false;
  Allowance* allowance = nullptr;  // outlives the server; null: none
};

}  // namespace linnet::nat::turn
