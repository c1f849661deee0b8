#include "node/conference_deadline.h"

#include <algorithm>

namespace linnet::node {

std::string_view to_string(Deadline verdict) {
  switch (verdict) {
    case Deadline::fine: return "fine";
    case Deadline::tight: return "tight";
    case Deadline::over: return "over";
  }
  return {};
}

Deadline DeadlineMeter::verdict() const {
  if (over_) return Deadline::over;
  return heard_ < kHeard ? Deadline::tight : Deadline::fine;
}

void DeadlineMeter::frame(Time now, std::size_t members, Duration late, Duration took) {
  // A machine that slept for an hour stood still once.
  const Duration spent = std::clamp<Duration>(std::max(late, Duration{}) + took, Duration{}, kMostAtOnce * kFrame);
  ++frames_;
  slow_ += spent > kSlow ? 1 : 0;
  spent_ += spent;
  if (frames_ >= kWindow || slow_ >= kManySlow) judge(now, members);
}

void DeadlineMeter::judge(Time now, std::size_t members) {
  if (slow_ >= kManySlow) {
    calm_ = 0;
    shed(now, members);
  } else if (slow_ <= kFewSlow) {
    bad_ = 0;
    if (++calm_ >= calm_needed_) relax();
  } else {
    bad_ = calm_ = 0;
  }
  frames_ = slow_ = 0;
  spent_ = {};
}

void DeadlineMeter::shed(Time now, std::size_t members) {
  if (relaxed_) calm_needed_ = std::min(2 * calm_needed_, kCalmMost);
  relaxed_ = false;
  if (heard_ > 1) {
    --heard_;
    return;
  }
  if (++bad_ < kOverAfter) return;
  bad_ = 0;
  over_ = true;
  // What took so long for these members would have been in time for that many: at least one less.
  const double share = static_cast<double>(kSlow.count()) * frames_ / static_cast<double>(spent_.count());
  const auto most = static_cast<double>(std::min<std::size_t>(members, 1u << 16));
  const auto fit = static_cast<std::uint32_t>(std::clamp(most * share, 1.0, std::max(1.0, most - 1)));
  carries_ = carries_ ? std::min(*carries_, fit) : fit;
  humble_until_ = now + kHumble;
}

void DeadlineMeter::relax() {
  calm_ = 0;
  relaxed_ = true;
  if (over_) {
    over_ = false;
  } else if (heard_ < kHeard) {
    ++heard_;
  } else {
    // Long enough without a relapse.
    calm_needed_ = std::max(kCalm, calm_needed_ / 2);
    relaxed_ = false;
  }
}

void DeadlineMeter::idle() {
  const auto carries = carries_;
  const auto until = humble_until_;
  *this = {};
  carries_ = carries;
  humble_until_ = until;
}

bool DeadlineMeter::handle_timeout(Time now) {
  if (now < humble_until_) return false;
  humble_until_ = kNever;
  carries_.reset();
  return true;
}

}  // namespace linnet::node
