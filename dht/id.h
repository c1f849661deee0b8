// The 256-bit key space and its XOR metric (Maymounkov, Mazieres: Kademlia, 2002).
#pragma once

#include <bit>
#include <compare>

#include "crypto/keys.h"

namespace linnet::dht {

using Id = crypto::Bits256<struct IdTag>;

// Where further copies of a record lie, to be found when those around its key are silent or hostile: whoever picks his
// place beside a key is not beside this one.
Id salted_root(const crypto::UserKey& key);

inline Id id_of(const crypto::UserKey& key) { return Id{key.bytes}; }

// Bytes 8 i to 8 i + 7 as a number: what comparisons work on.
inline std::uint64_t word(const Id& id, std::size_t i) {
  std::uint64_t out;
  std::memcpy(&out, id.bytes.data() + 8 * i, sizeof out);
  return std::endian::native == std::endian::little ? __builtin_bswap64(out) : out;
}
inline std::uint64_t lead(const Id& id) { return word(id, 0); }

// XOR distance; compares as a big-endian number.
Id distance(const Id& a, const Id& b);
// Number of leading bits that agree: 0..256.
int common_prefix(const Id& a, const Id& b);
// a nearer to target than b.
inline bool nearer(const Id& target, const Id& a, const Id& b) {
  // The first word in which a and b differ decides; the XOR with the target keeps them different.
  for (std::size_t i = 0; i < 4; ++i) {
    const auto x = word(a, i);
    const auto y = word(b, i);
    if (x != y) return (x ^ word(target, i)) < (y ^ word(target, i));
  }
  return false;
}

}  // namespace linnet::dht
