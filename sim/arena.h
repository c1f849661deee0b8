// Memory of a simulated world, where every byte is counted for the host that allocated it. For a program without
// threads; its operators new and delete call it (sim/main.cpp).
//
// A chunk of 64 KiB holds blocks of one size, and behind its head whose each of them is. Freed blocks are handed out
// again whoever freed them, the latest first: most of what an event allocates it also frees, so the same few blocks go
// from host to host and stay in the cache. Sizes go in steps of 16 bytes, as malloc's do. What is larger than 2 KiB
// has a header and a size of its own step, four to each power of two; beyond a megabyte it is malloc's.
#pragma once

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "sim/owner.h"

namespace linnet::sim::arena {

inline constexpr std::size_t kUnit = 16;
inline constexpr std::size_t kLargest = 2048;
inline constexpr std::size_t kClasses = kLargest / kUnit;
inline constexpr std::size_t kHuge = std::size_t{1} << 20;
inline constexpr std::size_t kChunk = 65536;
inline constexpr std::size_t kRegion = std::size_t{256} << 20;
inline constexpr std::uint32_t kOwners = (1U << 20) + 2;

constexpr std::size_t class_of(std::size_t size) { return size == 0 ? 0 : (size - 1) / kUnit; }
constexpr std::size_t size_of(std::size_t c) { return (c + 1) * kUnit; }

// Of the chunks of one class: how many blocks, where the first begins, and a factor in place of a division.
struct Layout {
  std::uint32_t size = 0;
  std::uint32_t blocks = 0;
  std::uint32_t first = 0;
  std::uint32_t inverse = 0;
};
struct Chunk {
  std::uint64_t size_class;
  std::uint32_t* owners() { return reinterpret_cast<std::uint32_t*>(this + 1); }
};
constexpr std::array<Layout, kClasses> layouts() {
  std::array<Layout, kClasses> out{};
  for (std::size_t c = 0; c < kClasses; ++c) {
    const auto size = size_of(c);
    const auto blocks = (kChunk - sizeof(Chunk) - kUnit) / (size + sizeof(std::uint32_t));
    const auto head = (sizeof(Chunk) + blocks * sizeof(std::uint32_t) + kUnit - 1) / kUnit * kUnit;
    out[c] = {static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(blocks), static_cast<std::uint32_t>(head),
              static_cast<std::uint32_t>((std::uint64_t{1} << 32) / size + 1)};
  }
  return out;
}
inline constexpr auto kLayouts = layouts();

struct Free {
  Free* next;
};
struct Blocks {  // of one class
  Free* free = nullptr;
  std::uint8_t* at = nullptr;  // of the chunk in use
  std::uint8_t* end = nullptr;
};
struct Large {  // before its bytes
  std::size_t size;
  std::uint32_t owner;
  std::uint32_t step;
};
inline constexpr std::size_t kSteps = 36;
inline constexpr std::uint32_t kNoStep = kSteps;
// The step of a block with its header, and how long the blocks of a step are.
constexpr std::uint32_t step_of(std::size_t bytes) {
  const auto power = static_cast<std::uint32_t>(std::bit_width(bytes - 1)) - 1;  // 2^power < bytes <= 2^(power + 1)
  const auto quarter = static_cast<std::uint32_t>((bytes - 1) >> (power - 2)) & 3;
  return 4 * (power - 11) + quarter;
}
constexpr std::size_t bytes_of_step(std::uint32_t step) { return std::size_t{5 + step % 4} << (step / 4 + 9); }
static_assert(step_of(2049) == 0 && bytes_of_step(0) == 2560 && step_of(4096) == 3 && bytes_of_step(3) == 4096);
static_assert(step_of(kHuge) < kSteps && bytes_of_step(step_of(kHuge)) == kHuge);
static_assert(sizeof(Large) == kUnit);

struct State {
  std::uint8_t* next = nullptr;
  std::uint8_t* end = nullptr;
  std::uint8_t* next_large = nullptr;
  std::uint8_t* end_large = nullptr;
  std::uintptr_t regions[256] = {};  // by address / kRegion, hashed: whether there are chunks
  std::array<Blocks, kClasses> blocks{};
  std::array<Free*, kSteps> large{};
  std::uint64_t live[kOwners] = {};  // bytes of each owner
};
inline State state;

inline std::size_t region_slot(std::uintptr_t region) { return (region * 0x9e3779b1U >> 8) % 256; }

inline bool in_chunk(const void* p) {
  const auto region = reinterpret_cast<std::uintptr_t>(p) / kRegion;
  for (auto i = region_slot(region); state.regions[i] != 0; i = (i + 1) % 256) {
    if (state.regions[i] == region) return true;
  }
  return false;
}

// Aligned to its size, so that the kernel can back it with huge pages: an event touches memory all over.
inline std::uint8_t* new_region() {
  auto* region = static_cast<std::uint8_t*>(std::aligned_alloc(kRegion, kRegion));
  if (region == nullptr) throw std::bad_alloc();
  madvise(region, kRegion, MADV_HUGEPAGE);
  return region;
}

inline void new_region_of_chunks() {
  auto* region = new_region();
  const auto number = reinterpret_cast<std::uintptr_t>(region) / kRegion;
  auto i = region_slot(number);
  while (state.regions[i] != 0) i = (i + 1) % 256;
  state.regions[i] = number;
  state.next = region;
  state.end = region + kRegion;
}

inline void new_chunk(std::size_t c) {
  if (state.next == state.end) new_region_of_chunks();
  auto* chunk = reinterpret_cast<Chunk*>(state.next);
  state.next += kChunk;
  chunk->size_class = c;
  auto& blocks = state.blocks[c];
  blocks.at = reinterpret_cast<std::uint8_t*>(chunk) + kLayouts[c].first;
  blocks.end = blocks.at + std::size_t{kLayouts[c].blocks} * kLayouts[c].size;
}

inline Chunk* chunk_of(void* p) {
  return reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(p) & ~(std::uintptr_t{kChunk} - 1));
}

