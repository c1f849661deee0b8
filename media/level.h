// How loud sound is: the root mean square of its last tenths of a second, in dB of full scale (0 is a square wave of
// full scale, the overload point of RFC 6465; a sine of full scale is -3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace linnet::media {

class LevelMeter {
 public:
  static constexpr double kSilence = -96;  // the floor: less than a sample's least step

  void add(std::span<const std::int16_t> samples);
  void add_silence(std::size_t samples);
  // Absent until something was added.
  std::optional<double> dbfs() const;

 private:
  static constexpr std::size_t kBlock = 4800;  // 100 ms at 48 kHz; shown are the last whole ones and what is begun
  struct Block {
    double squares = 0;
    std::size_t samples = 0;
  };
  void next_if_full();

  std::array<Block, 3> blocks_{};
  std::size_t at_ = 0;
};

}  // namespace linnet::media
