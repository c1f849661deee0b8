// What a fuzz target promises beyond not crashing.
#pragma once

#include <cstdlib>

namespace linnet::fuzz {

// A broken promise is a finding. Not an assert: release builds keep it.
inline void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace linnet::fuzz
