#include "node/conference_ear.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace linnet::node {
namespace {

constexpr std::size_t kCoarse = 12;     // samples in one, while the lag is looked for
constexpr std::size_t kFine = 480;      // samples compared to find it among those
constexpr double kAlike = 0.6;          // correlation, at the least
constexpr double kLeastPower = 10'000;  // mean square of a sound that can be compared: comfort noise is not
constexpr double kPauseOver = 0.02;     // of the power of late: a pause
constexpr std::size_t kPause = 960;     // samples
constexpr std::size_t kGivenBack = 4;   // a quarter of a block at once

template <std::size_t N>
void push(std::array<std::int16_t, N>& past, std::span<const std::int16_t> block) {
  std::copy(past.begin() + static_cast<std::ptrdiff_t>(block.size()), past.end(), past.begin());
  std::copy(block.begin(), block.end(), past.end() - static_cast<std::ptrdiff_t>(block.size()));
}

// A block of so many samples that ends `back` before the end.
template <std::size_t N>
std::span<const std::int16_t> part(const std::array<std::int16_t, N>& past, std::size_t back, std::size_t n) {
  return std::span(past).subspan(N - back - n, n);
}

std::vector<float> coarse(std::span<const std::int16_t> samples) {
  std::vector<float> out(samples.size() / kCoarse);
  for (std::size_t i = 0; i < out.size(); ++i) {
    float sum = 0;
    for (std::size_t k = 0; k < kCoarse; ++k) sum += samples[i * kCoarse + k];
    out[i] = sum / kCoarse;
  }
  return out;
}

template <class T>
double alike(std::span<const T> a, std::span<const T> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

double power(std::span<const std::int16_t> samples) {
  double out = 0;
  for (const auto sample : samples) out += static_cast<double>(sample) * sample;
  return samples.empty() ? 0 : out / static_cast<double>(samples.size());
}

void fade(std::span<std::int16_t> block, std::span<const std::int16_t> before, std::size_t over) {
  for (std::size_t i = 0; i < std::min({over, block.size(), before.size()}); ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(over);
    block[i] = static_cast<std::int16_t>(share * block[i] + (1 - share) * before[i]);
  }
}

}  // namespace

// Who is heard goes on in his own track, whichever of the two he is by now.
ConferenceEar::Track& ConferenceEar::track_of(const Stream& stream, const Stream& other) {
  for (auto& track : tracks_)
    if (track.from == stream.from) return track;
  auto& out = tracks_[0].from && *tracks_[0].from == other.from ? tracks_[1] : tracks_[0];
  out = {};
  out.from = stream.from;
  return out;
}

void ConferenceEar::take(Time now, const Stream& stream, std::size_t samples, Track& into) {
  std::array<std::int16_t, kMaxBlock> block{};
  into.good = false;
  into.start = samples;
  into.there = stream.voice != nullptr;
  if (into.there) {
    const double before = stream.voice->made_up_ms(now);
    into.start = stream.voice->play(now, std::span(block).first(samples));
    into.good = into.start == 0 && stream.voice->made_up_ms(now) == before;
    std::fill_n(block.begin(), std::min(into.start, samples), std::int16_t{0});
  }
  push(into.past, std::span<const std::int16_t>(block).first(samples));
}

bool ConferenceEar::chooses_deputy(Time now, const Track& mixer, const Track& deputy) {
  if (!deputy.good) return false;
  if (!mixer.good) return true;
  // Back only when the mixer has been whole for a while; not at all when it was never left.
  const bool there = heard_ == deputy.from && heard_ != mixer.from;
  if (there && bad_since_good_ && now < *bad_since_good_ + kGoodAgain) return true;
  const bool is_known = known_ && known_->of == *mixer.from;
  const bool no_later = is_known && known_->lag >= 0;
  // As long as that the pause is in both.
  const auto apart = is_known ? static_cast<std::size_t>(std::abs(known_->lag)) : kMostApart;
  if (!there || no_later || pauses(kPause + std::min(apart, kMostApart))) {
    waits_until_.reset();
    return false;
  }
  if (!waits_until_) waits_until_ = now + kWaitsForPause;
  return now < *waits_until_;
}

bool ConferenceEar::pauses(std::size_t length) const {
  const double now = power(part(heard_past_, 0, length));
  return now < kLeastPower || now <= kPauseOver * power(part(heard_past_, 0, kKept));
}

// By how many samples the track's sound is before what is heard: positive where it would have to wait. The block of now
// is in the track already, and not yet in what is heard.
std::optional<int> ConferenceEar::lag_of(const Track& track, std::size_t samples) const {
  constexpr std::size_t kSpan = kMostApart / kCoarse;
  const auto late = part(heard_past_, 0, kCompared);
  if (power(late) < kLeastPower) return std::nullopt;
  const auto theirs = coarse(part(track.past, samples, kMostApart + kCompared));
  const auto ours = coarse(part(heard_past_, 0, kMostApart + kCompared));
  constexpr std::size_t kWindow = kCompared / kCoarse;
  double best = 0;
  int lag = 0;
  for (std::size_t i = 0; i <= kSpan; ++i) {
    const auto at = [&](const std::vector<float>& of, std::size_t back) {
      return std::span<const float>(of).subspan(of.size() - kWindow - back, kWindow);
    };
    for (const bool before : {true, false}) {
      const double now = before ? alike(at(ours, 0), at(theirs, i)) : alike(at(ours, i), at(theirs, 0));
      if (now <= best) continue;
      best = now;
      lag = static_cast<int>(i * kCoarse) * (before ? 1 : -1);
    }
  }
  if (best < kAlike) return std::nullopt;
  if (lag <= 0) return lag;
  int fine = lag;
  best = 0;
  for (int i = std::max(0, lag - static_cast<int>(kCoarse));
       i <= std::min(static_cast<int>(kMostApart), lag + static_cast<int>(kCoarse)); ++i) {
    const double now =
        alike(part(heard_past_, 0, kFine), part(track.past, samples + static_cast<std::size_t>(i), kFine));
    if (now <= best) continue;
    best = now;
    fine = i;
  }
  return fine;
}

void ConferenceEar::note_lag(Time now, const Track& other, std::size_t samples) {
  if (known_ && known_->of != *other.from) {
    known_.reset();
    look_at_ = now;
  }
  if (now < look_at_ || !other.good) return;
  if (const auto lag = lag_of(other, samples)) known_ = Known{*other.from, *lag, now};
  look_at_ = now + (known_ ? kLooksAgain : kLooksSoon);
}

void ConferenceEar::go_to(Time now, const Track& track, std::size_t samples) {
  auto lag = lag_of(track, samples);
  // In a pause it is as it was when somebody last spoke.
  if (!lag && known_ && known_->of == *track.from && now < known_->at + kKnown) lag = known_->lag;
  delay_ = lag && *lag > 0 ? std::min(static_cast<std::size_t>(*lag), kMostApart) : 0;
  known_.reset();
  look_at_ = now;
  waits_until_.reset();
  ++switches_;
}

// In a pause nobody hears that a piece of it is left out.
void ConferenceEar::give_back(const Track& track, std::span<std::int16_t> block) {
  if (delay_ == 0) return;
  const auto most = std::max<std::size_t>(1, block.size() / kGivenBack);
  const auto less = std::min(delay_, most);
  const auto skipped = part(track.past, delay_ - less, block.size() + less);
  if (power(skipped) > kPauseOver * power(part(heard_past_, 0, kCompared + kMostApart))) return;
  delay_ -= less;
  std::vector<std::int16_t> sooner(skipped.end() - static_cast<std::ptrdiff_t>(block.size()), skipped.end());
  fade(sooner, block, std::min(kSeam, block.size()));
  std::copy(sooner.begin(), sooner.end(), block.begin());
}

std::size_t ConferenceEar::play(Time now, const Stream& mixer, const Stream& deputy, std::span<std::int16_t> out) {
  std::size_t start = out.size();
  for (std::size_t at = 0; at < out.size(); at += kMaxBlock) {
    const auto block = out.subspan(at, std::min(kMaxBlock, out.size() - at));
    auto& first = track_of(mixer, deputy);
    take(now, mixer, block.size(), first);
    auto& second = track_of(deputy, mixer);
    if (&second != &first) take(now, deputy, block.size(), second);
    if (!first.good) bad_since_good_ = now;
    const bool to_second = &second != &first && chooses_deputy(now, first, second);
    const auto& chosen = to_second ? second : first;
    const auto& other = to_second ? first : second;
    if (chosen.start < block.size()) start = std::min(start, at + chosen.start);
    if (!chosen.there) {
      std::fill(block.begin(), block.end(), std::int16_t{0});
      push(heard_past_, std::span<const std::int16_t>(block));
      continue;
    }
    const bool moves = heard_ && *heard_ != *chosen.from;
    const auto before = delay_;
    if (moves) go_to(now, chosen, block.size());
    const auto heard = part(chosen.past, delay_, block.size());
    std::copy(heard.begin(), heard.end(), block.begin());
    // What was heard until now ends in this block, be it concealment: no click at the seam.
    if (moves && other.from == heard_ && other.there && other.start == 0)
      fade(block, part(other.past, before, block.size()), kSeam);
    if (!moves) give_back(chosen, block);
    heard_ = chosen.from;
    if (&other != &chosen) note_lag(now, other, block.size());
    push(heard_past_, std::span<const std::int16_t>(block));
  }
  began_ = began_ || start < out.size();
  return began_ && start == out.size() ? 0 : start;
}

}  // namespace linnet::node
