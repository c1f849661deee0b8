// What this thread asks of operator new, and what it has of it: counted where counted_new.h is in the program.
#pragma once

#include <cstddef>

namespace linnet::counted {

struct Asked {
  std::size_t times = 0;
  std::size_t bytes = 0;
  std::size_t held = 0;  // not given back yet, with what the allocator adds to it
};
inline thread_local Asked asked;

}  // namespace linnet::counted
