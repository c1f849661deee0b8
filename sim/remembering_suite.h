// The shipped suite, which remembers its key agreements: the same pair of keys agrees on the same secret, so each is
// computed once. All else is done each time. For who seals often by few keys (sim/wire_check.h).
#pragma once

#include <unordered_map>

#include "crypto/suite.h"

namespace linnet::sim {

class RememberingSuite final : public crypto::Suite {
 public:
  static constexpr std::size_t kMost = 65'536;

  crypto::DhPair ephemeral_pair(const crypto::Secret& seed) const override {
    return remembered(pairs_, {seed.bytes(), {}}, [&] { return shipped_.ephemeral_pair(seed); });
  }
  Result<crypto::Secret> dh(const crypto::DhPair& mine, const crypto::SessionKey& theirs) const override {
    return remembered(agreed_, {mine.secret.bytes(), theirs.bytes}, [&] { return shipped_.dh(mine, theirs); });
  }

  crypto::Signature sign(const crypto::SigningPair& pair, ByteView message) const override {
    return shipped_.sign(pair, message);
  }
  bool verify(ByteView public_key, ByteView message, const crypto::Signature& signature) const override {
    return shipped_.verify(public_key, message, signature);
  }
  crypto::Mac seal_in_place(const crypto::Secret& key, std::uint64_t nonce, ByteView ad,
                            MutableBytes text) const override {
    return shipped_.seal_in_place(key, nonce, ad, text);
  }
  Result<MutableBytes> open_in_place(const crypto::Secret& key, std::uint64_t nonce, ByteView ad,
                                     MutableBytes sealed) const override {
    return shipped_.open_in_place(key, nonce, ad, sealed);
  }
  crypto::Hash512 hash512(std::initializer_list<ByteView> parts) const override { return shipped_.hash512(parts); }
  void hkdf(ByteView chaining_key, ByteView input, std::span<crypto::Hash512> outputs) const override {
    shipped_.hkdf(chaining_key, input, outputs);
  }
  crypto::Mac mac(ByteView key, std::initializer_list<ByteView> parts) const override {
    return shipped_.mac(key, parts);
  }

 private:
  struct Keys {
    ByteArray<32> secret{};
    ByteArray<32> point{};
    bool operator==(const Keys&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Keys& keys) const noexcept {
      std::uint64_t a;
      std::uint64_t b;
      std::memcpy(&a, keys.secret.data() + 8, sizeof a);
      std::memcpy(&b, keys.point.data() + 8, sizeof b);
      return static_cast<std::size_t>((a ^ (b << 1)) * 0x9e3779b97f4a7c15U);
    }
  };
  template <class Value>
  using Memory = std::unordered_map<Keys, Value, Hash>;

  template <class Value, class Make>
  static Value remembered(Memory<Value>& memory, const Keys& keys, Make make) {
    if (const auto at = memory.find(keys); at != memory.end()) return at->second;
    if (memory.size() >= kMost) memory.clear();
    return memory.emplace(keys, make()).first->second;
  }

  const crypto::Suite& shipped_ = crypto::shipped_suite();
  mutable Memory<crypto::DhPair> pairs_;
  mutable Memory<Result<crypto::Secret>> agreed_;
};

}  // namespace linnet::sim
