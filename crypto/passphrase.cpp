#include "crypto/passphrase.h"

#include "crypto/sodium.h"
#include "crypto/suite.h"

namespace linnet::crypto {
namespace {

constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kSum = 32;
constexpr std::size_t kHead = 4 + 8 + 16 + kNonce;  // behind the magic
static_assert(kNonce == 24 && kTag == 16 && crypto_pwhash_SALTBYTES == 16);
static_assert(LockCost::kLeastMemory >= crypto_pwhash_MEMLIMIT_MIN);

Hash256 locked_checksum(ByteView body) { return hash256({view("linnet-1 locked file"), body}); }

bool within_bounds(const LockCost& cost) {
  return cost.operations >= 1 && cost.operations <= LockCost::kMostOperations &&
         cost.memory >= LockCost::kLeastMemory && cost.memory <= LockCost::kMostMemory;
}

}  // namespace

Result<PassphraseKey> PassphraseKey::make(std::string_view passphrase, const ByteArray<16>& salt,
                                          const LockCost& cost) {
  ready();
  if (passphrase.empty() || passphrase.size() > kMaxPassphrase) return fail(Fault::refused);
  if (!within_bounds(cost)) return fail(Fault::too_big);
  PassphraseKey out(salt, cost);
  auto& key = out.key_.bytes();
  if (crypto_pwhash(key.data(), key.size(), passphrase.data(), passphrase.size(), salt.data(), cost.operations,
                    static_cast<std::size_t>(cost.memory), crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(Fault::full);
  return out;
}

Bytes PassphraseKey::lock(Rng& rng, std::string_view magic, ByteView plain) const {
  ready();
  Writer out(magic.size() + kHead + plain.size() + kTag + kSum);
  out.bytes(view(magic)).u32(cost_.operations).u64(cost_.memory).bytes(salt_);
  const auto nonce = rng.array<kNonce>();
  out.bytes(nonce);
  const auto head = copy(out.written());
  Bytes sealed(plain.size() + kTag);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(), plain.size(), head.data(),
                                             head.size(), nullptr, nonce.data(), key_.bytes().data());
  out.bytes(sealed);
  const auto sum = locked_checksum(out.written());
  out.bytes(sum);
  return out.take();
}

bool is_locked(std::string_view magic, ByteView file) {
  return file.size() >= magic.size() && text(file.first(magic.size())) == magic;
}

Result<Unlocked> unlock(std::string_view magic, ByteView file, std::string_view passphrase) {
  ready();
  if (file.size() < magic.size()) return fail(Fault::truncated);
  if (!is_locked(magic, file)) return fail(Fault::malformed);
  if (file.size() < magic.size() + kHead + kTag + kSum) return fail(Fault::truncated);
  const auto body = file.first(file.size() - kSum);
  if (!same(locked_checksum(body), file.last(kSum))) return fail(Fault::bad_mac);
  Reader in(body.subspan(magic.size()));
  LockCost cost;
  cost.operations = in.u32();
  cost.memory = in.u64();
  const auto salt = in.array<16>();
  const auto nonce = in.array<kNonce>();
  const auto head = body.first(magic.size() + kHead);
  const auto sealed = in.rest();
  auto key = PassphraseKey::make(passphrase, salt, cost);
  if (!key) return fail(key.error() == Fault::refused ? Fault::bad_key : key.error());
  Bytes plain(sealed.size() - kTag);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                                                 head.data(), head.size(), nonce.data(), key->key_.bytes().data()) != 0)
    return fail(Fault::bad_key);
  return Unlocked{std::move(plain), std::move(*key)};
}

}  // namespace linnet::crypto
