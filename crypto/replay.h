// The sliding window of RFC 6479 over 2,048 counters: a frame is delivered at most once.
#pragma once

#include <array>
#include <cstdint>

namespace linnet::crypto {

class ReplayWindow {
 public:
  static constexpr std::uint64_t kSize = 2048;

  // True when the counter is new and not too old. Call it before opening the frame ...
  bool would_accept(std::uint64_t counter) const;
  // ... and mark it after the tag was checked. Returns false when it was seen meanwhile.
  bool accept(std::uint64_t counter);

 private:
  static constexpr std::uint64_t kWords = kSize / 64 + 1;  // one word of slack, as the RFC has it

  std::array<std::uint64_t, kWords> bits_{};
  std::uint64_t last_ = 0;
  bool any_ = false;
};

}  // namespace linnet::crypto
