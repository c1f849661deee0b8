// Locking a file with a passphrase: Argon2id (RFC 9106, libsodium) makes the key, XChaCha20-Poly1305 seals.
//
// magic || operations u32 || memory u64 || salt 16 || nonce 24 || sealed || BLAKE2b-256 of all before it. Everything
// before the sealed part is authenticated with it. The checksum tells a damaged file from a wrong passphrase.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/rng.h"
#include "crypto/keys.h"

namespace linnet::crypto {

// What one guess costs. Bounds: a file from a stranger may not ask for more memory or time than these.
struct LockCost {
  std::uint32_t operations = 3;
  std::uint64_t memory = std::uint64_t{64} << 20;  // bytes

  static constexpr std::uint32_t kMostOperations = 16;
  static constexpr std::uint64_t kLeastMemory = 8192;
  static constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 30;
};

inline constexpr std::size_t kMaxPassphrase = 1024;

// A key made from a passphrase, kept so that a file can be written again without asking again.
class PassphraseKey {
 public:
  // Fault::refused: empty or too long; Fault::too_big: the cost is out of bounds; Fault::full: not enough memory.
  static Result<PassphraseKey> make(std::string_view passphrase, const ByteArray<16>& salt, const LockCost& cost);

  // Draws a nonce of 24 bytes.
  Bytes lock(Rng& rng, std::string_view magic, ByteView plain) const;

 private:
  friend Result<struct Unlocked> unlock(std::string_view magic, ByteView file, std::string_view passphrase);

  PassphraseKey(const ByteArray<16>& salt, const LockCost& cost) : salt_(salt), cost_(cost) {}

  ByteArray<16> salt_;
  LockCost cost_;
  Secret key_;
};

struct Unlocked {
  Bytes plain;  // wipe() it
  PassphraseKey key;
};

bool is_locked(std::string_view magic, ByteView file);
// Fault::truncated, malformed (no such magic), bad_mac (damaged), too_big (cost), full (memory), bad_key: the
// passphrase is wrong.
Result<Unlocked> unlock(std::string_view magic, ByteView file, std::string_view passphrase);

}  // namespace linnet::crypto
