#include "node/io/sound/tones.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "media/codec_kind.h"

namespace linnet::io {
namespace {

constexpr std::size_t kSecond = media::kRate;
constexpr std::size_t kFade = kSecond / 200;  // 5 ms: no click where a burst begins and ends

std::int16_t sample(double phase, double amplitude) {
  return static_cast<std::int16_t>(std::lround(amplitude * 32767 * std::sin(phase)));
}

// `hertz(i)` is the frequency at sample i of the burst.
template <class Hertz>
void burst(std::vector<std::int16_t>& out, std::size_t at, std::size_t length, double amplitude, Hertz&& hertz) {
  double phase = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const double fade = std::min(1.0, static_cast<double>(std::min(i, length - 1 - i)) / kFade);
    out[at + i] = sample(phase, amplitude * fade);
    phase += 2 * std::numbers::pi * hertz(i) / media::kRate;
  }
}

}  // namespace

std::vector<std::int16_t> ringback_tone() {
  std::vector<std::int16_t> out(5 * kSecond);
  burst(out, 0, kSecond, 0.1, [](std::size_t) { return 425.0; });
  return out;
}

std::vector<std::int16_t> ring_tone() {
  std::vector<std::int16_t> out(4 * kSecond);
  const auto warble = [](std::size_t i) { return i / (kSecond / 20) % 2 == 0 ? 800.0 : 1000.0; };
  burst(out, 0, kSecond * 6 / 10, 0.25, warble);
  burst(out, kSecond * 8 / 10, kSecond * 6 / 10, 0.25, warble);
  return out;
}

}  // namespace linnet::io
