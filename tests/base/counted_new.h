// Counts what this thread asks of operator new. It replaces the operators: one .cpp of a program includes it. A
// sanitizer keeps operators of its own; there nothing is counted.
#pragma once

#include <cstdlib>
#include <new>

namespace linnet::counted {

struct Asked {
  std::size_t times = 0;
  std::size_t bytes = 0;
};
inline thread_local Asked asked;

#ifndef LINNET_SANITIZED
inline void* get_or_null(std::size_t n) noexcept {
  ++asked.times;
  asked.bytes += n;
  return std::malloc(n == 0 ? 1 : n);
}

inline void* get(std::size_t n) {
  if (void* out = get_or_null(n)) return out;
  throw std::bad_alloc();
}
#endif

}  // namespace linnet::counted

#ifndef LINNET_SANITIZED
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // GCC inlines one of each pair and misses the other
void* operator new(std::size_t n) { return linnet::counted::get(n); }
void* operator new[](std::size_t n) { return linnet::counted::get(n); }
// Of std::stable_sort.
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return linnet::counted::get_or_null(n); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return linnet::counted::get_or_null(n); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
#endif
