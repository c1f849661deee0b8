#include "base/rng.h"

#include <bit>

namespace linnet {

std::uint64_t Rng::u64() {
  std::uint64_t out = 0;
  fill({reinterpret_cast<std::uint8_t*>(&out), sizeof out});
  return out;
}

std::uint64_t Rng::below(std::uint64_t bound) {
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t r = u64();
    if (r >= threshold) return r % bound;
  }
}

double Rng::unit() { return static_cast<double>(u64() >> 11) * 0x1.0p-53; }

SeededRng::SeededRng(std::uint64_t seed) {
  // splitmix64 spreads a small seed over the whole state.
  for (auto& word : s_) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    word = z ^ (z >> 31);
  }
}

std::uint64_t SeededRng::next() {
  const std::uint64_t out = std::rotl(s_[1] * 5, 7) * 9;
  const std::uint64_t t = s_[1] << 17;
  s_[2] ^= s_[0];
  s_[3] ^= s_[1];
  s_[1] ^= s_[2];
  s_[0] ^= s_[3];
  s_[2] ^= t;
  s_[3] = std::rotl(s_[3], 45);
  return out;
}

void SeededRng::fill(MutableBytes out) {
  while (!out.empty()) {
    const std::uint64_t r = next();
    const std::size_t n = out.size() < 8 ? out.size() : 8;
    std::memcpy(out.data(), &r, n);
    out = out.subspan(n);
  }
}

}  // namespace linnet
