// Randomness is handed in. node/io hands in the operating system's, the simulator a seeded one.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace linnet {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual void fill(MutableBytes out) = 0;

  std::uint64_t u64();
  std::uint32_t u32() { return static_cast<std::uint32_t>(u64()); }
  // Uniform in [0, bound), without modulo bias. bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double unit();
  template <std::size_t N>
  ByteArray<N> array() {
    ByteArray<N> out;
    fill(out);
    return out;
  }
};

// xoshiro256** (Blackman, Vigna 2018). For simulation and tests: never for keys that anybody relies on.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed);
  void fill(MutableBytes out) override;

 private:
  std::uint64_t next();

  std::uint64_t s_[4];
};

}  // namespace linnet
