// Supernodes of one network prefix share the leading bits of their positions (contact.h): they stand at one place. Who
// has many addresses of a few prefixes has few places, so wherever a few of the nearest are picked, each place counts
// once before any counts twice.
//
// Seen from any target, those of one place are neighbours in the order of distance. Where positions follow from keys
// alone (private networks) no two share so many bits but by chance, and nothing here changes anything.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "dht/id.h"

namespace linnet::dht {

inline constexpr int kPlaceBits = 21;  // as many as BEP 42 takes from the prefix

// Of two leads of positions, or of their distances to one target.
inline bool one_place(std::uint64_t a, std::uint64_t b) { return (a ^ b) >> (64 - kPlaceBits) == 0; }
inline bool one_place(const Id& a, const Id& b) { return one_place(lead(a), lead(b)); }

// `nearest_first`: sorted by distance to one target; `lead(i)` of each. Afterwards the nearest of each place, by
// distance, and then the others, by distance. Returns how many places there are.
template <class T, class Lead>
std::size_t one_of_each_place_first(std::vector<T>& nearest_first, Lead lead) {
  const auto crowded = [&](std::size_t i) {
    return i > 0 && one_place(lead(nearest_first[i - 1]), lead(nearest_first[i]));
  };
  std::size_t others = 0;
  for (std::size_t i = 0; i < nearest_first.size(); ++i) others += crowded(i) ? 1 : 0;
  if (others == 0) return nearest_first.size();
  std::vector<T> out;
  out.reserve(nearest_first.size());
  for (const bool second : {false, true}) {
    for (std::size_t i = 0; i < nearest_first.size(); ++i) {
      if (crowded(i) == second) out.push_back(nearest_first[i]);
    }
  }
  nearest_first = std::move(out);
  return nearest_first.size() - others;
}

// Whether `self`, who is not in the list, would be among its first n; the list is as the function above leaves it,
// complete up to there. `position(i)`, i < size.
template <class Position>
bool among_first(const Id& target, const Id& self, std::size_t n, std::size_t size, Position position) {
  if (size < n) return true;
  bool crowded = false;       // somebody of our place is nearer
  bool last_is_first = true;  // of its place
  const Id& last = position(n - 1);
  for (std::size_t i = 0; i < n; ++i) {
    const Id& one = position(i);
    crowded = crowded || (one_place(one, self) && nearer(target, one, self));
    last_is_first = last_is_first && (i + 1 == n || !one_place(one, last));
  }
  if (crowded == last_is_first) return !crowded;  // the first of a place come before all others
  return nearer(target, self, last);
}

}  // namespace linnet::dht
