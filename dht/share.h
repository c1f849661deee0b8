// Several supernodes walk to the same place for one who asks: each asks first whom no other asks (docs/protocol/dht.md).
#pragma once

#include <cstddef>

namespace linnet::dht {

struct Share {
  std::size_t which = 0;
  std::size_t of = 1;
  bool operator==(const Share&) const = default;
};

}  // namespace linnet::dht
