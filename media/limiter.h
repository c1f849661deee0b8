// Keeps a sum of voices within 16 bits: the gain falls within the frame before a peak and comes back slowly, so that
// nothing clips and a loud word does not pump. Without peaks it changes nothing.
#pragma once

#include <cstdint>
#include <span>

namespace linnet::media {

class Limiter {
 public:
  static constexpr double kCeiling = 30000;   // of 32767
  static constexpr std::size_t kBlock = 240;  // 5 ms
  static constexpr double kRelease = 1.006;   // a block: about 10 dB a second

  // `out` as long as `in`, whole blocks.
  void process(std::span<const std::int32_t> in, std::span<std::int16_t> out);
  double gain() const { return gain_; }

 private:
  double gain_ = 1;  // at the end of what was processed
};

}  // namespace linnet::media
