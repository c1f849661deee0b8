// Private to crypto/*.cpp: every file that calls libsodium calls this first.
#pragma once

#include <sodium.h>

#include <cstdlib>

namespace linnet::crypto {

// libsodium picks its implementations once; afterwards it is safe from any thread. Its random functions are never
// called.
inline void ready() {
  static const bool ok = sodium_init() >= 0;
  if (!ok) std::abort();  // no primitives, no program
}

}  // namespace linnet::crypto
