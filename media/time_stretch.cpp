#include "media/time_stretch.h"

#include <algorithm>
#include <cmath>

#include "media/codec_kind.h"

namespace linnet::media {
namespace {

using Samples = std::span<const std::int16_t>;

constexpr std::size_t kOverlap = 5 * kSamplesPerMs;
constexpr std::size_t kMinLag = 5 * kSamplesPerMs / 2;  // 400 Hz
constexpr double kMinLikeness = 0.75;
constexpr double kQuiet = 100.0 * 100.0;  // mean square, about -50 dBFS: any cut goes unheard

// Normalised correlation of two equally long stretches; every second sample is enough below 12 kHz.
double likeness(const std::int16_t* a, const std::int16_t* b) {
  double ab = 0, aa = 1, bb = 1;
  for (std::size_t i = 0; i < kOverlap; i += 2) {
    const double x = a[i], y = b[i];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / std::sqrt(aa * bb);
}

double mean_square(Samples in) {
  double sum = 0;
  for (const double x : in) sum += x * x;
  return in.empty() ? 0 : sum / static_cast<double>(in.size());
}

// The lag at which the stretch at `at` looks most like the one `direction * lag` away; 0: none is alike enough.
std::size_t best_lag(Samples in, std::size_t at, int direction, std::size_t max) {
  if (max < kMinLag) return 0;
  if (mean_square(in) < kQuiet) return max;
  std::size_t best = 0;
  double score = kMinLikeness;
  for (std::size_t lag = kMinLag; lag <= max; ++lag) {
    const std::size_t other = direction > 0 ? at + lag : at - lag;
    const double l = likeness(in.data() + at, in.data() + other);
    if (l > score) {
      score = l;
      best = lag;
    }
  }
  return best;
}

void cross_fade(Samples from, Samples to, std::vector<std::int16_t>& out) {
  for (std::size_t i = 0; i < kOverlap; ++i) {
    const int w = static_cast<int>(i);
    constexpr int kAll = static_cast<int>(kOverlap);
    out.push_back(static_cast<std::int16_t>((from[i] * (kAll - w) + to[i] * w) / kAll));
  }
}

}  // namespace

std::size_t accelerate(Samples in, std::size_t max, std::vector<std::int16_t>& out) {
  const std::size_t lag = in.size() > kOverlap ? best_lag(in, 0, 1, std::min(max, in.size() - kOverlap)) : 0;
  if (lag == 0) {
    out.insert(out.end(), in.begin(), in.end());
    return 0;
  }
  cross_fade(in, in.subspan(lag), out);
  const auto rest = in.subspan(lag + kOverlap);
  out.insert(out.end(), rest.begin(), rest.end());
  return lag;
}

std::size_t expand(Samples in, std::size_t max, std::vector<std::int16_t>& out) {
  const std::size_t at = in.size() > kOverlap ? in.size() - kOverlap : 0;
  const std::size_t lag = best_lag(in, at, -1, std::min(max, at));
  if (lag == 0) {
    out.insert(out.end(), in.begin(), in.end());
    return 0;
  }
  const auto head = in.first(at);
  out.insert(out.end(), head.begin(), head.end());
  cross_fade(in.subspan(at), in.subspan(at - lag), out);
  const auto rest = in.subspan(at - lag + kOverlap);
  out.insert(out.end(), rest.begin(), rest.end());
  return lag;
}

}  // namespace linnet::media
