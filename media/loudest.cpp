#include "media/loudest.h"

#include <algorithm>

namespace linnet::media {
namespace {

double loudness_of(AudioLevel level) { return level.voice ? 127.0 - level.dbov : 0.0; }

}  // namespace

void Loudest::remove(Seat seat) {
  members_.erase(seat);
  std::erase(places_, seat);
  std::erase(liars_, seat);
  if (guest_ == seat) guest_.reset();
}

void Loudest::hear(Seat seat, AudioLevel level) {
  const auto member = members_.find(seat);
  if (member == members_.end()) return;
  // Of several packets within one frame the loudest counts: a burst must not hide the word in it.
  auto& said = member->second.said;
  if (!said || loudness_of(level) >= loudness_of(*said)) said = level;
}

void Loudest::measured(Time now, Seat seat, AudioLevel level) {
  const auto found = members_.find(seat);
  if (found == members_.end()) return;
  auto& member = found->second;
  const bool is_false = member.level.voice && level.dbov > member.level.dbov + kFalseBy;
  member.false_for = is_false ? member.false_for + 1 : std::max(0, member.false_for - 1);
  if (member.false_for < kFalse) return;
  member.false_for = 0;
  const auto length = kPassedOver * (1 << std::min(member.lies, 6));
  member.lies = std::min(member.lies + 1, 6);
  member.passed_over_until = now + std::min<Duration>(length, kPassedOverMost);
  member.voice_until = Time::min();
  member.loudness = 0;
  std::erase(places_, seat);
  if (std::find(liars_.begin(), liars_.end(), seat) == liars_.end()) liars_.push_back(seat);
}

bool Loudest::talks(const Member& member, Time now) const { return now < member.voice_until; }

void Loudest::update(Time now, Member& member) const {
  double loudness = 0;
  if (member.said && now >= member.passed_over_until) {
    member.level = *member.said;
    loudness = loudness_of(member.level);
    if (member.level.voice) member.voice_until = now + kHold;
  }
  member.said.reset();
  member.loudness = std::max(loudness, member.loudness - kForgets);
}

std::optional<Seat> Loudest::loudest_without_place(Time now) const {
  std::optional<Seat> out;
  double most = 0;
  for (const auto& [seat, member] : members_) {
    if (!talks(member, now) || has_place(seat) || member.loudness <= most) continue;
    out = seat;
    most = member.loudness;
  }
  return out;
}

// There are fewer places than before: the quietest goes.
void Loudest::crowd_out() {
  if (places_.size() <= most_ + (guest_ ? 1 : 0)) return;
  end_guest();
  while (places_.size() > most_) {
    places_.erase(std::min_element(places_.begin(), places_.end(),
                                   [&](Seat a, Seat b) { return members_.at(a).loudness < members_.at(b).loudness; }));
  }
}

void Loudest::fill(Time now) {
  while (places_.size() < most_) {
    const auto next = loudest_without_place(now);
    if (!next) return;
    places_.push_back(*next);
  }
}

// Everybody who has a place talks, and one more does. Who begins clearly louder than one of them is heard at once: of
// his first word nothing is to be missing when he has taken that place.
void Loudest::challenge(Time now) {
  const auto challenger = guest_ ? guest_ : loudest_without_place(now);
  for (auto& [seat, member] : members_) {
    if (!challenger || seat != *challenger) member.louder_for = 0;
  }
  if (!challenger) return;
  auto quietest = places_.end();
  for (auto it = places_.begin(); it != places_.end(); ++it) {
    const bool counts = !guest_ || *it != *guest_;
    const bool quieter =
        counts && (quietest == places_.end() || members_.at(*it).loudness < members_.at(*quietest).loudness);
    if (quieter) quietest = it;
  }
  auto& member = members_.at(*challenger);
  if (member.loudness < members_.at(*quietest).loudness + kLouder) {
    member.louder_for = 0;
    return end_guest();
  }
  if (++member.louder_for >= kLouderFor) {
    member.louder_for = 0;
    *quietest = *challenger;
    if (guest_) places_.pop_back();
    guest_.reset();
  } else if (!guest_) {
    guest_ = challenger;
    places_.push_back(*challenger);
  }
}

void Loudest::end_guest() {
  if (guest_) std::erase(places_, *guest_);
  guest_.reset();
}

void Loudest::choose(Time now) {
  for (auto& entry : members_) update(now, entry.second);
  std::erase_if(places_, [&](Seat seat) { return !talks(members_.at(seat), now); });
  // Somebody else fell silent, or the guest himself did.
  if (guest_ && (places_.size() <= most_ || !has_place(*guest_))) guest_.reset();
  crowd_out();
  fill(now);
  if (places_.size() >= most_) challenge(now);
}

bool Loudest::has_place(Seat seat) const { return std::find(places_.begin(), places_.end(), seat) != places_.end(); }

std::optional<Seat> Loudest::poll_liar() {
  if (liars_.empty()) return std::nullopt;
  const auto out = liars_.back();
  liars_.pop_back();
  return out;
}

}  // namespace linnet::media
