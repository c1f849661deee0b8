// Who sent a STUN message: keys, MESSAGE-INTEGRITY and its SHA-256 successor, and the nonce's cookie (RFC 8489, section
// 9). User names, realms and passwords come prepared (OpaqueString, RFC 8265); for ASCII that changes nothing.
#pragma once

#include <string>

#include "nat/stun_message.h"

namespace linnet::nat::stun {

// Long-term keys (section 9.2.2). Fault::unsupported: no MD5 on this machine. The short-term key is the password
// itself.
Result<ByteArray<16>> long_term_key_md5(std::string_view username, std::string_view realm, std::string_view password);
ByteArray<32> long_term_key_sha256(std::string_view username, std::string_view realm, std::string_view password);
// The value of USERHASH (section 14.4).
ByteArray<32> userhash(std::string_view username, std::string_view realm);

// False also when the attribute is not there. The second takes truncated tags of 16 bytes and more (section 14.6).
bool integrity_holds(const Message& message, ByteView key);
bool integrity_sha256_holds(const Message& message, ByteView key);

// The tag of `before`: a header and attributes, to whose length field the attribute of `length` bytes is added.
ByteArray<20> integrity(ByteView before, ByteView key);
ByteArray<32> integrity_sha256(ByteView before, ByteView key, std::size_t length = 32);

// What the server's nonce says it can do, so that nobody on the way takes it out of a 401 (section 9.2).
struct SecurityFeatures {
  bool password_algorithms = false;
  bool username_anonymity = false;

  bool operator==(const SecurityFeatures&) const = default;
};
// "obMatJos2", the features in base64, then `rest`.
std::string nonce_with(SecurityFeatures features, std::string_view rest);
// Nothing when the nonce has no such cookie.
std::optional<SecurityFeatures> features_of(std::string_view nonce);

}  // namespace linnet::nat::stun
