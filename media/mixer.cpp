#include "media/mixer.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {
namespace {

constexpr std::size_t kMaxInputs = 2 * Loudest::kPlaces;
constexpr double kLeastFloor = 3, kMostFloor = 33;  // about -80 and -60 dB of full scale
constexpr double kNoiseShape = 0.7;                 // of the low pass; rooms hum more than they hiss

// A frame of somebody who comes begins at nothing, one of somebody who leaves ends there: no click.
double ramp(std::size_t i, bool comes, bool leaves) {
  double out = 1;
  if (comes && i < Mixer::kRamp) out = static_cast<double>(i) / Mixer::kRamp;
  if (leaves) out *= 1 - static_cast<double>(i) / Mixer::kFrame;
  return out;
}

}  // namespace

void Mixer::add(Seat seat) {
  members_.try_emplace(seat);
  loudest_.add(seat);
  wanted_.reserve(kMaxInputs);
  inputs_.reserve(kMaxInputs);
  before_.reserve(kMaxInputs);
  owns_.reserve(kMaxWarm + Loudest::kPlaces);
}

void Mixer::remove(Seat seat) {
  members_.erase(seat);
  loudest_.remove(seat);
  std::erase(wanted_, seat);
  std::erase_if(inputs_, [&](const Input& in) { return in.seat == seat; });
  std::erase_if(owns_, [&](const Own& o) { return o.seat == seat; });
}

void Mixer::set_gain(Seat seat, double gain) {
  const auto member = members_.find(seat);
  if (member != members_.end()) member->second.gain = std::clamp(gain, 0.0, 4.0);
}

void Mixer::set_always(Seat seat, bool always) {
  const auto member = members_.find(seat);
  if (member != members_.end()) member->second.always = always;
}

void Mixer::spare(std::size_t places, bool warm) {
  loudest_.set_most(places);
  warm_ = warm;
}

void Mixer::hear(Seat seat, AudioLevel level) {
  const auto member = members_.find(seat);
  if (member != members_.end() && member->second.gain > 0 && !member->second.always) loudest_.hear(seat, level);
}

Mixer::Input* Mixer::input(Seat seat) {
  const auto found = std::find_if(inputs_.begin(), inputs_.end(), [&](const Input& in) { return in.seat == seat; });
  return found == inputs_.end() ? nullptr : &*found;
}

Mixer::Own* Mixer::own(Seat seat) {
  const auto found = std::find_if(owns_.begin(), owns_.end(), [&](const Own& o) { return o.seat == seat; });
  return found == owns_.end() ? nullptr : &*found;
}

void Mixer::want(Seat seat, bool leaves, bool comes) {
  auto& in = inputs_.emplace_back();
  in.seat = seat;
  in.leaves = leaves;
  in.comes = comes;
  wanted_.push_back(seat);
}

void Mixer::choose(Time now) {
  loudest_.choose(now);
  std::swap(inputs_, before_);
  inputs_.clear();
  wanted_.clear();
  const auto was_heard = [&](Seat seat) {
    return std::any_of(before_.begin(), before_.end(), [&](const Input& in) { return in.seat == seat && !in.leaves; });
  };
  for (const auto seat : loudest_.places()) {
    want(seat, false, !was_heard(seat));
  }
  for (const auto& [seat, member] : members_) {
    if (member.always && inputs_.size() < kMaxInputs) want(seat, false, !was_heard(seat));
  }
  for (const auto& in : before_) {
    if (in.leaves || input(in.seat) != nullptr || loudest_.has_place(in.seat) || inputs_.size() >= kMaxInputs) continue;
    want(in.seat, true, false);
  }
}

void Mixer::put(Time now, Seat seat, std::span<const std::int16_t> frame) {
  auto* in = input(seat);
  if (in == nullptr || frame.size() != kFrame) return;
  std::copy(frame.begin(), frame.end(), in->frame.begin());
  in->filled = true;
  in->level = measure(in->frame);
  if (!in->leaves) loudest_.measured(now, seat, in->level);
}

