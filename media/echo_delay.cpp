#include "media/echo_delay.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {
namespace {

constexpr double kSpectrumMemory = 0.8;  // of the spectrum, from look to look: about half a second
constexpr double kPlayedLevel = 60;      // rms; below it the loudspeaker is silent
constexpr double kCapturedLevel = 4;
constexpr double kClear = 7;  // a peak this far over the rms of all lags is no accident
constexpr int kNear = 16;     // two looks agree: 2 ms at 8 kHz
constexpr double kLowHz = 200, kHighHz = 3400;

double level(std::span<const std::int16_t> samples) {
  double sum = 0;
  for (const auto s : samples) sum += static_cast<double>(s) * s;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

}  // namespace

EchoDelay::EchoDelay() { reset(); }

void EchoDelay::reset() {
  captured_.assign(kWindow, 0);
  played_.assign(kWindow, 0);
  cross_.assign(kWindow / 2, Complex());
  work_.assign(kWindow, Complex());
  last_.reset();
}

std::optional<int> EchoDelay::push(std::span<const std::int16_t> captured, std::span<const std::int16_t> played) {
  captured_rate_.process(captured, captured_);
  played_rate_.process(played, played_);
  if (std::min(captured_.size(), played_.size()) < kWindow + kHop) return std::nullopt;
  captured_.erase(captured_.begin(), captured_.begin() + kHop);
  played_.erase(played_.begin(), played_.begin() + kHop);
  if (!heard()) return std::nullopt;
  return look();
}

bool EchoDelay::heard() const {
  return level(std::span(played_).first(kWindow)) > kPlayedLevel &&
         level(std::span(captured_).first(kWindow).last(kWindow / 2)) > kCapturedLevel;
}

// Both real streams in one transform: `played` is its real part, the later half of `captured` its imaginary one.
void EchoDelay::correlate() {
  for (std::size_t i = 0; i < kWindow; ++i)
    work_[i] = {static_cast<double>(played_[i]), i < kWindow / 2 ? 0.0 : static_cast<double>(captured_[i])};
  fft(work_);
  for (std::size_t k = 1; k < kWindow / 2; ++k) {
    const Complex a = work_[k], b = std::conj(work_[kWindow - k]);
    const Complex played = 0.5 * (a + b), captured = Complex(0, -0.5) * (a - b);
    cross_[k] = kSpectrumMemory * cross_[k] + captured * std::conj(played);
  }
  const auto bin = [](double hz) { return static_cast<std::size_t>(hz / 8000 * kWindow); };
  std::fill(work_.begin(), work_.end(), Complex());
  for (std::size_t k = bin(kLowHz); k < bin(kHighHz); ++k) {
    const double size = std::abs(cross_[k]);
    if (size > 0) work_[k] = cross_[k] / size;
    work_[kWindow - k] = std::conj(work_[k]);
  }
  fft(work_, true);
}

std::optional<int> EchoDelay::look() {
  correlate();
  const auto by_size = [](const Complex& a, const Complex& b) { return a.real() < b.real(); };
  const auto end = work_.begin() + static_cast<std::ptrdiff_t>(kLags);
  const auto peak = std::max_element(work_.begin(), end, by_size);
  double sum = 0;
  for (auto i = work_.begin(); i != end; ++i) sum += i->real() * i->real();
  if (peak->real() < kClear * std::sqrt(sum / static_cast<double>(kLags))) {
    last_.reset();
    return std::nullopt;
  }
  const int at = static_cast<int>(peak - work_.begin());
  const bool again = last_ && std::abs(*last_ - at) <= kNear;
  last_ = at;
  if (!again) return std::nullopt;
  return at * kRatio;
}

}  // namespace linnet::media
