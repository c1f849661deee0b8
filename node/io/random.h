// The operating system's randomness, through libsodium.
#pragma once

#include "base/rng.h"

namespace linnet::io {

class SystemRng final : public Rng {
 public:
  SystemRng();  // std::runtime_error when the system has no randomness to give
  void fill(MutableBytes out) override;
};

}  // namespace linnet::io
