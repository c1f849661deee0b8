#include "crypto/keys.h"

#include <sodium.h>

namespace linnet::crypto {

void wipe(MutableBytes bytes) { sodium_memzero(bytes.data(), bytes.size()); }

Secret::Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    bytes_ = other.bytes_;
    wipe(other.bytes_);
  }
  return *this;
}

Secret::~Secret() { wipe(bytes_); }

}  // namespace linnet::crypto
