#include "media/stoi.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "media/signal.h"

namespace linnet::media {
namespace {

// The constants of the paper, section II.
constexpr int kStoiRate = 10000;
constexpr std::size_t kFrame = 256, kHop = kFrame / 2, kFft = 512, kBands = 15, kSegment = 30;
constexpr double kLowestBand = 150, kDynamicRange = 40, kBeta = -15, kTiny = 1e-12;

using Signal = std::vector<double>;
using Bands = std::vector<std::array<double, kBands>>;  // one row a frame
using Row = std::array<double, kSegment>;

const std::array<double, kFrame>& window() {
  static const auto w = [] {
    std::array<double, kFrame> out{};
    for (std::size_t i = 0; i < kFrame; ++i) {
      out[i] =
          0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i + 1) / static_cast<double>(kFrame + 1));
    }
    return out;
  }();
  return w;
}

// Frames in which the clean signal is within 40 dB of its loudest one.
std::vector<std::size_t> speech_frames(const Signal& clean) {
  std::vector<std::size_t> starts;
  std::vector<double> level;
  const auto& w = window();
  for (std::size_t at = 0; at + kFrame < clean.size(); at += kHop) {
    double sum = 0;
    for (std::size_t i = 0; i < kFrame; ++i) {
      const double v = clean[at + i] * w[i];
      sum += v * v;
    }
    starts.push_back(at);
    level.push_back(20 * std::log10(std::sqrt(sum) + kTiny));
  }
  if (starts.size() < kSegment) return {};
  const double threshold = *std::max_element(level.begin(), level.end()) - kDynamicRange;
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (level[i] > threshold) out.push_back(starts[i]);
  }
  return out;
}

// Only those frames, put together again by overlap-add.
Signal without_silence(const Signal& in, const std::vector<std::size_t>& frames) {
  Signal out((frames.size() - 1) * kHop + kFrame);
  for (std::size_t f = 0; f < frames.size(); ++f) {
    for (std::size_t i = 0; i < kFrame; ++i) out[f * kHop + i] += in[frames[f] + i] * window()[i];
  }
  return out;
}

std::size_t nearest_bin(double hz) {
  const double bin = hz * kFft / kStoiRate;
  // Ties go to the lower bin, as the first minimum does.
  return std::min<std::size_t>(static_cast<std::size_t>(std::ceil(bin - 0.5)), kFft / 2);
}

Bands third_octaves(const Signal& in) {
  Bands out;
  std::vector<Complex> spectrum(kFft);
  for (std::size_t at = 0; at + kFrame <= in.size(); at += kHop) {
    std::fill(spectrum.begin(), spectrum.end(), Complex{});
    for (std::size_t i = 0; i < kFrame; ++i) spectrum[i] = in[at + i] * window()[i];
    fft(spectrum);
    std::array<double, kBands> row{};
    for (std::size_t k = 0; k < kBands; ++k) {
      const double centre = std::pow(2.0, static_cast<double>(k) / 3) * kLowestBand;
      const std::size_t low = nearest_bin(centre * std::pow(2.0, -1.0 / 6)),
                        high = nearest_bin(centre * std::pow(2.0, 1.0 / 6));
      double sum = 0;
      for (std::size_t b = low; b < high; ++b) sum += std::norm(spectrum[b]);
      row[k] = std::sqrt(sum);
    }
    out.push_back(row);
  }
  return out;
}

double norm(const Row& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

void remove_mean(Row& v) {
  double mean = 0;
  for (const double x : v) mean += x / kSegment;
  for (double& x : v) x -= mean;
}

// Correlation of one band's envelopes over 384 ms, the processed one normalised and clipped.
double segment_correlation(Row clean, Row processed) {
  static const double clip = 1 + std::pow(10.0, -kBeta / 20);
  const double gain = norm(clean) / (norm(processed) + kTiny);
  for (std::size_t i = 0; i < kSegment; ++i) processed[i] = std::min(processed[i] * gain, clean[i] * clip);
  remove_mean(clean);
  remove_mean(processed);
  double dot = 0;
  for (std::size_t i = 0; i < kSegment; ++i) dot += clean[i] * processed[i];
  return dot / (norm(clean) * norm(processed) + kTiny);
}

Row band_segment(const Bands& bands, std::size_t band, std::size_t end) {
  Row out{};
  for (std::size_t i = 0; i < kSegment; ++i) out[i] = bands[end - kSegment + i][band];
  return out;
}

}  // namespace

std::optional<double> stoi(std::span<const double> clean_in, std::span<const double> processed_in, int rate) {
  Signal clean = resample_polyphase(clean_in, rate, kStoiRate);
  Signal processed = resample_polyphase(processed_in, rate, kStoiRate);
  const std::size_t n = std::min(clean.size(), processed.size());
  clean.resize(n);
  processed.resize(n);
  const auto frames = speech_frames(clean);
  if (frames.empty()) return std::nullopt;
  const Bands x = third_octaves(without_silence(clean, frames));
  const Bands y = third_octaves(without_silence(processed, frames));
  if (x.size() < kSegment) return std::nullopt;
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t end = kSegment; end <= x.size(); ++end) {
    for (std::size_t k = 0; k < kBands; ++k, ++count)
      sum += segment_correlation(band_segment(x, k, end), band_segment(y, k, end));
  }
  return sum / static_cast<double>(count);
}

}  // namespace linnet::media
