// A synthetic room between a loudspeaker and a microphone: image sources in a shoebox (J. B. Allen, D. A. Berkley,
// "Image method for efficiently simulating small-room acoustics", JASA 65(4), 1979), a device delay in front of it, a
// loudspeaker that is not quite linear, and a noise floor. 48 kHz.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/rng.h"
#include "media/codec_kind.h"
#include "media/signal.h"

namespace linnet::media {

using Samples = std::vector<std::int16_t>;

inline double rms(std::span<const std::int16_t> s, double at_least = 1e-9) {
  double sum = 0;
  for (const auto v : s) sum += static_cast<double>(v) * v;
  return std::max(at_least, std::sqrt(sum / static_cast<double>(std::max<std::size_t>(1, s.size()))));
}

// Speech pauses count as speech does: the level of the whole signal.
inline Samples scaled(Samples s, double to_rms) {
  const double gain = to_rms / rms(s);
  for (auto& v : s) v = static_cast<std::int16_t>(std::clamp(std::lround(v * gain), -32768L, 32767L));
  return s;
}

struct Room {
  double delay_ms = 60;  // of the devices: from the sample handed over to the loudspeaker's membrane, and back
  double size[3] = {4.1, 3.3, 2.6};
  double speaker[3] = {2.0, 1.5, 0.9};
  double microphone[3] = {2.35, 1.75, 1.0};
  double reflection = 0.8;  // of the walls' amplitude: decays by 60 dB in about a quarter of a second
  double tail_ms = 250;
  double clipping = 0.1;  // share of a cubic term in the loudspeaker, of full scale at the signal's peak
  double noise_rms = 15;  // -67 dBFS

  std::vector<double> impulse_response() const {
    constexpr double kSpeed = 343;
    std::vector<double> h(static_cast<std::size_t>((delay_ms + tail_ms) * kSamplesPerMs));
    const int reach = static_cast<int>(kSpeed * tail_ms / 1000 / 2.6 / 2) + 1;
    for (int x = -reach; x <= reach; ++x)
      for (int y = -reach; y <= reach; ++y)
        for (int z = -reach; z <= reach; ++z)
          for (int p = 0; p < 8; ++p) add_image(h, {x, y, z}, {p & 1, p >> 1 & 1, p >> 2 & 1});
    return h;
  }

  // What the microphone takes up of `played`, noise included; as long as `played`, at `echo_rms` over the whole of it.
  Samples echo(const Samples& played, double echo_rms, std::uint64_t seed = 1) const {
    const auto h = impulse_response();
    const double peak =
        std::max(1.0, static_cast<double>(std::abs(*std::max_element(
                          played.begin(), played.end(), [](int a, int b) { return std::abs(a) < std::abs(b); }))));
    std::vector<Complex> a(power_of_two(played.size() + h.size())), b(a.size());
    for (std::size_t i = 0; i < played.size(); ++i) {
      const double v = played[i] / peak;
      a[i] = v - clipping * v * v * v;
    }
    for (std::size_t i = 0; i < h.size(); ++i) b[i] = h[i];
    fft(a);
    fft(b);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] *= b[i];
    fft(a, true);
    double sum = 0;
    for (std::size_t i = 0; i < played.size(); ++i) sum += a[i].real() * a[i].real();
    const double gain = echo_rms / std::sqrt(sum / static_cast<double>(played.size()));
    SeededRng rng(seed);
    Samples out(played.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double hiss = noise_rms * std::sqrt(3.0) * (2 * rng.unit() - 1);
      out[i] = static_cast<std::int16_t>(std::clamp(std::lround(a[i].real() * gain + hiss), -32768L, 32767L));
    }
    return out;
  }

 private:
  struct Triple {
    int v[3];
  };
  void add_image(std::vector<double>& h, Triple cell, Triple mirrored) const {
    double square = 0;
    int bounces = 0;
    for (int i = 0; i < 3; ++i) {
      const double at = (mirrored.v[i] ? -speaker[i] : speaker[i]) + 2 * cell.v[i] * size[i] - microphone[i];
      square += at * at;
      bounces += std::abs(cell.v[i] - mirrored.v[i]) + std::abs(cell.v[i]);
    }
    const double distance = std::sqrt(square);
    const double at = (distance / 343 * 1000 + delay_ms) * kSamplesPerMs;
    const auto i = static_cast<std::size_t>(at);
    if (i + 1 >= h.size()) return;
    const double amplitude = std::pow(reflection, bounces) / distance;
    h[i] += amplitude * (1 - (at - static_cast<double>(i)));
    h[i + 1] += amplitude * (at - static_cast<double>(i));
  }
};

}  // namespace linnet::media
