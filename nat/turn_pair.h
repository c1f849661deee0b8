// Short-lived users of a TURN server: a name that says until when it is good, and the password that a secret makes of
// it (draft-uberti-behave-turn-rest-00, as coturn's --use-auth-secret and most web services have it). Whoever holds the
// secret makes such pairs; the server that holds it too checks them without having heard of anybody.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace linnet::nat::turn {

// Bytes of a secret at least: who was given one pair can try secrets against it at leisure.
inline constexpr std::size_t kLeastSecret = 16;
inline constexpr std::size_t kMostSecret = 256;

struct PairName {
  Wall until{};
  std::string_view who;  // NAME, or all of it where there is none

  bool operator==(const PairName&) const = default;
};

// "UNIXTIME", "UNIXTIME:NAME"; seconds.
std::string pair_name(Wall until, std::string_view name);
// Nothing: it is no name of this kind.
std::optional<PairName> read_pair_name(std::string_view username);
// base64(HMAC-SHA1(secret, username)).
std::string pair_password(std::string_view secret, std::string_view username);

}  // namespace linnet::nat::turn
