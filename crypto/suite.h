// The primitives behind every protocol, injected. `shipped_suite()` is libsodium; `typed_suite()` are stand-ins of
// equal sizes and equal decisions for the simulator (--wire typed). Hashes that decide a place in the overlay are the
// same in both.
#pragma once

#include <initializer_list>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/keys.h"

namespace linnet::crypto {

inline constexpr std::size_t kTagBytes = 16;

using Hash512 = ByteArray<64>;
using Mac = ByteArray<16>;

// Ed25519 pair from a 32-byte seed (RFC 8032).
struct SigningPair {
  Secret seed;
  ByteArray<32> public_key{};
};

// X25519 pair (RFC 7748).
struct DhPair {
  Secret secret;
  SessionKey public_key;
};

// BLAKE2b-256 over the concatenation of the parts (RFC 7693). Not virtual: routing decisions rest on it.
Hash256 hash256(std::initializer_list<ByteView> parts);

class Suite {
 public:
  virtual ~Suite() = default;

  // Long-lived pairs are real in both suites: positions are hashes of public keys.
  SigningPair signing_pair(const Secret& seed) const;
  DhPair static_pair(const Secret& seed) const;

  virtual DhPair ephemeral_pair(const Secret& seed) const = 0;
  virtual Signature sign(const SigningPair& pair, ByteView message) const = 0;
  virtual bool verify(ByteView public_key, ByteView message, const Signature& signature) const = 0;
  // Refuses low-order points (all-zero result) with Fault::bad_key.
  virtual Result<Secret> dh(const DhPair& mine, const SessionKey& theirs) const = 0;

  // ChaCha20-Poly1305 (RFC 8439) with Noise's nonce: 32 zero bits, then the 64-bit counter in little-endian.
  // `seal_in_place` encrypts `text` and returns its tag.
  virtual Mac seal_in_place(const Secret& key, std::uint64_t nonce, ByteView ad, MutableBytes text) const = 0;
  // Appends plain.size() + 16 bytes to `out`. Neither `plain` nor `ad` may point into `out`.
  void seal(const Secret& key, std::uint64_t nonce, ByteView ad, ByteView plain, Bytes& out) const;
  // `sealed` holds the text and the tag; on success the plain text stands in its place, without the tag.
  // Fault::bad_mac: the contents of `sealed` are then worthless.
  virtual Result<MutableBytes> open_in_place(const Secret& key, std::uint64_t nonce, ByteView ad,
                                             MutableBytes sealed) const = 0;

  // BLAKE2b-512, and Noise's HKDF over HMAC-BLAKE2b (Noise specification rev 34, section 4.3). Two or three outputs of
  // 64 bytes.
  virtual Hash512 hash512(std::initializer_list<ByteView> parts) const = 0;
  virtual void hkdf(ByteView chaining_key, ByteView input, std::span<Hash512> outputs) const = 0;
  // Keyed BLAKE2b-128 over the concatenation of the parts: mac1, mac2, cookies.
  virtual Mac mac(ByteView key, std::initializer_list<ByteView> parts) const = 0;
};

const Suite& shipped_suite();
const Suite& typed_suite();

// Constant-time comparison.
bool same(ByteView a, ByteView b);

}  // namespace linnet::crypto
