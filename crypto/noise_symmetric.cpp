#include <algorithm>
#include <cassert>
#include <string>

#include "crypto/noise.h"

namespace linnet::crypto::noise {
namespace {

void put(std::array<Secret, 2>& halves, const Hash512& whole) {
  std::copy_n(whole.begin(), 32, halves[0].bytes().begin());
  std::copy_n(whole.begin() + 32, 32, halves[1].bytes().begin());
}

// The whole of a chaining key for the length of one call.
struct Whole {
  explicit Whole(const std::array<Secret, 2>& halves) {
    std::copy_n(halves[0].bytes().begin(), 32, bytes.begin());
    std::copy_n(halves[1].bytes().begin(), 32, bytes.begin() + 32);
  }
  Whole(const Whole&) = delete;
  Whole& operator=(const Whole&) = delete;
  ~Whole() { wipe(bytes); }

  Hash512 bytes;
};

}  // namespace

SymmetricState::SymmetricState(const Suite& suite, std::string_view pattern) : suite_(&suite) {
  const auto name = "Noise_" + std::string(pattern) + "_25519_ChaChaPoly_BLAKE2b";
  if (name.size() <= hash_.size()) {
    std::copy(name.begin(), name.end(), hash_.begin());
  } else {
    hash_ = suite.hash512({view(name)});
  }
  put(chaining_key_, hash_);
}

void SymmetricState::mix_hash(ByteView data) { hash_ = suite_->hash512({hash_, data}); }

void SymmetricState::set_key(ByteView key) {
  std::copy_n(key.begin(), 32, key_.bytes().begin());
  nonce_ = 0;
  has_key_ = true;
}

void SymmetricState::mix_key(ByteView input) {
  std::array<Hash512, 2> out;
  suite_->hkdf(Whole(chaining_key_).bytes, input, out);
  put(chaining_key_, out[0]);
  set_key(out[1]);
  for (auto& o : out) wipe(o);
}

void SymmetricState::mix_key_and_hash(ByteView input) {
  std::array<Hash512, 3> out;
  suite_->hkdf(Whole(chaining_key_).bytes, input, out);
  put(chaining_key_, out[0]);
  mix_hash(out[1]);
  set_key(out[2]);
  for (auto& o : out) wipe(o);
}

void SymmetricState::encrypt_and_hash(ByteView plain, Bytes& out) {
  const auto at = out.size();
  if (has_key_) {
    suite_->seal(key_, nonce_++, hash_, plain, out);
  } else {
    append(out, plain);
  }
  mix_hash(ByteView(out).subspan(at));
}

Result<Bytes> SymmetricState::decrypt_and_hash(ByteView sealed) {
  auto out = copy(sealed);
  if (has_key_) {
    const auto plain = suite_->open_in_place(key_, nonce_, hash_, out);
    if (!plain) return fail(plain.error());
    ++nonce_;
    out.resize(plain->size());
  }
  mix_hash(sealed);
  return out;
}

std::array<Secret, 2> SymmetricState::split() const {
  std::array<Hash512, 2> keys;
  suite_->hkdf(Whole(chaining_key_).bytes, {}, keys);
  std::array<Secret, 2> out;
  for (std::size_t i = 0; i < 2; ++i) {
    std::copy_n(keys[i].begin(), 32, out[i].bytes().begin());
    wipe(keys[i]);
  }
  return out;
}

}  // namespace linnet::crypto::noise
