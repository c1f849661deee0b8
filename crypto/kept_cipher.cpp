#include "crypto/kept_cipher.h"

#include <openssl/evp.h>

#include <algorithm>

namespace linnet::crypto {
namespace {

constexpr std::size_t kAesNonce = 12, kAesTag = 16, kAesBlock = 16;

// Looked up once: libcrypto searches its providers for each name it is given.
const EVP_CIPHER* fetched(KeptAes::Mode mode, std::size_t key_size) {
  static EVP_CIPHER* const gcm128 = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  static EVP_CIPHER* const gcm256 = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  static EVP_CIPHER* const ctr128 = EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr);
  static EVP_CIPHER* const ctr256 = EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr);
  const bool gcm = mode == KeptAes::Mode::gcm;
  if (key_size == 16) return gcm ? gcm128 : ctr128;
  if (key_size == 32) return gcm ? gcm256 : ctr256;
  return nullptr;
}

EVP_MAC* fetched_hmac() {
  static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return hmac;
}

int length_of(ByteView bytes) { return static_cast<int>(bytes.size()); }

}  // namespace

void KeptAes::Free::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }
void KeptHmacSha1::Free::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

std::optional<KeptAes> KeptAes::make(Mode mode, ByteView key) {
  const auto* cipher = fetched(mode, key.size());
  if (cipher == nullptr) return std::nullopt;
  KeptAes out;
  out.iv_size_ = mode == Mode::gcm ? kAesNonce : kAesBlock;
  out.context_.reset(EVP_CIPHER_CTX_new());
  if (!out.context_ || EVP_CipherInit_ex2(out.context_.get(), cipher, key.data(), nullptr, 1, nullptr) != 1)
    return std::nullopt;
  return out;
}

bool KeptAes::begin(ByteView iv, Way way) {
  if (iv.size() != iv_size_) return false;
  return EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, iv.data(), way == Way::seal ? 1 : 0, nullptr) == 1;
}

bool KeptAes::authenticate(ByteView part) {
  int done = 0;
  return iv_size_ == kAesNonce &&
         (part.empty() || EVP_CipherUpdate(context_.get(), nullptr, &done, part.data(), length_of(part)) == 1);
}

bool KeptAes::apply(MutableBytes text) {
  int done = 0;
  return text.empty() || (EVP_CipherUpdate(context_.get(), text.data(), &done, text.data(), length_of(text)) == 1 &&
                          done == length_of(text));
}

bool KeptAes::tag(MutableBytes tag) {
  if (iv_size_ != kAesNonce || tag.empty() || tag.size() > kAesTag) return false;
  int done = 0;
  return EVP_CipherFinal_ex(context_.get(), tag.data(), &done) == 1 &&
         EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, length_of(tag), tag.data()) == 1;
}

bool KeptAes::check(ByteView tag) {
  if (iv_size_ != kAesNonce || tag.empty() || tag.size() > kAesTag) return false;
  ByteArray<kAesTag> expected{};  // libcrypto takes no constant
  std::copy(tag.begin(), tag.end(), expected.begin());
  int done = 0;
  return EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, length_of(tag), expected.data()) == 1 &&
         EVP_CipherFinal_ex(context_.get(), expected.data(), &done) == 1;
}

std::optional<KeptHmacSha1> KeptHmacSha1::make(ByteView key) {
  if (fetched_hmac() == nullptr) return std::nullopt;
  KeptHmacSha1 out;
  out.context_.reset(EVP_MAC_CTX_new(fetched_hmac()));
  char digest[] = "SHA1", name[] = "digest";
  const OSSL_PARAM settings[] = {{name, OSSL_PARAM_UTF8_STRING, digest, sizeof digest - 1, OSSL_PARAM_UNMODIFIED},
                                 {nullptr, 0, nullptr, 0, 0}};
  const std::uint8_t none = 0;  // an empty key needs an address too
  if (!out.context_ || EVP_MAC_init(out.context_.get(), key.empty() ? &none : key.data(), key.size(), settings) != 1)
    return std::nullopt;
  // Providers before 3.0.3, FIPS modules of that time too, say that they began anew and go on (openssl issue 17811).
  ByteArray<kSize> once{}, again{};
  const ByteView message(&none, 1);
  if (!out.begin() || !out.add(message) || !out.tag(once) || !out.begin() || !out.add(message) || !out.tag(again) ||
      once != again)
    return std::nullopt;
  return out;
}

// Without a key: the one it has.
bool KeptHmacSha1::begin() { return EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1; }

bool KeptHmacSha1::add(ByteView part) {
  return part.empty() || EVP_MAC_update(context_.get(), part.data(), part.size()) == 1;
}

bool KeptHmacSha1::tag(MutableBytes tag) {
  ByteArray<kSize> whole{};
  std::size_t done = 0;
  if (tag.size() > kSize || EVP_MAC_final(context_.get(), whole.data(), &done, whole.size()) != 1 || done != kSize)
    return false;
  std::copy_n(whole.begin(), tag.size(), tag.begin());
  return true;
}

}  // namespace linnet::crypto
