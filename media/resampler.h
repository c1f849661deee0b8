// Sample rate conversion, mono (speexdsp).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct SpeexResamplerState_;

namespace linnet::media {

class Resampler {
 public:
  // Rates of 8 to 96 kHz. `quality` 0..10 as speexdsp counts it: 3 is its choice for VoIP.
  Resampler(int from, int to, int quality = 3);

  // Appends to `out` what `in` gives; keeps the filter's state for the next call.
  void process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out);
  // Fills `out` exactly from `in`, for whole ratios and blocks. Returns the samples written.
  std::size_t process(std::span<const std::int16_t> in, std::span<std::int16_t> out);
  // Drops the filter's leading zeros, so that output is aligned with input. Before the first process().
  void skip_zeros();
  int output_latency() const;  // samples at the output rate

 private:
  struct Free {
    void operator()(SpeexResamplerState_* state) const;
  };

  int from_;
  int to_;
  std::unique_ptr<SpeexResamplerState_, Free> state_;
};

// A whole signal at once, aligned with its input, of length size * to / from.
std::vector<std::int16_t> resample(std::span<const std::int16_t> in, int from, int to, int quality = 10);

}  // namespace linnet::media
