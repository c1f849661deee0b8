#include "media/sdes.h"

#include <string.h>  // explicit_bzero

#include <algorithm>

namespace linnet::media {

std::string_view suite_name(SrtpSuite suite) {
  return suite == SrtpSuite::aead_aes_256_gcm ? "AEAD_AES_256_GCM" : "AES_CM_128_HMAC_SHA1_80";
}

std::optional<SrtpSuite> suite_from_name(std::string_view name) {
  for (const auto suite : kSrtpSuites) {
    if (name == suite_name(suite)) return suite;
  }
  return std::nullopt;
}

std::size_t inline_key_size(SrtpSuite suite) { return suite == SrtpSuite::aead_aes_256_gcm ? 32 + 12 : 16 + 14; }

std::size_t srtp_overhead(SrtpSuite suite) { return suite == SrtpSuite::aead_aes_256_gcm ? 16 : 10; }

SrtpKey::~SrtpKey() { explicit_bzero(bytes_.data(), bytes_.size()); }

SrtpKey SrtpKey::random(SrtpSuite suite, Rng& rng) {
  SrtpKey key;
  key.suite_ = suite;
  key.size_ = inline_key_size(suite);
  rng.fill({key.bytes_.data(), key.size_});
  return key;
}

std::optional<SrtpKey> SrtpKey::from_inline(SrtpSuite suite, ByteView inline_key) {
  if (inline_key.size() != inline_key_size(suite)) return std::nullopt;
  SrtpKey key;
  key.suite_ = suite;
  key.size_ = inline_key.size();
  std::copy(inline_key.begin(), inline_key.end(), key.bytes_.begin());
  return key;
}

}  // namespace linnet::media
