#include "media/audio_device.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "media/resampler.h"

namespace linnet::media {

void SilenceSource::read(std::span<std::int16_t> out) { std::fill(out.begin(), out.end(), std::int16_t{0}); }

ToneSource::ToneSource(double hz, double level)
    : step_(2 * std::numbers::pi * hz / kRate), amplitude_(32767 * std::pow(10.0, std::min(level, 0.0) / 20)) {}

void ToneSource::read(std::span<std::int16_t> out) {
  for (auto& sample : out) {
    sample = static_cast<std::int16_t>(std::lround(amplitude_ * std::sin(phase_)));
    phase_ = std::fmod(phase_ + step_, 2 * std::numbers::pi);
  }
}

WavSource::WavSource(std::vector<std::int16_t> samples, int rate)
    : samples_(rate == kRate ? std::move(samples) : resample(samples, rate, kRate)) {}

void WavSource::read(std::span<std::int16_t> out) {
  const std::size_t n = std::min(out.size(), samples_.size() - at_);
  std::copy_n(samples_.begin() + static_cast<std::ptrdiff_t>(at_), n, out.begin());
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(n), out.end(), std::int16_t{0});
  at_ += n;
}

WavSink::WavSink(std::size_t max_samples) : max_(max_samples) {}

void WavSink::write(std::span<const std::int16_t> samples) {
  const std::size_t n = std::min(samples.size(), max_ - samples_.size());
  samples_.insert(samples_.end(), samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(n));
  dropped_ += samples.size() - n;
}

}  // namespace linnet::media
