#include "media/compare.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "media/signal.h"
#include "media/stoi.h"

namespace linnet::media {
namespace {

using Signal = std::vector<double>;
using View = std::span<const double>;

constexpr std::size_t kMaxSeconds = 60;  // of either signal that is looked at

Signal to_signal(const Audio& audio, int rate) {
  const std::size_t n = std::min(audio.samples.size(), kMaxSeconds * static_cast<std::size_t>(audio.rate));
  Signal out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = audio.samples[i] / 32768.0;
  return resample_polyphase(out, audio.rate, rate);
}

// Log energy of the last 8 ms, each millisecond, without its mean.
Signal envelope(View x, int rate) {
  const auto hop = static_cast<std::size_t>(rate / 1000), width = hop * 8;
  Signal out;
  double sum = 0, mean = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += x[i] * x[i];
    if (i >= width) sum -= x[i - width] * x[i - width];
    if (i % hop == 0) out.push_back(std::log10(std::max(sum / static_cast<double>(width), 1e-7)));
  }
  for (const double v : out) mean += v / static_cast<double>(out.size());
  for (double& v : out) v -= mean;
  return out;
}

std::vector<Complex> spectrum(View x, std::size_t n) {
  std::vector<Complex> out(n);
  std::copy(x.begin(), x.end(), out.begin());
  fft(out);
  return out;
}

// correlation[lag mod n] = sum of b[i + lag] * a[i].
std::vector<Complex> correlate(const std::vector<Complex>& a, const std::vector<Complex>& b) {
  std::vector<Complex> c(a.size());
  for (std::size_t i = 0; i < c.size(); ++i) c[i] = b[i] * std::conj(a[i]);
  fft(c, true);
  return c;
}

std::size_t wrap(std::ptrdiff_t lag, std::size_t n) { return static_cast<std::size_t>(lag) & (n - 1); }

std::ptrdiff_t coarse_lag_ms(View said, View heard, int rate) {
  const Signal a = envelope(said, rate), b = envelope(heard, rate);
  const std::size_t n = power_of_two(a.size() + b.size());
  const auto c = correlate(spectrum(a, n), spectrum(b, n));
  std::ptrdiff_t best = 0;
  double peak = -1e300;
  for (std::ptrdiff_t lag = 1 - static_cast<std::ptrdiff_t>(a.size()); lag < static_cast<std::ptrdiff_t>(b.size());
       ++lag) {
    const double v = c[wrap(lag, n)].real();
    if (v > peak) {
      peak = v;
      best = lag;
    }
  }
  return best;
}

// Keeps 300-3400 Hz: a Butterworth band-pass of fourth order run forward and backward, which leaves no phase.
void band_limit(std::vector<Complex>& s, int rate) {
  const auto warped = [rate](double hz) { return std::tan(std::numbers::pi * hz / rate); };
  const double low = warped(300), high = warped(std::min(3400.0, 0.45 * rate));
  const std::size_t n = s.size();
  for (std::size_t i = 0; i <= n / 2; ++i) {
    const double w = warped(std::min(static_cast<double>(i) * rate / static_cast<double>(n), 0.4999 * rate));
    const double gain = i == 0 ? 0 : 1 / (1 + std::pow((w * w - low * high) / ((high - low) * w), 8));
    s[i] *= gain;
    if (i != 0 && i != n / 2) s[n - i] *= gain;
  }
}

struct Lag {
  std::ptrdiff_t samples = 0;
  double correlation = 0;
};

struct Aligned {
  View said, heard;
};

Aligned align(View said, View heard, std::ptrdiff_t lag) {
  const auto skip = static_cast<std::size_t>(std::abs(lag));
  auto a = lag < 0 ? said.subspan(std::min(skip, said.size())) : said;
  auto b = lag > 0 ? heard.subspan(std::min(skip, heard.size())) : heard;
  const std::size_t n = std::min(a.size(), b.size());
  return {a.first(n), b.first(n)};
}

Signal real_part(std::vector<Complex> s, std::size_t n) {
  fft(s, true);
  Signal out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = s[i].real();
  return out;
}

double dot(View a, View b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Lag find_lag(View said, View heard, int rate) {
  const std::ptrdiff_t middle = coarse_lag_ms(said, heard, rate) * rate / 1000;
  const std::size_t n = power_of_two(said.size() + heard.size());
  auto a = spectrum(said, n), b = spectrum(heard, n);
  band_limit(a, rate);
  band_limit(b, rate);
  const auto c = correlate(a, b);
  Lag out;
  double peak = -1;
  for (std::ptrdiff_t lag = middle - 3 * rate / 100; lag <= middle + 3 * rate / 100; ++lag) {
    const double v = std::abs(c[wrap(lag, n)].real());
    if (v > peak) {
      peak = v;
      out.samples = lag;
    }
  }
  const Signal sa = real_part(std::move(a), said.size()), sb = real_part(std::move(b), heard.size());
  const auto [x, y] = align(sa, sb, out.samples);
  const double energy = std::sqrt(dot(x, x) * dot(y, y));
  out.correlation = energy > 0 ? std::abs(dot(x, y)) / energy : 0;
  return out;
}

Signal levels(View x, std::size_t hop) {
  Signal out(x.size() / hop);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto part = x.subspan(i * hop, hop);
    out[i] = 10 * std::log10(dot(part, part) / static_cast<double>(hop) + 1e-12);
  }
  return out;
}

double loudest(const Signal& levels) { return levels.empty() ? -120 : *std::max_element(levels.begin(), levels.end()); }

// Median difference of level where speech was said.
double median_gain(View said, View heard, int rate) {
  const auto hop = static_cast<std::size_t>(rate / 100);
  const Signal a = levels(said, hop), b = levels(heard, hop);
  const double threshold = std::max(loudest(a) - 35, -65.0);
  Signal gains;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > threshold) gains.push_back(b[i] - a[i]);
  }
  if (gains.empty()) return 0;
  std::sort(gains.begin(), gains.end());
  const std::size_t middle = gains.size() / 2;
  return gains.size() % 2 == 1 ? gains[middle] : (gains[middle - 1] + gains[middle]) / 2;
}

