// The sliding window of RFC 6479 over 2,048 counters: a frame is delivered at most once.
//
// Most sessions receive nearly everything nearly in order, so the newest 64 counters are kept as bits and the whole
// window is allocated only while something older than those is missing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace linnet::crypto {

class ReplayWindow {
 public:
  static constexpr std::uint64_t kSize = 2048;

  // True when the counter is new and not too old. Call it before opening the frame ...
  bool would_accept(std::uint64_t counter) const;
  // ... and mark it after the tag was checked. Returns false when it was seen meanwhile.
  bool accept(std::uint64_t counter);

  std::size_t memory_bytes() const { return sizeof *this + (older_ ? sizeof *older_ : 0); }

 private:
  static constexpr std::uint64_t kRecent = 64;
  using Bits = std::array<std::uint64_t, kSize / 64>;

  void first(std::uint64_t counter);
  void advance(std::uint64_t to);
  void leave_recent(std::uint64_t counter, bool seen);

  std::uint64_t last_ = 0;
  std::uint64_t recent_ = 0;  // bit i: last_ - i was seen; those below counter 0 count as seen. 0: none came yet
  // By counter modulo kSize, for what is older than recent_; null: all of that was seen, or is refused as too old.
  std::unique_ptr<Bits> older_;
  std::uint64_t newest_hole_ = 0;  // in older_ when it was entered there
};

}  // namespace linnet::crypto
