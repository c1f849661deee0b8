// What memory costs: an allocation of so many bytes takes a block in steps of 16, as malloc's on 64-bit machines.
#pragma once

#include <cstddef>

namespace linnet {

constexpr std::size_t block_bytes(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

}  // namespace linnet
