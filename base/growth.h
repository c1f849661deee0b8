// How a table grows of which a node has many, or a machine many nodes: by an eighth, not by as much again. An element
// is moved eight times in the mean, and a sixteenth stands empty instead of a quarter.
#pragma once

#include <cstddef>
#include <vector>

namespace linnet {

template <class T>
void make_room_for_one(std::vector<T>& table) {
  if (table.size() == table.capacity()) table.reserve(table.size() + table.size() / 8 + 1);
}

}  // namespace linnet
