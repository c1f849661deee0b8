// What people call: user@domain, in one canonical form made by one function (protocol.md section 1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/keys.h"

namespace linnet::crypto {

inline constexpr std::size_t kMaxUserPart = 64;
inline constexpr std::size_t kMaxDomain = 253;
inline constexpr std::string_view kKeyNameSuffix = ".linnet.alt";  // RFC 9476

class Address {
 public:
  Address() = default;
  // Accepts "user@domain" and "sip:user@domain"; percent escapes of the user part are undone, both parts put into lower
  // case (ASCII), one dot at the end of the domain dropped. The user part holds RFC 3261's characters and UTF-8;
  // nothing that cannot be seen. Refused: empty parts, control characters, white space, a second '@', a '%' that would
  // stay, labels that are no host name (IP addresses too), bad UTF-8, and names under linnet.alt that are no key name:
  // a mistyped key must not become a plain name. Parsing the result gives the result.
  static Result<Address> parse(std::string_view text);
  // user@<52 base32 characters of BLAKE2b-256(AK)>.linnet.alt; empty when `user` is no user part.
  static Address key_name(std::string_view user, const AccountKey& account);
  static Address key_name(std::string_view user, const Hash256& key);  // of BLAKE2b-256(AK)

  const std::string& text() const { return text_; }  // canonical user@domain
  std::string_view user() const { return std::string_view(text_).substr(0, at_); }
  std::string_view domain() const { return std::string_view(text_).substr(at_ + 1); }
  bool empty() const { return text_.empty(); }

  bool is_key_name() const { return key_hash().has_value(); }
  // BLAKE2b-256(AK) that a key name carries.
  std::optional<Hash256> key_hash() const;
  // A key name is proved by the key alone.
  bool proves(const AccountKey& account) const;

  auto operator<=>(const Address&) const = default;

 private:
  std::string text_;
  std::size_t at_ = 0;
};

// BLAKE2b-256("linnet-1 user" || canonical address): the place of the name, and of its leaf, in the overlay.
UserKey user_key(const Address& address);
// BLAKE2b-256 of the network's name; "linnet" by default.
NetworkId network_id(std::string_view name);

}  // namespace linnet::crypto
