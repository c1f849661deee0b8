// The 256-bit key space and its XOR metric (Maymounkov, Mazieres: Kademlia, 2002).
#pragma once

#include <compare>

#include "crypto/keys.h"

namespace linnet::dht {

using Id = crypto::Bits256<struct IdTag>;

// Where further copies of a record lie, to be found when those around its key are silent or hostile: whoever picks his
// place beside a key is not beside this one.
Id salted_root(const crypto::UserKey& key);

inline Id id_of(const crypto::UserKey& key) { return Id{key.bytes}; }

// XOR distance; compares as a big-endian number.
Id distance(const Id& a, const Id& b);
// Number of leading bits that agree: 0..256.
int common_prefix(const Id& a, const Id& b);
// a nearer to target than b.
bool nearer(const Id& target, const Id& a, const Id& b);

}  // namespace linnet::dht
