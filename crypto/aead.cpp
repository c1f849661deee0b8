#include "crypto/aead.h"

#include "crypto/sodium.h"

namespace linnet::crypto {
namespace {

static_assert(std::tuple_size_v<AeadNonce> == crypto_aead_chacha20poly1305_ietf_NPUBBYTES);
static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == 16);

// libsodium may be handed no null pointer, even for nothing.
std::uint8_t kNothing[1] = {0};

}  // namespace

ByteArray<16> aead_seal(const Secret& key, const AeadNonce& nonce, ByteView ad, MutableBytes text) {
  ready();
  ByteArray<16> tag;
  auto* at = text.empty() ? kNothing : text.data();
  crypto_aead_chacha20poly1305_ietf_encrypt_detached(at, tag.data(), nullptr, at, text.size(), ad.data(), ad.size(),
                                                     nullptr, nonce.data(), key.bytes().data());
  return tag;
}

bool aead_open(const Secret& key, const AeadNonce& nonce, ByteView ad, MutableBytes text, const ByteArray<16>& tag) {
  ready();
  auto* at = text.empty() ? kNothing : text.data();
  return crypto_aead_chacha20poly1305_ietf_decrypt_detached(at, nullptr, at, text.size(), tag.data(), ad.data(),
                                                            ad.size(), nonce.data(), key.bytes().data()) == 0;
}

}  // namespace linnet::crypto
