// Whose memory is being worked with: the world says which host acts, and an allocator may keep hosts apart by it
// (sim/arena.h). Without one nothing is known, and reports estimate.
#pragma once

#include <cstdint>
#include <optional>

namespace linnet::sim {

// 0 is the world itself, n + 1 the n-th host.
inline std::uint32_t working_owner = 0;
// Bytes that this owner has allocated and not freed.
inline std::uint64_t (*bytes_of_owner)(std::uint32_t owner) = nullptr;

class Working {
 public:
  Working() : before_(working_owner) { working_owner = 0; }
  explicit Working(std::uint32_t host) : before_(working_owner) { working_owner = host + 1; }
  Working(const Working&) = delete;
  Working& operator=(const Working&) = delete;
  ~Working() { working_owner = before_; }

 private:
  std::uint32_t before_;
};

inline std::optional<std::uint64_t> bytes_of_host(std::uint32_t host) {
  if (bytes_of_owner == nullptr) return std::nullopt;
  return bytes_of_owner(host + 1);
}

}  // namespace linnet::sim
