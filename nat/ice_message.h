// The Binding requests and answers of ICE (RFC 8445, section 7), with the short-term credentials of both sides.
#pragma once

#include <optional>
#include <string>

#include "base/rng.h"
#include "nat/ice_check_list.h"
#include "nat/stun_message.h"

namespace linnet::nat::ice {

// RFC 8839, section 5.4: ice-char, 4 to 256 and 22 to 256.
struct Credentials {
  std::string ufrag;
  std::string password;

  bool operator==(const Credentials&) const = default;
};
inline constexpr std::size_t kMaxUfrag = 256;

// 48 and 144 random bits.
Credentials make_credentials(Rng& rng);
bool sound(const Credentials& credentials);

struct Check {
  Role role{};
  std::uint64_t tie_breaker = 0;
  std::uint32_t priority = 0;  // of our address as the other side may see it
  bool use_candidate = false;
};

Bytes write_check(const stun::TransactionId& id, const Check& check, const Credentials& local,
                  const Credentials& remote);
Bytes write_success(const stun::Message& request, const Endpoint& from, const Credentials& local);
// Signed where the request was authentic, as 420 and 487 are.
Bytes write_error(const stun::Message& request, stun::ErrorCode code, const Credentials* local);

// What a request asks for, or why it is refused (section 7.3, RFC 8489 section 9.1.3).
struct Refusal {
  stun::ErrorCode code{};
  bool authentic = false;
};
tl::expected<Check, Refusal> read_check(const stun::Message& request, const Credentials& local);

// Whose the request is: what stands before the colon of its USERNAME.
std::optional<std::string_view> ufrag_of(const stun::Message& request);

}  // namespace linnet::nat::ice
