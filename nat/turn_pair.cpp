#include "nat/turn_pair.h"

#include <charconv>
#include <limits>

#include "base/base64.h"
#include "crypto/digest.h"

namespace linnet::nat::turn {

std::string pair_name(Wall until, std::string_view name) {
  auto out = std::to_string(seconds(until));
  if (!name.empty()) out.append(":").append(name);
  return out;
}

std::optional<PairName> read_pair_name(std::string_view username) {
  const auto colon = username.find(':');
  const auto digits = username.substr(0, colon);
  const auto name = colon == std::string_view::npos ? std::string_view() : username.substr(colon + 1);
  std::uint64_t until = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stopped, failed] = std::from_chars(digits.data(), end, until);
  if (digits.empty() || failed != std::errc() || stopped != end) return std::nullopt;
  if (until > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return PairName{Wall{static_cast<std::int64_t>(until)}, name.empty() ? username : name};
}

std::string pair_password(std::string_view secret, std::string_view username) {
  return to_base64(crypto::hmac_sha1(view(secret), {view(username)}));
}

}  // namespace linnet::nat::turn
