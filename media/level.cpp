#include "media/level.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {

void LevelMeter::add(std::span<const std::int16_t> samples) {
  while (!samples.empty()) {
    next_if_full();
    auto& block = blocks_[at_];
    const auto part = samples.first(std::min(samples.size(), kBlock - block.samples));
    for (const double s : part) block.squares += s * s;
    block.samples += part.size();
    samples = samples.subspan(part.size());
  }
}

void LevelMeter::add_silence(std::size_t samples) {
  samples = std::min(samples, blocks_.size() * kBlock);  // more than is remembered says no more
  while (samples > 0) {
    next_if_full();
    auto& block = blocks_[at_];
    const auto part = std::min(samples, kBlock - block.samples);
    block.samples += part;
    samples -= part;
  }
}

void LevelMeter::next_if_full() {
  if (blocks_[at_].samples < kBlock) return;
  at_ = (at_ + 1) % blocks_.size();
  blocks_[at_] = {};
}

std::optional<double> LevelMeter::dbfs() const {
  Block all;
  for (const auto& block : blocks_) {
    all.squares += block.squares;
    all.samples += block.samples;
  }
  if (all.samples == 0) return std::nullopt;
  const double rms = std::sqrt(all.squares / static_cast<double>(all.samples)) / 32768;
  return std::max(kSilence, 20 * std::log10(std::max(rms, 1e-9)));
}

}  // namespace linnet::media
