#include "media/signal.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace linnet::media {
namespace {

using std::numbers::pi;

void bit_reverse(std::span<Complex> data) {
  for (std::size_t i = 1, j = 0; i < data.size(); ++i) {
    std::size_t bit = data.size() >> 1;
    for (; (j & bit) != 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(data[i], data[j]);
  }
}

// (a + bi)(c + di) without the special cases of the standard's operator.
Complex multiply(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

std::vector<double> low_pass(std::size_t half, double cutoff, double gain) {
  constexpr double kBeta = 5;
  std::vector<double> h(2 * half + 1);
  double sum = 0;
  for (std::size_t i = 0; i < h.size(); ++i) {
    const double n = static_cast<double>(i) - static_cast<double>(half);
    const double x = pi * cutoff * n;
    const double sinc = n == 0 ? 1 : std::sin(x) / x;
    const double r = n / static_cast<double>(half);
    h[i] =
        cutoff * sinc * std::cyl_bessel_i(0, kBeta * std::sqrt(std::max(0.0, 1 - r * r))) / std::cyl_bessel_i(0, kBeta);
    sum += h[i];
  }
  for (auto& v : h) v *= gain / sum;
  return h;
}

// The short transforms of STOI come by the thousand, all of one size: their factors are kept.
constexpr std::size_t kCached = 1024;

std::vector<Complex> make_twiddles(std::size_t n, bool inverse) {
  std::vector<Complex> out(std::max<std::size_t>(n / 2, 1));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double angle = 2 * pi * static_cast<double>(i) / static_cast<double>(n);
    out[i] = {std::cos(angle), inverse ? std::sin(angle) : -std::sin(angle)};
  }
  return out;
}

void transform(std::span<Complex> data, const std::vector<Complex>& twiddles, bool inverse) {
  const std::size_t n = data.size();
  bit_reverse(data);
  for (std::size_t length = 2; length <= n; length *= 2) {
    const std::size_t step = n / length;
    for (std::size_t start = 0; start < n; start += length) {
      for (std::size_t k = 0; k < length / 2; ++k) {
        const Complex even = data[start + k];
        const Complex odd = multiply(data[start + k + length / 2], twiddles[k * step]);
        data[start + k] = even + odd;
        data[start + k + length / 2] = even - odd;
      }
    }
  }
  if (!inverse) return;
  for (auto& v : data) v /= static_cast<double>(n);
}

}  // namespace

void fft(std::span<Complex> data, bool inverse) {
  const std::size_t n = data.size();
  if (n <= kCached) {
    thread_local std::vector<Complex> last;
    thread_local bool last_inverse = false;
    if (last.size() != std::max<std::size_t>(n / 2, 1) || last_inverse != inverse) last = make_twiddles(n, inverse);
    last_inverse = inverse;
    return transform(data, last, inverse);
  }
  transform(data, make_twiddles(n, inverse), inverse);
}

std::size_t power_of_two(std::size_t n) {
  std::size_t p = 1;
  while (p < n) p *= 2;
  return p;
}

std::vector<double> resample_polyphase(std::span<const double> in, int from, int to) {
  if (from == to) return {in.begin(), in.end()};
  const int g = std::gcd(from, to);
  const auto up = static_cast<std::size_t>(to / g), down = static_cast<std::size_t>(from / g);
  const std::size_t widest = std::max(up, down), half = 10 * widest;
  const auto h = low_pass(half, 1.0 / static_cast<double>(widest), static_cast<double>(up));
  std::vector<double> out((in.size() * up + down - 1) / down);
  for (std::size_t m = 0; m < out.size(); ++m) {
    // Tap index half + m * down - i * up must lie in 0..2 * half.
    const std::size_t centre = m * down;
    const std::size_t low = centre > half ? (centre - half + up - 1) / up : 0;
    const std::size_t high = std::min((centre + half) / up + 1, in.size());
    double sum = 0;
    for (std::size_t i = low; i < high; ++i) sum += in[i] * h[half + centre - i * up];
    out[m] = sum;
  }
  return out;
}

}  // namespace linnet::media
