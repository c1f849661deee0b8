#include "media/limiter.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {
namespace {

double ceiling_gain(std::span<const std::int32_t> block) {
  std::int64_t peak = 0;
  for (const auto sample : block) peak = std::max<std::int64_t>(peak, std::abs(static_cast<std::int64_t>(sample)));
  return peak <= static_cast<std::int64_t>(Limiter::kCeiling) ? 1.0 : Limiter::kCeiling / static_cast<double>(peak);
}

std::int16_t fit(double sample) { return static_cast<std::int16_t>(std::clamp(std::lrint(sample), -32768L, 32767L)); }

}  // namespace

void Limiter::process(std::span<const std::int32_t> in, std::span<std::int16_t> out) {
  for (std::size_t at = 0; at < in.size(); at += kBlock) {
    const auto block = in.subspan(at, std::min(kBlock, in.size() - at));
    const double may = ceiling_gain(block);
    const auto next = in.subspan(at + block.size(), std::min(kBlock, in.size() - at - block.size()));
    // At the end of a block the gain is one that the next one bears too.
    const double end = std::min({1.0, may, next.empty() ? 1.0 : ceiling_gain(next), gain_ * kRelease});
    const double begin = std::min(gain_, may);
    if (begin >= 1 && end >= 1) {
      for (std::size_t i = 0; i < block.size(); ++i) out[at + i] = static_cast<std::int16_t>(block[i]);
    } else {
      const double step = (end - begin) / static_cast<double>(block.size());
      for (std::size_t i = 0; i < block.size(); ++i)
        out[at + i] = fit((begin + step * static_cast<double>(i)) * block[i]);
    }
    gain_ = end;
  }
}

}  // namespace linnet::media
