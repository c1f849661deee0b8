// What binary heaps whose entries are told where they stand have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace linnet {

// The entry at `at` is new or has changed: it goes up or down to where it belongs, and the others into the holes that
// it leaves. `before(a, b)`: a belongs nearer the top. `place(i, entry)` writes heap[i] and tells the entry.
template <class Entry, class Before, class Place>
void settle(const std::vector<Entry>& heap, std::size_t at, Before before, Place place) {
  const Entry entry = heap[at];
  for (; at > 0 && before(entry, heap[(at - 1) / 2]); at = (at - 1) / 2) place(at, heap[(at - 1) / 2]);
  for (auto child = 2 * at + 1; child < heap.size(); child = 2 * at + 1) {
    if (child + 1 < heap.size() && before(heap[child + 1], heap[child])) ++child;
    if (!before(heap[child], entry)) break;
    place(at, heap[child]);
    at = child;
  }
  place(at, entry);
}

// Of a table whose free entries are a list, each with the number of the next: the first of them, or a new one.
template <class T>
std::uint32_t free_or_new(std::vector<T>& table, std::uint32_t& first_free, std::uint32_t none,
                          std::uint32_t T::*next) {
  if (first_free == none) {
    table.emplace_back();
    return static_cast<std::uint32_t>(table.size() - 1);
  }
  return std::exchange(first_free, table[first_free].*next);
}

}  // namespace linnet