// Owners of a stream: the heard now, and the last ones of late.
void Mixer::keep_own(Time now) {
  for (const auto& in : inputs_) {
    auto* o = own(in.seat);
    if (o == nullptr) {
      if (owns_.size() >= kMaxWarm + Loudest::kPlaces) {
        const auto oldest =
            std::min_element(owns_.begin(), owns_.end(), [](const Own& a, const Own& b) { return a.until < b.until; });
        owns_.erase(oldest);
      }
      o = &owns_.emplace_back();
      o->seat = in.seat;
      o->limiter = limiter_;
    }
    o->until = now + kWarm;
  }
  std::erase_if(owns_, [&](const Own& o) { return now >= o.until || (!warm_ && input(o.seat) == nullptr); });
}

void Mixer::sum(Time) {
  sum_.fill(0);
  for (auto& in : inputs_) {
    if (!in.filled) continue;
    const auto member = members_.find(in.seat);
    if (member == members_.end()) continue;
    const double from = in.comes ? member->second.gain : member->second.applied;
    const double step = (member->second.gain - from) / kFrame;
    member->second.applied = member->second.gain;
    const bool plain = from == 1 && step == 0 && !in.comes && !in.leaves;
    for (std::size_t i = 0; !plain && i < kFrame; ++i) {
      const double gain = (from + step * static_cast<double>(i)) * ramp(i, in.comes, in.leaves);
      in.frame[i] = static_cast<std::int16_t>(std::clamp(std::lrint(in.frame[i] * gain), -32768L, 32767L));
    }
    for (std::size_t i = 0; i < kFrame; ++i) sum_[i] += in.frame[i];
  }
}

// Where nobody talks a line must not sound dead.
void Mixer::add_noise() {
  const double white = floor_ * std::sqrt(12.0) * std::sqrt((1 - kNoiseShape * kNoiseShape));
  for (auto& sample : sum_) {
    noise_ = noise_ * 1664525 + 1013904223;
    const double uniform = static_cast<double>(noise_ >> 8) / (1 << 24) - 0.5;
    noise_low_ = kNoiseShape * noise_low_ + white * uniform;
    sample += static_cast<std::int32_t>(std::lrint(noise_low_));
  }
}

void Mixer::render(std::span<const std::int32_t> sum, Limiter& limiter, Frame& out) { limiter.process(sum, out); }

void Mixer::mix(Time now) {
  for (const auto& in : inputs_) {
    // The quietest that somebody heard was between his words: what the room's noise is like.
    if (!in.filled || in.level.voice || in.level.dbov == 127) continue;
    const double rms = 32768 * std::pow(10.0, -in.level.dbov / 20.0);
    floor_ += (std::clamp(rms, kLeastFloor, kMostFloor) - floor_) * 0.02;
  }
  sum(now);
  add_noise();
  keep_own(now);
  for (auto& o : owns_) {
    const auto* in = input(o.seat);
    if (in == nullptr || !in->filled) {
      render(sum_, o.limiter, o.frame);
      continue;
    }
    for (std::size_t i = 0; i < kFrame; ++i) less_[i] = sum_[i] - in->frame[i];
    render(less_, o.limiter, o.frame);
  }
  render(sum_, limiter_, common_);
  common_level_ = measure(common_);
}

const Mixer::Frame& Mixer::without(Seat seat) const {
  const auto found = std::find_if(owns_.begin(), owns_.end(), [&](const Own& o) { return o.seat == seat; });
  return found == owns_.end() ? common_ : found->frame;
}

bool Mixer::owns(Seat seat) const {
  return std::any_of(owns_.begin(), owns_.end(), [&](const Own& o) { return o.seat == seat; });
}

AudioLevel Mixer::level(Seat seat) const {
  const auto found = std::find_if(inputs_.begin(), inputs_.end(), [&](const Input& in) { return in.seat == seat; });
  return found == inputs_.end() || !found->filled ? AudioLevel{} : found->level;
}

}  // namespace linnet::media
