#include "node/io/reserve.h"

#include <array>
#include <cstdlib>
#include <new>

namespace linnet::io {
namespace {

// Where a new-handler finds it: it is a plain function.
std::array<void*, MemoryReserve::kBlocks> reserved{};
bool standing = false;
bool used = false;

}  // namespace

MemoryReserve::MemoryReserve() {
  standing = used = true;
  refill();
  std::set_new_handler(&MemoryReserve::give);
}

MemoryReserve::~MemoryReserve() {
  std::set_new_handler(nullptr);
  standing = used = false;
  for (auto& block : reserved) {
    std::free(block);
    block = nullptr;
  }
}

void MemoryReserve::give() {
  for (auto& block : reserved) {
    if (block == nullptr) continue;
    std::free(block);
    block = nullptr;
    used = true;
    return;
  }
  throw std::bad_alloc();
}

void MemoryReserve::refill() {
  if (!used || !standing) return;
  used = false;
  for (auto& block : reserved)
    if (block == nullptr && (block = std::malloc(kBlock)) == nullptr) used = true;
}

std::size_t MemoryReserve::blocks() const {
  std::size_t n = 0;
  for (const auto* block : reserved) n += block != nullptr ? 1 : 0;
  return n;
}

}  // namespace linnet::io
