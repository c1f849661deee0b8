#include "media/echo_automatic.h"

#include <algorithm>
#include <array>

namespace linnet::media {
namespace {

constexpr double kLoudEnough = 100.0 * 100;  // energy per sample of a loudspeaker that speaks
constexpr double kReductionMemory = 0.97;    // of the reduction, from frame to frame: a third of a second
constexpr double kLearned = 100;             // reduction of the linear filter, as a ratio of energies: 20 dB
constexpr int kAtLeast = 50;                 // frames
constexpr int kAtMost = 180;                 // frames; a near speaker who never stops hides the reduction

}  // namespace

AutomaticCanceller::AutomaticCanceller(const AudioProcessingConfig& config) : config_(config), second_(config) {
  realign();
}

void AutomaticCanceller::realign() {
  AudioProcessingConfig plain = config_;
  plain.gain = false;  // one gain for the call: that of the canceller that stays, see process()
  if (!first_) first_ = std::make_unique<WebrtcCanceller>(plain);
  second_.realign();
  frames_ = 0;
  before_ = after_ = 0;
}

void AutomaticCanceller::learn(ConstFrame played) {
  double sum = 0;
  for (const auto s : played) sum += static_cast<double>(s) * s;
  if (sum < kLoudEnough * static_cast<double>(played.size())) return;
  ++frames_;
  before_ = kReductionMemory * before_ + second_.before();
  after_ = kReductionMemory * after_ + second_.after();
}

bool AutomaticCanceller::learned() const {
  return frames_ >= kAtMost || (frames_ >= kAtLeast && before_ > kLearned * after_);
}

void AutomaticCanceller::process(Frame frame, ConstFrame played) {
  if (!first_) return second_.process(frame, played);
  std::array<std::int16_t, AudioProcessing::kFrame> other;
  std::copy(frame.begin(), frame.end(), other.begin());
  first_->process(frame, played);
  second_.process(other, played);
  learn(played);
  const bool over = learned();
  const double gain = second_.gain();
  for (std::size_t i = 0; i < frame.size(); ++i) {
    const double share = over ? static_cast<double>(i) / static_cast<double>(frame.size()) : 0;
    frame[i] =
        static_cast<std::int16_t>(std::clamp((1 - share) * gain * frame[i] + share * other[i], -32768.0, 32767.0));
  }
  if (over) first_.reset();
}

}  // namespace linnet::media
