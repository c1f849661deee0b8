// Memory of a simulated world: what one host allocates lies together, so that an event touches few pages, and every
// byte is counted for its host. For a program without threads; its operators new and delete call it (sim/main.cpp).
//
// Chunks of 4 KiB belong to one owner each. A byte for each 16 of a chunk tells the size class of the block that begins
// there. Freed blocks go to the lists of their owner. What is larger than 2 KiB is malloc's, behind a header.
#pragma once

#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "sim/owner.h"

namespace linnet::sim::arena {

inline constexpr std::size_t kUnit = 16;
inline constexpr std::size_t kChunk = 4096;
inline constexpr std::size_t kHead = 16 + kChunk / kUnit;  // owner, then the classes
inline constexpr std::size_t kLargest = 2048;
inline constexpr std::size_t kRegion = std::size_t{256} << 20;
inline constexpr std::uint32_t kOwners = (1U << 20) + 2;

inline constexpr std::array<std::uint16_t, 24> kSizes{16,  32,  48,  64,  80,  96,  112, 128,  160,  192,  224,  256,
                                                      320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048};

constexpr std::array<std::uint8_t, kLargest / kUnit + 1> class_table() {
  std::array<std::uint8_t, kLargest / kUnit + 1> out{};
  std::size_t c = 0;
  for (std::size_t units = 0; units < out.size(); ++units) {
    while (kSizes[c] < units * kUnit) ++c;
    out[units] = static_cast<std::uint8_t>(c);
  }
  return out;
}
inline constexpr auto kClassOf = class_table();

struct Free {
  Free* next;
};
struct Owner {
  std::uint8_t* at = nullptr;  // of the chunk in use
  std::uint8_t* end = nullptr;
  std::uint64_t live = 0;
  std::array<Free*, kSizes.size()> free{};
};
struct Chunk {
  std::uint32_t owner;
  std::uint8_t in_arena[12];
  std::uint8_t classes[kChunk / kUnit];
};
struct Large {
  std::size_t size;
  std::uint32_t owner;
  std::uint32_t pad;
};
static_assert(sizeof(Chunk) == kHead && sizeof(Large) == kUnit);

struct State {
  std::uint8_t* next = nullptr;
  std::uint8_t* end = nullptr;
  std::uintptr_t regions[256] = {};  // by address / kRegion, hashed: whether it is ours
  Owner owners[kOwners];
};
inline State state;

inline std::size_t region_slot(std::uintptr_t region) { return (region * 0x9e3779b1U >> 8) % 256; }

inline bool is_ours(const void* p) {
  const auto region = reinterpret_cast<std::uintptr_t>(p) / kRegion;
  for (auto i = region_slot(region); state.regions[i] != 0; i = (i + 1) % 256) {
    if (state.regions[i] == region) return true;
  }
  return false;
}

inline void new_region() {
  // Aligned to its size, so that the kernel can back it with huge pages: an event touches memory all over.
  auto* region = static_cast<std::uint8_t*>(std::aligned_alloc(kRegion, kRegion));
  if (region == nullptr) throw std::bad_alloc();
  madvise(region, kRegion, MADV_HUGEPAGE);
  const auto number = reinterpret_cast<std::uintptr_t>(region) / kRegion;
  auto i = region_slot(number);
  while (state.regions[i] != 0) i = (i + 1) % 256;
  state.regions[i] = number;
  state.next = region;
  state.end = region + kRegion;
}

inline void new_chunk(Owner& owner, std::uint32_t number) {
  if (state.next == state.end) new_region();
  auto* chunk = reinterpret_cast<Chunk*>(state.next);
  state.next += kChunk;
  chunk->owner = number;
  owner.at = reinterpret_cast<std::uint8_t*>(chunk) + kHead;
  owner.end = reinterpret_cast<std::uint8_t*>(chunk) + kChunk;
}

inline Chunk* chunk_of(void* p) {
  return reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(p) & ~(std::uintptr_t{kChunk} - 1));
}

inline void* allocate(std::size_t size) {
  const auto number = working_owner;
  auto& owner = state.owners[number];
  if (size > kLargest) {
    auto* large = static_cast<Large*>(std::malloc(size + sizeof(Large)));
    if (large == nullptr) throw std::bad_alloc();
    *large = {size, number, 0};
    owner.live += size;
    return large + 1;
  }
  const auto c = kClassOf[(size + kUnit - 1) / kUnit];
  owner.live += kSizes[c];
  if (auto* block = owner.free[c]; block != nullptr) {
    owner.free[c] = block->next;
    return block;
  }
  if (static_cast<std::size_t>(owner.end - owner.at) < kSizes[c]) new_chunk(owner, number);
  auto* block = owner.at;
  owner.at += kSizes[c];
  chunk_of(block)->classes[static_cast<std::size_t>(block - reinterpret_cast<std::uint8_t*>(chunk_of(block))) / kUnit] =
      c;
  return block;
}

// Of a block whose size is known: its class need not be looked up.
inline void release(void* p, std::size_t size) {
  if (p == nullptr) return;
  if (size > kLargest) {
    auto* large = static_cast<Large*>(p) - 1;
    state.owners[large->owner].live -= large->size;
    std::free(large);
    return;
  }
  const auto c = kClassOf[(size + kUnit - 1) / kUnit];
  auto& owner = state.owners[chunk_of(p)->owner];
  owner.live -= kSizes[c];
  auto* block = static_cast<Free*>(p);
  block->next = owner.free[c];
  owner.free[c] = block;
}

inline void release(void* p) {
  if (p == nullptr) return;
  if (!is_ours(p)) {
    auto* large = static_cast<Large*>(p) - 1;
    state.owners[large->owner].live -= large->size;
    std::free(large);
    return;
  }
  auto* chunk = chunk_of(p);
  const auto c =
      chunk->classes[static_cast<std::size_t>(static_cast<std::uint8_t*>(p) - reinterpret_cast<std::uint8_t*>(chunk)) /
                     kUnit];
  auto& owner = state.owners[chunk->owner];
  owner.live -= kSizes[c];
  auto* block = static_cast<Free*>(p);
  block->next = owner.free[c];
  owner.free[c] = block;
}

}  // namespace linnet::sim::arena
