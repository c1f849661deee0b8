// Counts what this thread asks of operator new (counted.h). It replaces the operators: one .cpp of a program includes
// it. A sanitizer keeps operators of its own; there nothing is counted.
#pragma once

#include <malloc.h>

#include <cstdlib>
#include <new>

#include "tests/base/counted.h"

#ifndef LINNET_SANITIZED
namespace linnet::counted {

// A chunk of glibc's has its size in front.
inline std::size_t taken_by(void* p) { return p == nullptr ? 0 : malloc_usable_size(p) + sizeof(std::size_t); }

inline void* get_or_null(std::size_t n) noexcept {
  ++asked.times;
  asked.bytes += n;
  auto* const out = std::malloc(n == 0 ? 1 : n);
  asked.held += taken_by(out);
  return out;
}

inline void* get(std::size_t n) {
  if (void* out = get_or_null(n)) return out;
  throw std::bad_alloc();
}

inline void give_back(void* p) noexcept {
  asked.held -= taken_by(p);
  std::free(p);
}

}  // namespace linnet::counted

#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // GCC inlines one of each pair and misses the other
void* operator new(std::size_t n) { return linnet::counted::get(n); }
void* operator new[](std::size_t n) { return linnet::counted::get(n); }
// Of std::stable_sort.
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return linnet::counted::get_or_null(n); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return linnet::counted::get_or_null(n); }
void operator delete(void* p, const std::nothrow_t&) noexcept { linnet::counted::give_back(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { linnet::counted::give_back(p); }
void operator delete(void* p) noexcept { linnet::counted::give_back(p); }
void operator delete[](void* p) noexcept { linnet::counted::give_back(p); }
void operator delete(void* p, std::size_t) noexcept { linnet::counted::give_back(p); }
void operator delete[](void* p, std::size_t) noexcept { linnet::counted::give_back(p); }
#endif
