#include "crypto/digest.h"

#include <openssl/evp.h>

#include <memory>
#include <new>

#include "crypto/sodium.h"

namespace linnet::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

// Looked up once: a lookup costs more than the digest of a small message.
const EVP_MD* fetched_sha1() {
  static EVP_MD* sha1 = nullptr;
  if (sha1 == nullptr) sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  if (sha1 == nullptr) throw std::bad_alloc();  // once there is memory it is asked for again
  return sha1;
}

template <std::size_t N>
bool digest(const EVP_MD* kind, std::initializer_list<ByteView> parts, ByteArray<N>& out) {
  const Context context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex(context.get(), kind, nullptr) != 1) return false;
  for (const auto part : parts) (void)EVP_DigestUpdate(context.get(), part.data(), part.size());
  return EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1;
}

}  // namespace

Result<Md5> md5(std::initializer_list<ByteView> parts) {
  static EVP_MD* const kind = EVP_MD_fetch(nullptr, "MD5", nullptr);
  Md5 out{};
  if (kind == nullptr || !digest(kind, parts, out)) return fail(Fault::unsupported);
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
  const std::uint8_t none = 0;  // an empty key needs an address too
  const Key held(EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nullptr, key.empty() ? &none : key.data(), key.size()));
  const Context context(EVP_MD_CTX_new());
  Sha1 out{};
  std::size_t size = out.size();
  bool done = held && context && EVP_DigestSignInit(context.get(), nullptr, fetched_sha1(), nullptr, held.get()) == 1;
  for (const auto part : parts) done = done && EVP_DigestSignUpdate(context.get(), part.data(), part.size()) == 1;
  // Nothing else can go wrong here, and a digest that was not made must not be compared with anything.
  if (!done || EVP_DigestSignFinal(context.get(), out.data(), &size) != 1) throw std::bad_alloc();
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
