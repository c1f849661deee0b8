#include "node/voice_guard.h"

#include <algorithm>
#include <bit>

namespace linnet::node {
namespace {

constexpr Duration kGiveUp = std::chrono::seconds(3);

}  // namespace

void VoiceGuard::expect(Time now, bool expected, Duration frame, std::optional<double> jitter_ms, bool slow) {
  if (expected && !expected_ && last_) {  // a hold is no silence
    last_ = now;
    soon_ = 0;
    if (!lossy_) ask_at_ = kNever;
  }
  expected_ = expected;
  const auto jitter = Duration(static_cast<Duration::rep>(std::max(0.0, jitter_ms.value_or(0)) * 3000));
  silence_ = std::min(std::max(kSilence, 3 * frame) + jitter, kMostSilence);
  if (slow) silence_ = kSlowSilence;
  if (slow && !slow_) {
    lossy_ = false;
    missing_ = missing_before_ = 0;
    ask_at_ = kNever;
    soon_ = 0;
  }
  slow_ = slow;
}

void VoiceGuard::uses(const overlay::Path& path) { used_ = path; }

// A third way takes the place of the one that was silent longer.
std::size_t VoiceGuard::way_of(Time now, const overlay::Path& path) {
  for (std::size_t i = 0; i < kWays; ++i) {
    if (ways_[i] == path) return i;
  }
  const std::size_t way = !ways_[0] || (ways_[1] && way_heard_[0] < way_heard_[1]) ? 0 : 1;
  ways_[way] = path;
  way_heard_[way] = now;
  for (auto& slot : slots_) slot.by[way] = false;
  since_clean_ = 0;
  return way;
}

void VoiceGuard::heard(Time now, const overlay::Path& by, std::uint16_t sequence, bool first) {
  const auto way = way_of(now, by);
  way_heard_[way] = now;
  const std::int64_t number =
      highest_ < 0 ? sequence : highest_ + static_cast<std::int16_t>(sequence - static_cast<std::uint16_t>(highest_));
  if (number < 0 || number <= highest_ - kRemembered) return;
  if (highest_ >= 0 && number > highest_ + kRemembered) judged_ = -1;  // it paused, or is another stream
  auto& slot = slots_[static_cast<std::size_t>(number % kRemembered)];
  if (slot.number != number) slot = {number, {}};
  slot.by[way] = true;
  if (number > highest_) highest_ = number;
  if (!first) return;
  last_ = now;
  came_ = std::min(came_ + 1, kYoung);
  soon_ = 0;
  if (!lossy_) ask_at_ = kNever;
  judge(now);
  // Voice comes by the other way alone: is this one still there?
  if (lossy_ && used_ && ways_[1 - way] == used_ && now - way_heard_[1 - way] > silence_ &&
      ask_at_ - now > kAgain / 2) {
    ask(now, true);
    ask_at_ = now + kAgain;
  }
}

void VoiceGuard::judge(Time now) {
  const auto until = highest_ - kJudgedAfter;
  if (judged_ < 0) judged_ = highest_;  // what was before is not known
  const bool two = ways_[0] && ways_[1];
  for (; judged_ < until; ++judged_) {
    const auto number = judged_ + 1;
    const auto& slot = slots_[static_cast<std::size_t>(number % kRemembered)];
    const bool known = slot.number == number;
    const bool came = known && (slot.by[0] || slot.by[1]);
    missing_before_ = missing_before_ << 1 | missing_ >> 63;
    missing_ = missing_ << 1 | (came ? 0 : 1);
    judged_count_ = std::min(judged_count_ + 1, kJudged);
    const bool whole = came && (!two || (slot.by[0] && slot.by[1]));
    // One of a hundred is forgiven: no way is perfect.
    since_clean_ = whole ? since_clean_ + 1 : std::max(0, since_clean_ - kJudged);
  }
  if (!lossy_ && relayed_loss()) {
    lossy_ = protected_once_ = true;
    since_clean_ = 0;
    ask(now, false);
    ask_at_ = now + kAgain;
  } else if (lossy_ && since_clean_ >= kLeaveAfter) {
    lossy_ = false;
    missing_ = missing_before_ = 0;
    ask_at_ = kNever;
  }
}

bool VoiceGuard::relayed_loss() const {
  constexpr std::uint64_t kUpper = (std::uint64_t{1} << (kJudged - 64)) - 1;
  const int lost = std::popcount(missing_) + std::popcount(missing_before_ & kUpper);
  return !slow_ && used_ && used_->kind != overlay::PathKind::direct && lost >= kEnter;
}

void VoiceGuard::ask(Time now, bool urgent) {
  ask_ = Ask{kLease, urgent || (ask_ && ask_->urgent)};
  asked_until_ = now + kLease;
}

Time VoiceGuard::silent_at() const {
  if (!expected_ || !last_) return kNever;
  return *last_ + (came_ < kYoung ? std::max(silence_, kMostSilence) : silence_);
}

Time VoiceGuard::next_timeout() const {
  if (!expected_) return kNever;
  return std::min(ask_at_, soon_ == 0 ? silent_at() : kNever);
}

void VoiceGuard::handle_timeout(Time now) {
  if (now < next_timeout()) return;
  const bool silent = silent_at() <= now;
  if (silent && now - *last_ > kGiveUp) {  // the link has to find a way first; the next voice begins anew
    ask_at_ = kNever;
    soon_ = std::max(soon_, 1);
    return;
  }
  if (!silent && !lossy_) {
    ask_at_ = kNever;
    return;
  }
  ask(now, silent);
  // Silence ends the pace of what went on before.
  const Duration pause = slow_ || soon_ >= kSoonTimes ? kAgain : kSoon;
  ask_at_ = now + (silent ? pause : kAgain);
  if (silent) ++soon_;
}

}  // namespace linnet::node
