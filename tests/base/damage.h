// What a message becomes on a bad way, or in bad hands: each of its truncations, and each single bit of it flipped
// (security.md, check 3).
#pragma once

#include "base/bytes.h"

namespace linnet::damage {

// f(shorter), from nothing to all but one byte.
template <class F>
void each_truncation(ByteView whole, F f) {
  for (std::size_t n = 0; n < whole.size(); ++n) f(ByteView(copy(whole.first(n))));
}

// f(flipped, bit): of its own, so that it may be written to.
template <class F>
void each_flipped_bit(ByteView whole, F f) {
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = copy(whole);
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    f(flipped, bit);
  }
}

}  // namespace linnet::damage
