#include "nat/stun_auth.h"

#include "crypto/digest.h"
#include "crypto/suite.h"

namespace linnet::nat::stun {
namespace {

constexpr std::string_view kNonceCookie = "obMatJos2";
constexpr std::size_t kFeatureChars = 4;  // 24 bits
constexpr std::uint32_t kPasswordAlgorithms = 1;
constexpr std::uint32_t kUsernameAnonymity = 2;
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kColon = ":";

// Bytes 2 and 3 of a message that ends after `size` bytes.
ByteArray<2> length_field(std::size_t size) {
  const auto length = size - kHeaderBytes;
  return {static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)};
}

}  // namespace

Result<ByteArray<16>> long_term_key_md5(std::string_view username, std::string_view realm, std::string_view password) {
  return crypto::md5({view(username), view(kColon), view(realm), view(kColon), view(password)});
}

ByteArray<32> long_term_key_sha256(std::string_view username, std::string_view realm, std::string_view password) {
  return crypto::sha256({view(username), view(kColon), view(realm), view(kColon), view(password)});
}

ByteArray<32> userhash(std::string_view username, std::string_view realm) {
  return crypto::sha256({view(username), view(kColon), view(realm)});
}

ByteArray<20> integrity(ByteView before, ByteView key) {
  const auto length = length_field(before.size() + 4 + 20);
  return crypto::hmac_sha1(key, {before.first(2), length, before.subspan(4)});
}

ByteArray<32> integrity_sha256(ByteView before, ByteView key, std::size_t tag) {
  const auto length = length_field(before.size() + 4 + tag);
  return crypto::hmac_sha256(key, {before.first(2), length, before.subspan(4)});
}

bool integrity_holds(const Message& message, ByteView key) {
  const auto* a = message.attribute(Attr::message_integrity);
  if (a == nullptr || a->length != 20) return false;
  return crypto::same(integrity(message.bytes().first(a->offset - 4U), key), message.value(*a));
}

bool integrity_sha256_holds(const Message& message, ByteView key) {
  const auto* a = message.attribute(Attr::message_integrity_sha256);
  if (a == nullptr || a->length < 16 || a->length > 32 || a->length % 4 != 0) return false;
  const auto tag = integrity_sha256(message.bytes().first(a->offset - 4U), key, a->length);
  return crypto::same(ByteView(tag).first(a->length), message.value(*a));
}

std::string nonce_with(SecurityFeatures features, std::string_view rest) {
  const std::uint32_t bits =
      (features.password_algorithms ? kPasswordAlgorithms : 0) | (features.username_anonymity ? kUsernameAnonymity : 0);
  std::string out(kNonceCookie);
  for (std::size_t i = kFeatureChars; i-- > 0;) out += kBase64[bits >> (6 * i) & 63];
  out += rest;
  return out;
}

std::optional<SecurityFeatures> features_of(std::string_view nonce) {
  if (!nonce.starts_with(kNonceCookie) || nonce.size() < kNonceCookie.size() + kFeatureChars) return std::nullopt;
  std::uint32_t bits = 0;
  for (const char c : nonce.substr(kNonceCookie.size(), kFeatureChars)) {
    const auto digit = kBase64.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
  }
  return SecurityFeatures{(bits & kPasswordAlgorithms) != 0, (bits & kUsernameAnonymity) != 0};
}

}  // namespace linnet::nat::stun
