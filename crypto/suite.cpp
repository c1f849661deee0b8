#include "crypto/suite.h"

#include "crypto/sodium.h"

namespace linnet::crypto {

Hash256 hash256(std::initializer_list<ByteView> parts) {
  ready();
  Hash256 out;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, out.bytes.size());
  for (const auto part : parts) crypto_generichash_update(&state, part.data(), part.size());
  crypto_generichash_final(&state, out.bytes.data(), out.bytes.size());
  return out;
}

bool same(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

SigningPair Suite::signing_pair(const Secret& seed) const {
  ready();
  SigningPair out;
  out.seed = seed;
  ByteArray<crypto_sign_SECRETKEYBYTES> expanded;
  crypto_sign_seed_keypair(out.public_key.data(), expanded.data(), seed.bytes().data());
  wipe(expanded);
  return out;
}

DhPair Suite::static_pair(const Secret& seed) const {
  ready();
  DhPair out;
  out.secret = seed;
  crypto_scalarmult_base(out.public_key.bytes.data(), seed.bytes().data());
  return out;
}

void Suite::seal(const Secret& key, std::uint64_t nonce, ByteView ad, ByteView plain, Bytes& out) const {
  const auto at = out.size();
  out.resize(at + plain.size() + kTagBytes);
  const auto text = MutableBytes(out).subspan(at, plain.size());
  if (!plain.empty()) std::memcpy(text.data(), plain.data(), plain.size());
  const auto tag = seal_in_place(key, nonce, ad, text);
  std::memcpy(out.data() + at + plain.size(), tag.data(), tag.size());
}

}  // namespace linnet::crypto
