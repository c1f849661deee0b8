// Keys and hashes as types of their own: an account key never passes for a device key.
#pragma once

#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>

#include "base/bytes.h"

namespace linnet::crypto {

template <class Tag>
struct Bits256 {
  ByteArray<32> bytes{};

  auto operator<=>(const Bits256&) const = default;
  // Four words instead of a call of memcmp. Public values only: a Secret is compared by crypto::same.
  bool operator==(const Bits256& other) const {
    std::uint64_t a[4];
    std::uint64_t b[4];
    std::memcpy(a, bytes.data(), sizeof a);
    std::memcpy(b, other.bytes.data(), sizeof b);
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
  }
  operator ByteView() const { return bytes; }
};

using Hash256 = Bits256<struct HashTag>;
using AccountKey = Bits256<struct AccountTag>;  // AK, Ed25519: the person
using DeviceKey = Bits256<struct DeviceTag>;    // DK, Ed25519: one installed node, certified by AK
using SessionKey = Bits256<struct SessionTag>;  // SK, X25519: the Noise static key, signed by DK
using UserKey = Bits256<struct UserTag>;        // place of a name in the overlay
using NetworkId = Bits256<struct NetworkTag>;   // BLAKE2b-256 of the network's name
using Signature = ByteArray<64>;

// 32 secret bytes: wiped on destruction and on move.
class Secret {
 public:
  Secret() = default;
  explicit Secret(const ByteArray<32>& bytes) : bytes_(bytes) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  const ByteArray<32>& bytes() const { return bytes_; }
  ByteArray<32>& bytes() { return bytes_; }

 private:
  ByteArray<32> bytes_{};
};

// Overwrites memory in a way that no optimiser removes.
void wipe(MutableBytes bytes);

}  // namespace linnet::crypto

template <class Tag>
struct std::hash<linnet::crypto::Bits256<Tag>> {
  std::size_t operator()(const linnet::crypto::Bits256<Tag>& v) const noexcept {
    std::size_t out;  // the bytes are uniform already; the middle is out of reach of who grinds leading bits
    std::memcpy(&out, v.bytes.data() + 16, sizeof out);
    return out;
  }
};
