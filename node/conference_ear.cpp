#include "node/conference_ear.h"

#include <algorithm>

namespace linnet::node {

void ConferenceEar::take(Time now, const Stream& stream, std::size_t samples, Taken& into) {
  into.good = false;
  into.start = samples;
  if (stream.voice == nullptr) return;
  const double before = stream.voice->made_up_ms(now);
  into.start = stream.voice->play(now, std::span(into.samples).first(samples));
  into.good = into.start == 0 && stream.voice->made_up_ms(now) == before;
}

bool ConferenceEar::chooses_deputy(Time now, const Stream& mixer, const Stream& deputy) const {
  if (!second_.good) return false;
  if (!first_.good) return true;
  // Back only when the mixer has been whole for a while; not at all when it was never left.
  const bool there = heard_ == deputy.from && heard_ != mixer.from;
  return there && bad_since_good_ && now < *bad_since_good_ + kGoodAgain;
}

std::size_t ConferenceEar::play(Time now, const Stream& mixer, const Stream& deputy, std::span<std::int16_t> out) {
  std::size_t start = out.size();
  for (std::size_t at = 0; at < out.size(); at += kMaxBlock) {
    const auto block = out.subspan(at, std::min(kMaxBlock, out.size() - at));
    take(now, mixer, block.size(), first_);
    take(now, deputy, block.size(), second_);
    if (!first_.good) bad_since_good_ = now;
    const bool second = chooses_deputy(now, mixer, deputy);
    const auto& from = second ? deputy : mixer;
    const auto& chosen = second ? second_ : first_;
    const auto& other = second ? first_ : second_;
    if (chosen.start < block.size()) start = std::min(start, at + chosen.start);
    if (from.voice == nullptr) {
      std::fill(block.begin(), block.end(), std::int16_t{0});
      continue;
    }
    std::copy_n(chosen.samples.begin(), block.size(), block.begin());
    std::fill_n(block.begin(), std::min(chosen.start, block.size()), std::int16_t{0});
    // What was heard until now ends in this block, be it concealment: no click at the seam.
    const bool seam = heard_ && *heard_ != from.from && other.start == 0;
    for (std::size_t i = 0; seam && i < std::min(kSeam, block.size()); ++i) {
      const double share = static_cast<double>(i) / kSeam;
      block[i] = static_cast<std::int16_t>(share * block[i] + (1 - share) * other.samples[i]);
    }
    if (heard_ && *heard_ != from.from) ++switches_;
    heard_ = from.from;
  }
  began_ = began_ || start < out.size();
  return began_ && start == out.size() ? 0 : start;
}

}  // namespace linnet::node
