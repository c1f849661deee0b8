// The suite that ships: libsodium.
#include <algorithm>
#include <cassert>

#include "crypto/aead.h"
#include "crypto/sodium.h"
#include "crypto/suite.h"

namespace linnet::crypto {
namespace {

constexpr std::size_t kBlake2bBlock = 128;

// 32 zero bits, then the counter in little-endian (Noise specification rev 34, section 12.3).
AeadNonce noise_nonce(std::uint64_t counter) {
  AeadNonce out{};
  for (std::size_t i = 0; i < 8; ++i) out[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  return out;
}

Hash512 blake2b_512(std::initializer_list<ByteView> parts) {
  Hash512 out;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, out.size());
  for (const auto part : parts) crypto_generichash_update(&state, part.data(), part.size());
  crypto_generichash_final(&state, out.data(), out.size());
  return out;
}

// HMAC (RFC 2104) over BLAKE2b with its block of 128 bytes. Keys here are at most 64 bytes.
Hash512 hmac(ByteView key, std::initializer_list<ByteView> parts) {
  assert(key.size() <= kBlake2bBlock);
  ByteArray<kBlake2bBlock> inner_pad;
  ByteArray<kBlake2bBlock> outer_pad;
  inner_pad.fill(0x36);
  outer_pad.fill(0x5c);
  for (std::size_t i = 0; i < key.size(); ++i) {
    inner_pad[i] ^= key[i];
    outer_pad[i] ^= key[i];
  }
  crypto_generichash_state state;
  Hash512 inner;
  crypto_generichash_init(&state, nullptr, 0, inner.size());
  crypto_generichash_update(&state, inner_pad.data(), inner_pad.size());
  for (const auto part : parts) crypto_generichash_update(&state, part.data(), part.size());
  crypto_generichash_final(&state, inner.data(), inner.size());
  const auto out = blake2b_512({outer_pad, inner});
  wipe(inner_pad);
  wipe(outer_pad);
  wipe(inner);
  return out;
}

class ShippedSuite final : public Suite {
 public:
  ShippedSuite() { ready(); }

  DhPair ephemeral_pair(const Secret& seed) const override { return static_pair(seed); }

  Signature sign(const SigningPair& pair, ByteView message) const override {
    // libsodium's 64-byte secret key is seed and public key side by side: nothing to derive again.
    ByteArray<crypto_sign_SECRETKEYBYTES> secret;
    std::copy_n(pair.seed.bytes().begin(), 32, secret.begin());
    std::copy_n(pair.public_key.begin(), 32, secret.begin() + 32);
    Signature out;
    crypto_sign_detached(out.data(), nullptr, message.data(), message.size(), secret.data());
    wipe(secret);
    return out;
  }

  bool verify(ByteView public_key, ByteView message, const Signature& signature) const override {
    return public_key.size() == crypto_sign_PUBLICKEYBYTES &&
           crypto_sign_verify_detached(signature.data(), message.data(), message.size(), public_key.data()) == 0;
  }

  Result<Secret> dh(const DhPair& mine, const SessionKey& theirs) const override {
    Secret out;
    if (crypto_scalarmult(out.bytes().data(), mine.secret.bytes().data(), theirs.bytes.data()) != 0) {
      return fail(Fault::bad_key);
    }
    return out;
  }

  Mac seal_in_place(const Secret& key, std::uint64_t nonce, ByteView ad, MutableBytes text) const override {
    return aead_seal(key, noise_nonce(nonce), ad, text);
  }

  Result<MutableBytes> open_in_place(const Secret& key, std::uint64_t nonce, ByteView ad,
                                     MutableBytes sealed) const override {
    if (sealed.size() < kTagBytes) return fail(Fault::truncated);
    const auto text = sealed.first(sealed.size() - kTagBytes);
    Mac tag;
    std::copy_n(sealed.end() - kTagBytes, kTagBytes, tag.begin());
    if (!aead_open(key, noise_nonce(nonce), ad, text, tag)) return fail(Fault::bad_mac);
    return text;
  }

  Hash512 hash512(std::initializer_list<ByteView> parts) const override { return blake2b_512(parts); }

  void hkdf(ByteView chaining_key, ByteView input, std::span<Hash512> outputs) const override {
    auto temporary = hmac(chaining_key, {input});
    std::uint8_t counter = 1;
    ByteView previous;
    for (auto& out : outputs) {
      out = hmac(temporary, {previous, ByteView(&counter, 1)});
      previous = out;
      ++counter;
    }
    wipe(temporary);
  }

  Mac mac(ByteView key, std::initializer_list<ByteView> parts) const override {
    assert(key.size() <= crypto_generichash_KEYBYTES_MAX);
    Mac out;
    crypto_generichash_state state;
    crypto_generichash_init(&state, key.data(), key.size(), out.size());
    for (const auto part : parts) crypto_generichash_update(&state, part.data(), part.size());
    crypto_generichash_final(&state, out.data(), out.size());
    return out;
  }
};

}  // namespace

const Suite& shipped_suite() {
  static const ShippedSuite suite;
  return suite;
}

}  // namespace linnet::crypto