inline std::uint32_t& owner_of(Chunk* chunk, void* p, const Layout& layout) {
  const auto offset =
      static_cast<std::uint64_t>(static_cast<std::uint8_t*>(p) - reinterpret_cast<std::uint8_t*>(chunk));
  return chunk->owners()[(offset - layout.first) * layout.inverse >> 32];
}

inline void* new_large(std::size_t bytes) {
  if (static_cast<std::size_t>(state.end_large - state.next_large) < bytes) {
    state.next_large = new_region();
    state.end_large = state.next_large + kRegion;
  }
  auto* out = state.next_large;
  state.next_large += bytes;
  return out;
}

inline void* allocate_large(std::size_t size) {
  const auto whole = size + sizeof(Large);
  const auto step = whole > kHuge ? kNoStep : step_of(whole);
  void* out = nullptr;
  if (step == kNoStep) {
    out = std::malloc(whole);
    if (out == nullptr) throw std::bad_alloc();
  } else if (auto& list = state.large[step]; list != nullptr) {
    out = list;
    list = list->next;
  } else {
    out = new_large(bytes_of_step(step));
  }
  auto* large = new (out) Large{size, working_owner, step};
  state.live[working_owner] += size;
  return large + 1;
}

inline void* allocate(std::size_t size) {
  const auto owner = working_owner;
  if (size > kLargest) return allocate_large(size);
  const auto c = class_of(size);
  auto& blocks = state.blocks[c];
  void* out = blocks.free;
  if (out != nullptr) {
    blocks.free = blocks.free->next;
    __builtin_prefetch(blocks.free);
  } else {
    if (blocks.at == blocks.end) new_chunk(c);
    out = blocks.at;
    blocks.at += kLayouts[c].size;
  }
  owner_of(chunk_of(out), out, kLayouts[c]) = owner;
  state.live[owner] += kLayouts[c].size;
  return out;
}

inline void release_large(void* p) {
  auto* large = static_cast<Large*>(p) - 1;
  state.live[large->owner] -= large->size;
  const auto step = large->step;
  if (step == kNoStep) return std::free(large);
  state.large[step] = new (large) Free{state.large[step]};
}

inline void release_small(void* p, std::size_t c) {
  state.live[owner_of(chunk_of(p), p, kLayouts[c])] -= kLayouts[c].size;
  auto* block = static_cast<Free*>(p);
  auto& blocks = state.blocks[c];
  block->next = blocks.free;
  blocks.free = block;
}

// Of a block whose size is known: its class need not be looked up.
inline void release(void* p, std::size_t size) {
  if (p == nullptr) return;
  if (size > kLargest) return release_large(p);
  release_small(p, class_of(size));
}

inline void release(void* p) {
  if (p == nullptr) return;
  if (!in_chunk(p)) return release_large(p);
  release_small(p, static_cast<std::size_t>(chunk_of(p)->size_class));
}

}  // namespace linnet::sim::arena
