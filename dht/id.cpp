#include "dht/id.h"

#include "crypto/suite.h"

namespace linnet::dht {

Id distance(const Id& a, const Id& b) {
  Id out;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) out.bytes[i] = a.bytes[i] ^ b.bytes[i];
  return out;
}

Id salted_root(const crypto::UserKey& key) { return Id{crypto::hash256({view("linnet-1 salted root"), key}).bytes}; }

int common_prefix(const Id& a, const Id& b) {
  for (std::size_t i = 0; i < 4; ++i) {
    if (const auto x = word(a, i) ^ word(b, i); x != 0) return static_cast<int>(64 * i) + std::countl_zero(x);
  }
  return 256;
}

}  // namespace linnet::dht
