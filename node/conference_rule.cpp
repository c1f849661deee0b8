// As the mixer: who is in, and what everybody is told. As anybody else: whether to become it.
#include <algorithm>

#include "node/conference_room.h"

namespace linnet::node::conference {

// What the roster says has changed here: a new version, told soon.
void Room::change(Time now) {
  ++roster_.head.version;
  const auto before = roster_.head.sections;
  choose_claims(roster_, claims_);
  // Whoever was told to mix stays who may: all are to believe it.
  const auto deputy = hands_over(now) ? std::optional(handing_->to) : deputy_of(roster_);
  if (deputy != roster_.head.deputy) deputy_ready_ = false;
  roster_.head.deputy = deputy;
  place(roster_);
  note_calls(now, published_);
  // Who is to mix for a section now is not missed before he could be connected.
  for (const auto& device : roster_.head.sections)
    if (std::find(before.begin(), before.end(), device) == before.end()) legs_[device].heard_ours = now;
  const auto gather = kPublish * static_cast<int>(1 + roster_.members.size() / kGatheredFor);
  if (publish_at_ == kNever) publish_at_ = now + gather;
  push(order::Changed{});
  settle(now);
}

void Room::publish(Time now) {
  publish_at_ = kNever;
  if (duty() != Duty::mixer) return;
  beat_at_ = now + kBeat;
  auto news = difference(published_, roster_);
  news.signature = sign_head(*self_.suite, *self_.identity, roster_.head, news.members_hash);
  // The others hear it of whoever mixes for them.
  std::vector<crypto::DeviceKey> to;
  for (const auto& entry : roster_.members)
    if (calls(entry.first) || has_leg(entry.first, true)) to.push_back(entry.first);
  tell_news(news, to);
  published_ = roster_;
  signature_ = news.signature;
}

void Room::enter(Time now, const SignedClaim& claim) {
  const auto& device = claim.claim.device();
  if (removed_.contains(device)) return;
  const auto found = roster_.members.find(device);
  if (found == roster_.members.end()) {
    const bool full = roster_.members.size() >= kMaxMembers;
    const bool may = !roster_.head.locked || brought_.contains(device) || former_.contains(device);
    if (full || !may) return push(order::Drop{device, true});
    auto& member = roster_.members.emplace(device, Member{claim}).first->second;
    member.section = kNowhere;
    if (!has_leg(device, true)) legs_[device].heard_ours = now;
  } else {
    const auto known = claims_.find(device);
    if (known != claims_.end() && claim.claim.version <= known->second.claim.version) return;
    if (!found->second.thin) found->second.claim = claim;
  }
  claims_.insert_or_assign(device, claim);
  brought_.erase(device);
  former_.erase(device);
  change(now);
  hand_over(now);
}

void Room::leave(Time now, const crypto::DeviceKey& device, Duration sought) {
  const auto member = roster_.members.find(device);
  if (member == roster_.members.end()) return;
  // Gone of itself, or to another who mixes: that one is looked for a while.
  if (!roster_.head.sections.empty()) sought = std::max(sought, kSoughtOfSections);
  note_former(now, device, member->second.claim.claim.address, sought);
  roster_.members.erase(member);
  claims_.erase(device);
  passed_.erase(device);
  change(now);
}

// The deputy is the better one by far, and everybody is connected to it.
void Room::hand_over(Time now) {
  if (duty() != Duty::mixer || !deputy_ready_ || !roster_.head.deputy) return;
  if (now < since_ + kSettles || elect(roster_) != roster_.head.deputy) return;
  hand_to_deputy(now);
}

// Whoever comes in until it does is in our roster and not in its; yield_to() tells it.
void Room::hand_to_deputy(Time now) {
  if (publish_at_ != kNever) publish(now);  // it begins with what everybody knows
  deputy_ready_ = false;
  handing_ = Handing{*roster_.head.deputy, roster_.head.term + 1, now + kHandsOver};
  tell(handing_->to, Take{id(), handing_->term});
}

bool Room::hands_over(Time now) const { return handing_ && now < handing_->until && roster_.has(handing_->to); }

bool Room::abdicate(Time now) {
  if (duty() != Duty::mixer || !deputy_ready_ || !roster_.head.deputy) return false;
  hand_to_deputy(now);
  return true;
}

void Room::take_over(Time now, std::uint64_t term, Fate of_the_last) {
  std::vector<crypto::DeviceKey> dead;
  if (of_the_last == Fate::silent) dead.push_back(roster_.head.mixer);
  if (of_the_last == Fate::silent && roster_.head.deputy && *roster_.head.deputy != me_)
    dead.push_back(*roster_.head.deputy);
  // A big room need not be told again all that it knows.
  published_ = roster_.head.sections.empty() ? Roster{} : roster_;
  passed_.clear();
  claims_.clear();
  for (const auto& [device, member] : roster_.members)
    if (!member.thin) claims_.emplace(device, member.claim);
  // Whom we mixed for we mix for now, too; the mixer's own need another.
  if (const auto ours = section_led_by(roster_, me_)) {
    for (auto& entry : roster_.members) {
      auto& section = entry.second.section;
      section = section == *ours ? 0 : section == 0 ? *ours : section;
    }
  }
  roster_.head.term = term;
  roster_.head.version = 0;
  roster_.head.mixer = me_;
  since_ = now;
  told_ready_.reset();
  handing_.reset();
  for (const auto& device : dead) {
    const auto before = roster_.members.find(device);
    if (before == roster_.members.end()) continue;
    note_former(now, device, before->second.claim.claim.address);
    roster_.members.erase(before);
  }
  auto& own = roster_.members[me_];  // muted and recording as before
  own.claim = claim_;
  own.thin = false;
  own.section = 0;
  claims_.insert_or_assign(me_, claim_);
  change(now);
  deputy_ready_ = false;
  publish(now);  // nobody is to wait for this
}

void Room::note_former(Time now, const crypto::DeviceKey& device, const crypto::Address& address, Duration life) {
  if (former_.size() >= kMaxMembers && !former_.contains(device)) return;
  former_.insert_or_assign(device, Former{address, now + life});
  if (seek_at_ == kNever) seek_at_ = now + kSeekEvery;
}

void Room::other_half(Time now, const crypto::DeviceKey& device, const crypto::Address& address) {
  if (duty() != Duty::mixer || device == me_ || roster_.has(device) || removed_.contains(device)) return;
  note_former(now, device, address);
  if (!former_.contains(device)) return;
  other_half_.insert(device);
  seek_at_ = now;
}

// Who fell silent may have been cut off, and mix for others now: who of two mixers stays is said in newer().
void Room::seek_former(Time now) {
  std::erase_if(former_, [&](const auto& entry) { return now >= entry.second.until; });
  std::erase_if(other_half_, [&](const auto& device) { return !former_.contains(device); });
  seek_at_ = former_.empty() ? kNever : now + kSeekEvery;
  if (duty() != Duty::mixer) return;
  // Of many some at a time, each in its turn.
  auto next = former_.upper_bound(sought_last_);
  for (auto left = std::min(former_.size(), kSoughtAtOnce); left > 0; --left, ++next) {
    if (next == former_.end()) next = former_.begin();
    const auto& [device, former] = *next;
    sought_last_ = device;
    push(order::Connect{device, former.address});
    tell_roster(device);
  }
}

bool Room::mixer_silent(Time now) const { return !is_heard(now, mixer_of(roster_, me_).value_or(roster_.head.mixer)); }

bool Room::is_heard(Time now, const crypto::DeviceKey& device) const {
  const auto legs = legs_.find(device);
  return !(legs == legs_.end() || !legs->second.theirs || now - legs->second.heard_theirs >= silence());
}

// The deputy has had its time.
bool Room::mixer_gone(Time now) const {
  const auto legs = legs_.find(roster_.head.mixer);
  const Time last = legs == legs_.end() ? since_ : std::max(since_, legs->second.heard_theirs);
  return now >= last + kSettles;
}

bool Room::deputy_silent(Time now) const {
  if (!roster_.head.deputy || *roster_.head.deputy == me_) return true;
  const auto legs = legs_.find(*roster_.head.deputy);
  if (legs == legs_.end() || !legs->second.theirs) return true;
  // In a big room it says nothing until it mixes.
  return now - legs->second.heard_theirs >= (deputy_streams(roster_) ? silence() : kGone);
}

std::size_t Room::silent_words(Time now) const {
  return static_cast<std::size_t>(std::count_if(legs_.begin(), legs_.end(), [&](const auto& entry) {
    return entry.first != roster_.head.mixer && carries(roster_, roster_.head.mixer, entry.first) &&
           entry.second.silent_said != Time::min() && now - entry.second.silent_said < std::max(kBelieved, silence());
  }));
}

// How many stand before us, the mixer and the deputy left out.
std::optional<std::size_t> Room::place_in_line() const {
  std::size_t out = 0;
  for (const auto& device : rank(roster_)) {
    if (device == me_) return out;
    if (device != roster_.head.mixer && roster_.head.deputy != device) ++out;
  }
  return std::nullopt;
}

void Room::watch_mixer(Time now) {
  const auto d = duty();
  if (d == Duty::mixer || d == Duty::joining) return;
  hears_nobody_ = mixer_silent(now);
  if (mixer_of(roster_, me_) && mixer_of(roster_, me_) != roster_.head.mixer) return watch_section_mixer(now);
  if (!mixer_silent(now)) {
    said_silent_ = Time::min();
    return;
  }
  // We came in just now: whoever mixes is about to call.
  if (!was_heard_ && now < since_ + kNobodyCame) return;
  const auto legs = legs_.find(roster_.head.mixer);
  const Time last = legs == legs_.end() ? since_ : std::max(since_, legs->second.heard_theirs);
  if (d == Duty::deputy) {
    if (now < since_ + kSettles) return;
    const auto heard = heard_by_mixer(roster_);
    const auto others = heard - std::min<std::size_t>(heard, 1);
    const bool all_say_so = others > 0 ? silent_words(now) * 2 >= others : now >= last + kAlone;
    if (all_say_so) take_over(now, roster_.head.term + 1, Fate::silent);
    return;
  }
  if (roster_.head.deputy && now >= said_silent_ + kSaysSo) {
    said_silent_ = now;
    tell(*roster_.head.deputy, Silent{id(), roster_.head.term});
  }
  const auto place = place_in_line();
  if (!place || !deputy_silent(now)) return;
  if (now >= last + kSettles + kNextInRank * static_cast<int>(*place + 1))
    take_over(now, roster_.head.term + 1, Fate::silent);
}

// Who has a leg and no place was left out by mistake, or has not said what he is good for.
void Room::put_right_without(Time now) {
  std::vector<crypto::DeviceKey> without;
  for (const auto& [device, legs] : legs_)
    if (legs.ours && !roster_.has(device)) without.push_back(device);
  for (const auto& device : without) put_right(now, device);
}

void Room::watch_members(Time now) {
  if (duty() == Duty::section) put_right_without(now);
  if (duty() != Duty::mixer) return;
  std::vector<crypto::DeviceKey> gone;
  bool changed = false;
  for (auto& [device, member] : roster_.members) {
    if (!calls(device)) continue;
    const auto legs = legs_.find(device);
    const Time heard = legs == legs_.end() ? since_ : std::max(since_, legs->second.heard_ours);
    const bool mixes_too = section_led_by(roster_, device) && has_leg(device, true);
    if (now - heard >= (mixes_too ? kSectionGone : kGone)) gone.push_back(device);
    const bool poor = has_leg(device, true) && now - heard >= std::chrono::seconds(1);
    if (member.poor != poor) changed = true;
    member.poor = poor;
  }
  for (const auto& device : gone) {
    if (has_leg(device, true)) push(order::Drop{device, true});
    note_former(now, device, roster_.members.at(device).claim.claim.address);
    roster_.members.erase(device);
    claims_.erase(device);
    passed_.erase(device);
    changed = true;
  }
  put_right_without(now);
  if (handing_ && !hands_over(now) && roster_.head.deputy != deputy_of(roster_)) changed = true;  // it did not
  if (changed) change(now);
  hand_over(now);
}

}  // namespace linnet::node::conference
