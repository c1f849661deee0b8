#include "node/io/random.h"

#include <sodium.h>

#include <stdexcept>

namespace linnet::io {

SystemRng::SystemRng() {
  if (sodium_init() < 0) throw std::runtime_error("the system gives no randomness");
}

void SystemRng::fill(MutableBytes out) { randombytes_buf(out.data(), out.size()); }

}  // namespace linnet::io
