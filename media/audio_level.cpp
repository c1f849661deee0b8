#include "media/audio_level.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {
namespace {

constexpr double kOverload = 32768.0 * 32768.0;
constexpr int kSilent = 127;

double sum_of_squares(std::span<const std::int16_t> samples) {
  std::int64_t out = 0;  // 2^30 of each sample at most
  for (const std::int64_t s : samples) out += s * s;
  return static_cast<double>(out);
}

double share_of_overload(int db) { return kOverload * std::pow(10.0, db / 10.0); }

std::uint8_t level_of(double mean_square) {
  if (mean_square <= 0) return kSilent;
  const double db = -10 * std::log10(mean_square / kOverload);
  return static_cast<std::uint8_t>(std::lround(std::clamp<double>(db, 0, kSilent)));
}

}  // namespace

AudioLevel measure(std::span<const std::int16_t> samples) {
  if (samples.empty()) return {};
  const auto dbov = level_of(sum_of_squares(samples) / static_cast<double>(samples.size()));
  return {dbov, dbov < kFaint};
}

AudioLevel VoiceDetector::measure(std::span<const std::int16_t> samples) {
  if (samples.empty()) return {};
  double all = 0;
  bool voice = false;
  for (auto rest = samples; !rest.empty();) {
    const auto block = rest.first(std::min(rest.size(), kBlock));
    rest = rest.subspan(block.size());
    const double squares = sum_of_squares(block);
    all += squares;
    judge(squares / static_cast<double>(block.size()));
    voice = voice || hold_ > 0;
  }
  return {level_of(all / static_cast<double>(samples.size())), voice};
}

void VoiceDetector::judge(double mean_square) {
  static const double faint = share_of_overload(-static_cast<int>(kFaint)), over = std::pow(10.0, kOver / 10.0);
  const bool loud = mean_square > std::max(faint, noise_ * over);
  over_ = loud ? over_ + 1 : 0;
  hold_ = over_ >= kOnset ? kHold : hold_ - std::min<std::size_t>(hold_, 1);
  learn(mean_square);
}

void VoiceDetector::learn(double mean_square) {
  sum_ += mean_square;
  if (++sums_ < kStretch) return;
  stretches_[at_] = sum_ / kStretch;
  at_ = (at_ + 1) % kStretches;
  known_ = std::min(known_ + 1, kStretches);
  sum_ = 0;
  sums_ = 0;
  noise_ = *std::min_element(stretches_.begin(), stretches_.begin() + static_cast<std::ptrdiff_t>(known_));
}

std::optional<AudioLevel> parse_client_level(ByteView element) {
  if (element.empty()) return std::nullopt;
  return AudioLevel{static_cast<std::uint8_t>(element[0] & 0x7f), (element[0] & 0x80) != 0};
}

std::uint8_t client_level_octet(const AudioLevel& level) {
  return static_cast<std::uint8_t>((level.voice ? 0x80 : 0) | std::min<int>(level.dbov, kSilent));
}

}  // namespace linnet::media
