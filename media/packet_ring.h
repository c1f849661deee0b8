// The packets that wait to be polled. Buffers come and go by exchange, so that where the one who polls brings his back,
// nothing is allocated.
#pragma once

#include <array>
#include <utility>

#include "base/bytes.h"

namespace linnet::media {

class PacketRing {
 public:
  static constexpr std::size_t kCapacity = 64;

  // What is in `packet` afterwards is a buffer to write over. False: the oldest packet made room.
  bool push(Bytes& packet) {
    const bool full = count_ == kCapacity;
    if (full) drop_first();
    std::swap(slots_[(first_ + count_++) % kCapacity], packet);
    return !full;
  }

  // The oldest one; false when there is none.
  bool pop(Bytes& into) {
    if (count_ == 0) return false;
    std::swap(slots_[first_], into);
    drop_first();
    return true;
  }

 private:
  // An empty ring begins again at its first slot, whose buffer has grown already.
  void drop_first() { first_ = --count_ == 0 ? 0 : (first_ + 1) % kCapacity; }

  std::array<Bytes, kCapacity> slots_;
  std::size_t first_ = 0, count_ = 0;
};

}  // namespace linnet::media
