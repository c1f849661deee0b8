#include "overlay/promotion.h"

#include <algorithm>

namespace linnet::overlay {

bool Promotion::all_full(const Context& c, bool full) {
  if (!full || !offers()) {
    full_until_ = kNever;
  } else if (full_until_ == kNever) {
    full_until_ = c.now + c.jittered(kAllFull);
  }
  return full_until_ <= c.now;
}

void Promotion::begin(Time now) {
  stage_ = Stage::joining;
  until_ = now + kJoin;
  full_until_ = kNever;
}

void Promotion::joined(Time now, Duration record_life) {
  stage_ = Stage::serving;
  announced_ = true;
  since_ = now;
  until_ = kNever;
  idle_look_at_ = now + kLookIdle;
  idle_since_ = kNever;
  old_homes_until_ = now + std::min(kOldHomes, record_life);
}

void Promotion::serves_already(Time now) {
  stage_ = Stage::serving;
  announced_ = true;
  since_ = now;
}

void Promotion::hand_over(Time now) {
  stage_ = Stage::handing_over;
  until_ = now + kHandOver;
  step_at_ = now;
  old_homes_until_ = look_at_ = idle_look_at_ = kNever;
}

bool Promotion::superfluous(const Context& c, bool idle) {
  idle_look_at_ = c.now + c.jittered(kLookIdle);
  if (!idle || wished_) {
    idle_since_ = kNever;
    return false;
  }
  idle_since_ = std::min(idle_since_, c.now);
  return c.now - idle_since_ >= kIdle && c.rng.below(kLots) == 0;
}

void Promotion::close(Time now, bool circuits) {
  stage_ = Stage::closing;
  until_ = circuits ? now + kClosing : now;
  step_at_ = kNever;
}

bool Promotion::end(Time now) {
  stage_ = Stage::leaf;
  until_ = step_at_ = kNever;
  if (announced_ && now - since_ >= kMostRest) rest_ = kFirstRest;
  resting_ = true;
  rests_until_ = now + rest_;
  rest_ = std::min(2 * rest_, kMostRest);
  return std::exchange(announced_, false);
}

bool Promotion::step_due(Time now) {
  if (step_at_ > now) return false;
  step_at_ = now + kStep;
  return true;
}

bool Promotion::old_homes_over(Time now) {
  if (old_homes_until_ > now) return false;
  old_homes_until_ = kNever;
  look_at_ = now;
  return true;
}

Time Promotion::next_timeout() const {
  const Time rested = resting_ ? rests_until_ : kNever;
  return std::min({until_, step_at_, old_homes_until_, look_at_, full_until_, idle_look_at_, rested});
}

StandbyReport Promotion::report() const {
  StandbyReport out;
  out.offered = offers();
  out.called = called_;
  if (announced_) out.serves_since = since_;
  out.handing_over = ends();
  if (resting_) out.rests_until = rests_until_;
  return out;
}

}  // namespace linnet::overlay
