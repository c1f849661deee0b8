// Memory put by for the moment when there is none: an allocation that fails gets a block of it and is tried again. So
// what must not fail (destructors, libraries that do not expect it) does not, and the daemon goes on.
#pragma once

#include <cstddef>

namespace linnet::io {

class MemoryReserve {
 public:
  static constexpr std::size_t kBlocks = 32;
  static constexpr std::size_t kBlock = 32 * 1024;  // bytes; untouched, so hardly any of it is resident

  MemoryReserve();  // one at a time: std::set_new_handler
  ~MemoryReserve();
  MemoryReserve(const MemoryReserve&) = delete;
  MemoryReserve& operator=(const MemoryReserve&) = delete;

  // Puts by what was used, when there is memory again. The loop does so after each event; it costs nothing otherwise.
  static void refill();
  std::size_t blocks() const;

 private:
  static void give();
};

}  // namespace linnet::io
