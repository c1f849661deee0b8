#include "dht/id.h"

#include <bit>

#include "crypto/suite.h"

namespace linnet::dht {

Id distance(const Id& a, const Id& b) {
  Id out;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) out.bytes[i] = a.bytes[i] ^ b.bytes[i];
  return out;
}

Id salted_root(const crypto::UserKey& key) { return Id{crypto::hash256({view("linnet-1 salted root"), key}).bytes}; }

int common_prefix(const Id& a, const Id& b) {
  for (std::size_t i = 0; i < a.bytes.size(); ++i) {
    const auto x = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
    if (x != 0) return static_cast<int>(8 * i) + std::countl_zero(x);
  }
  return 256;
}

bool nearer(const Id& target, const Id& a, const Id& b) {
  // The first byte in which a and b differ decides; the XOR with the target keeps them different.
  for (std::size_t i = 0; i < a.bytes.size(); ++i) {
    if (a.bytes[i] == b.bytes[i]) continue;
    return (a.bytes[i] ^ target.bytes[i]) < (b.bytes[i] ^ target.bytes[i]);
  }
  return false;
}

}  // namespace linnet::dht