// On a 5 ms grid: speech was said, and what was heard lies 30 dB below what it should be. A pause of the speaker
// belongs to the gap around it.
void find_gaps(View said, View heard, int rate, double gap_ms, Comparison& out) {
  const auto hop = static_cast<std::size_t>(rate / 200);
  const double gain = median_gain(said, heard, rate);
  const Signal a = levels(said, hop), b = levels(heard, hop);
  const double top = loudest(a);
  const auto speech = [&](std::size_t i) { return a[i] > std::max(top - 30, -55.0); };
  const auto bad = [&](std::size_t i) { return speech(i) && (b[i] < a[i] + gain - 30 || b[i] < -80); };
  const auto pause = [&](std::size_t i) { return !speech(i) && b[i] < std::max(top + gain - 45, -75.0); };
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!bad(i)) continue;
    std::size_t end = i;
    while (end < a.size() && (bad(end) || pause(end))) ++end;
    const double length = 5.0 * static_cast<double>(end - i);
    if (length > gap_ms) {
      if (out.gaps.size() < 200) out.gaps.push_back({static_cast<double>(i) * 0.005, length});
      out.gap_ms_total += length;
    }
    i = end - 1;
  }
}

// Where `block` lies in `around`, and how like it is: normalised correlation, 0..1.
std::pair<std::size_t, double> find_block(View block, View around) {
  const std::size_t n = power_of_two(around.size());
  const auto c = correlate(spectrum(block, n), spectrum(around, n));
  double energy = 0;
  for (std::size_t i = 0; i < block.size(); ++i) energy += around[i] * around[i];
  std::pair<std::size_t, double> best{0, -1};
  for (std::size_t lag = 0; lag + block.size() <= around.size(); ++lag) {
    const double v = c[lag].real() / std::sqrt(std::max(energy, 1e-9));
    if (v > best.second) best = {lag, v};
    const std::size_t last = lag + block.size();
    if (last < around.size()) energy += around[last] * around[last] - around[lag] * around[lag];
  }
  best.second /= std::sqrt(dot(block, block) + 1e-12);
  return best;
}

// Each second of what was said beside the same second of what was heard, wherever within 120 ms it is.
void align_blocks(View said, View heard, int rate, Comparison& out) {
  constexpr double kSpeech = 3.2e-6;  // mean square, -55 dBFS
  const auto block = static_cast<std::size_t>(rate), reach = block * 12 / 100;
  Signal a, b;
  double least = 0, greatest = 0;
  for (std::size_t at = 0; at + block / 2 < said.size(); at += block) {
    const auto x = said.subspan(at, std::min(block, said.size() - at));
    const std::size_t low = at - std::min(at, reach);
    const auto y = heard.subspan(low, std::min(x.size() + reach + at - low, heard.size() - low));
    std::size_t lag = at - low;
    if (dot(x, x) > kSpeech * static_cast<double>(x.size())) {
      const auto [found, likeness] = find_block(x, y);
      if (likeness >= 0.5) lag = found;
      const double moved = (static_cast<double>(lag) - static_cast<double>(at - low)) * 1000 / rate;
      least = std::min(least, moved);
      greatest = std::max(greatest, moved);
    }
    const auto part = y.subspan(lag, std::min(x.size(), y.size() - lag));
    a.insert(a.end(), x.begin(), x.begin() + static_cast<std::ptrdiff_t>(part.size()));
    b.insert(b.end(), part.begin(), part.end());
  }
  out.stoi_drift = stoi(a, b, rate);
  out.drift_span_ms = greatest - least;
}

double lost_speech_ms(View said, std::size_t heard_until, int rate) {
  const auto hop = static_cast<std::size_t>(rate / 100);
  const Signal a = levels(said, hop);
  const double threshold = std::max(loudest(a) - 35, -65.0);
  double out = 0;
  for (std::size_t i = heard_until / hop; i < a.size(); ++i) out += a[i] > threshold ? 10 : 0;
  return out;
}

}  // namespace

Comparison compare(const Audio& said_audio, const Audio& heard_audio, double offset_ms, double gap_ms) {
  const int rate = said_audio.rate;
  const Signal said = to_signal(said_audio, rate), heard = to_signal(heard_audio, rate);
  Comparison out;
  const auto loud = [](double v) { return std::abs(v) >= 1e-4; };
  out.silent = said.empty() || std::none_of(heard.begin(), heard.end(), loud);
  if (out.silent) return out;
  const Lag lag = find_lag(said, heard, rate);
  out.delay_ms = static_cast<double>(lag.samples) * 1000 / rate + offset_ms;
  out.correlation = lag.correlation;
  const auto [a, b] = align(said, heard, lag.samples);
  out.stoi = stoi(a, b, rate);
  align_blocks(a, b, rate, out);
  find_gaps(a, b, rate, gap_ms, out);
  const std::size_t until = a.size() + static_cast<std::size_t>(std::max<std::ptrdiff_t>(-lag.samples, 0));
  if (until < said.size()) out.lost_ms = lost_speech_ms(said, until, rate);
  return out;
}

}  // namespace linnet::media
