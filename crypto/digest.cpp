#include "crypto/digest.h"

#include <openssl/evp.h>

#include <memory>

#include "crypto/keys.h"
#include "crypto/sodium.h"

namespace linnet::crypto {
namespace {

constexpr std::size_t kSha1Block = 64;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

// Looked up once: a lookup costs more than the digest of a small message.
const EVP_MD* fetched_sha1() {
  static EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  if (sha1 == nullptr) std::abort();  // no primitives, no program
  return sha1;
}

template <std::size_t N>
bool digest(const EVP_MD* kind, ByteView first, std::initializer_list<ByteView> parts, ByteArray<N>& out) {
  const Context context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex(context.get(), kind, nullptr) != 1) return false;
  (void)EVP_DigestUpdate(context.get(), first.data(), first.size());
  for (const auto part : parts) (void)EVP_DigestUpdate(context.get(), part.data(), part.size());
  return EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1;
}

Sha1 sha1(ByteView first, std::initializer_list<ByteView> parts) {
  Sha1 out{};
  if (!digest(fetched_sha1(), first, parts, out)) std::abort();
  return out;
}

}  // namespace

Result<Md5> md5(std::initializer_list<ByteView> parts) {
  static EVP_MD* const kind = EVP_MD_fetch(nullptr, "MD5", nullptr);
  Md5 out{};
  if (kind == nullptr || !digest(kind, {}, parts, out)) return fail(Fault::unsupported);
  return out;
}

Sha256 sha256(std::initializer_list<ByteView> parts) {
  ready();
  Sha256 out{};
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const auto part : parts) crypto_hash_sha256_update(&state, part.data(), part.size());
  crypto_hash_sha256_final(&state, out.data());
  return out;
}

Sha1 hmac_sha1(ByteView key, std::initializer_list<ByteView> parts) {
  Sha1 short_key{};
  if (key.size() > kSha1Block) {
    short_key = sha1(key, {});
    key = short_key;
  }
  ByteArray<kSha1Block> inner_pad;
  ByteArray<kSha1Block> outer_pad;
  inner_pad.fill(0x36);
  outer_pad.fill(0x5c);
  for (std::size_t i = 0; i < key.size(); ++i) {
    inner_pad[i] ^= key[i];
    outer_pad[i] ^= key[i];
  }
  const auto out = sha1(outer_pad, {sha1(inner_pad, parts)});
  wipe(inner_pad);
  wipe(outer_pad);
  return out;
}

Sha256 hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  ready();
  Sha256 out{};
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  for (const auto part : parts) crypto_auth_hmacsha256_update(&state, part.data(), part.size());
  crypto_auth_hmacsha256_final(&state, out.data());
  return out;
}

}  // namespace linnet::crypto
