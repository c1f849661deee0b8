#include "media/g711.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {
namespace {

constexpr int kUlawBias = 0x84;
constexpr int kUlawClip = 32635;
constexpr std::size_t kNarrowPerMs = 8;
constexpr std::size_t kRatio = 6;  // 48 kHz to 8 kHz

// The position of the highest set bit above bit 7: the segment of the companding curve.
int segment(int magnitude) {
  int s = 0;
  for (int v = magnitude >> 8; v != 0 && s < 7; v >>= 1) ++s;
  return s;
}

}  // namespace

std::uint8_t ulaw_encode(std::int16_t sample) {
  const int sign = sample < 0 ? 0x80 : 0;
  const int magnitude = std::min(std::abs(static_cast<int>(sample)), kUlawClip) + kUlawBias;
  const int s = segment(magnitude);
  const int mantissa = (magnitude >> (s + 3)) & 0x0f;
  return static_cast<std::uint8_t>(~(sign | (s << 4) | mantissa));
}

std::int16_t ulaw_decode(std::uint8_t code) {
  const int v = ~code & 0xff;
  const int magnitude = ((((v & 0x0f) << 3) + kUlawBias) << ((v & 0x70) >> 4)) - kUlawBias;
  return static_cast<std::int16_t>((v & 0x80) != 0 ? -magnitude : magnitude);
}

std::uint8_t alaw_encode(std::int16_t sample) {
  const bool negative = sample < 0;
  const int magnitude = negative ? -static_cast<int>(sample) - 1 : sample;
  const int s = segment(magnitude);
  const int mantissa = (magnitude >> (s == 0 ? 4 : s + 3)) & 0x0f;
  return static_cast<std::uint8_t>(((negative ? 0 : 0x80) | (s << 4) | mantissa) ^ 0x55);
}

std::int16_t alaw_decode(std::uint8_t code) {
  const int v = code ^ 0x55;
  const int s = (v & 0x70) >> 4;
  int magnitude = ((v & 0x0f) << 4) + 8;
  if (s > 0) magnitude = (magnitude + 0x100) << (s - 1);
  return static_cast<std::int16_t>((v & 0x80) != 0 ? magnitude : -magnitude);
}

G711Codec::G711Codec(CodecKind law) : law_(law), down_(kRate, 8000), up_(8000, kRate) {
  narrow_.reserve(kMaxFrame / kRatio + 64);
}

int G711Codec::lookahead() const { return down_.output_latency() * static_cast<int>(kRatio) + up_.output_latency(); }

bool G711Codec::encode(std::span<const std::int16_t> frame, Bytes& out) {
  narrow_.resize(frame.size() / kRatio);
  const std::size_t made = down_.process(frame, std::span(narrow_));
  // The resampler's output may be a sample short in the first frame only; a frame has a fixed length.
  std::fill(narrow_.begin() + static_cast<std::ptrdiff_t>(made), narrow_.end(), std::int16_t{0});
  for (const auto sample : narrow_) out.push_back(law_ == CodecKind::pcmu ? ulaw_encode(sample) : alaw_encode(sample));
  return !narrow_.empty();
}

std::size_t G711Codec::duration(ByteView payload) const {
  const std::size_t samples = payload.size() * kRatio;
  return samples <= kMaxFrame ? samples : 0;
}

std::size_t G711Codec::decode(ByteView payload, std::span<std::int16_t> out) {
  narrow_.clear();
  for (const auto code : payload) narrow_.push_back(law_ == CodecKind::pcmu ? ulaw_decode(code) : alaw_decode(code));
  if (lag_ != 0) {
    // The end of a loss: 4 ms of cross-fade from the repeated pitch into what came.
    const std::size_t n = std::min(kOverlap, narrow_.size());
    for (std::size_t i = 0; i < n; ++i) {
      const int w = static_cast<int>(i);
      const int mixed = (next_concealed() * (static_cast<int>(n) - w) + narrow_[i] * w) / static_cast<int>(n);
      narrow_[i] = static_cast<std::int16_t>(mixed);
    }
    lag_ = 0;
  }
  remember(narrow_);
  return up_.process(narrow_, out);
}

// The resampler's last 2 ms are not worth a reset.
void G711Codec::reset_decoder() {
  history_.fill(0);
  lag_ = 0;
}

void G711Codec::conceal(std::span<std::int16_t> out) {
  if (lag_ == 0) {
    lag_ = find_lag();
    concealed_ = 0;
  }
  narrow_.clear();
  for (std::size_t i = 0; i < out.size() / kRatio; ++i) narrow_.push_back(next_concealed());
  const std::size_t made = up_.process(narrow_, out);
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(made), out.end(), std::int16_t{0});
}

// Repeats the last pitch period; full for 10 ms, then fading to nothing at 60 ms.
std::int16_t G711Codec::next_concealed() {
  const std::size_t at = kHistory - lag_ + concealed_ % lag_;
  const std::size_t ms = concealed_ / kNarrowPerMs;
  ++concealed_;
  double gain = 1;
  if (ms >= 10) gain = std::max(0.0, 1.0 - static_cast<double>(ms - 10) / 50.0);
  double value = history_[at];
  // The seam of the period is smoothed with the samples before it, 2 ms.
  const std::size_t into = lag_ - 1 - (concealed_ - 1) % lag_;
  constexpr std::size_t kSeam = 16;
  if (into < kSeam && at >= lag_) {
    const double w = static_cast<double>(into) / kSeam;
    value = value * w + static_cast<double>(history_[at - lag_]) * (1 - w);
  }
  return static_cast<std::int16_t>(std::lround(value * gain));
}

void G711Codec::remember(std::span<const std::int16_t> narrow) {
  if (narrow.size() >= kHistory) {
    std::copy(narrow.end() - kHistory, narrow.end(), history_.begin());
    return;
  }
  std::copy(history_.begin() + static_cast<std::ptrdiff_t>(narrow.size()), history_.end(), history_.begin());
  std::copy(narrow.begin(), narrow.end(), history_.end() - static_cast<std::ptrdiff_t>(narrow.size()));
}

std::size_t G711Codec::find_lag() const {
  constexpr std::size_t kWindow = 160;
  const std::int16_t* const tail = history_.data() + kHistory - kWindow;
  std::size_t best = kMaxLag;
  double best_score = -1;
  for (std::size_t lag = kMinLag; lag <= kMaxLag; ++lag) {
    double cross = 0, energy = 1;
    for (std::size_t i = 0; i < kWindow; ++i) {
      const double past = *(tail + i - lag);
      cross += tail[i] * past;
      energy += past * past;
    }
    const double score = cross / std::sqrt(energy);
    if (score > best_score) {
      best_score = score;
      best = lag;
    }
  }
  return best;
}

}  // namespace linnet::media
