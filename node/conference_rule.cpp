// As the mixer: who is in, and what everybody is told. As anybody else: whether to become it.
#include <algorithm>

#include "node/conference_room.h"

namespace linnet::node::conference {

// What the roster says has changed here: a new version, told soon.
void Room::change(Time now) {
  ++roster_.head.version;
  const auto deputy = deputy_of(roster_);
  if (deputy != roster_.head.deputy) deputy_ready_ = false;
  roster_.head.deputy = deputy;
  if (publish_at_ == kNever) publish_at_ = now + kPublish;
  push(order::Changed{});
  settle(now);
}

void Room::publish(Time now) {
  publish_at_ = kNever;
  if (duty() != Duty::mixer) return;
  beat_at_ = now + kBeat;
  auto news = difference(published_, roster_);
  news.signature = sign_head(*self_.suite, *self_.identity, roster_.head, news.members_hash);
  const auto words = write(Message(news));
  for (const auto& entry : roster_.members) {
    if (entry.first == me_) continue;
    push(order::Tell{entry.first, words});
  }
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
    roster_.members.emplace(device, Member{claim});
  } else {
    if (claim.claim.version <= found->second.claim.claim.version) return;
    found->second.claim = claim;
  }
  brought_.erase(device);
  former_.erase(device);
  change(now);
  hand_over(now);
}

void Room::leave(Time now, const crypto::DeviceKey& device) {
  const auto member = roster_.members.find(device);
  if (member == roster_.members.end()) return;
  // Gone of itself, or to another who mixes: that one is looked for a while.
  note_former(now, device, member->second.claim.claim.address, kSoughtWhoLeft);
  roster_.members.erase(member);
  change(now);
}

// The deputy is the better one by far, and everybody is connected to it.
void Room::hand_over(Time now) {
  if (duty() != Duty::mixer || !deputy_ready_ || !roster_.head.deputy) return;
  if (now < since_ + kSettles || elect(roster_) != roster_.head.deputy) return;
  if (publish_at_ != kNever) publish(now);  // it begins with what everybody knows
  deputy_ready_ = false;
  tell(*roster_.head.deputy, Take{id(), roster_.head.term + 1});
}

bool Room::abdicate(Time now) {
  if (duty() != Duty::mixer || !deputy_ready_ || !roster_.head.deputy) return false;
  if (publish_at_ != kNever) publish(now);
  tell(*roster_.head.deputy, Take{id(), roster_.head.term + 1});
  return true;
}

void Room::take_over(Time now, std::uint64_t term, Fate of_the_last) {
  std::vector<crypto::DeviceKey> dead;
  if (of_the_last == Fate::silent) dead.push_back(roster_.head.mixer);
  if (of_the_last == Fate::silent && roster_.head.deputy && *roster_.head.deputy != me_)
    dead.push_back(*roster_.head.deputy);
  for (const auto& device : dead) {
    const auto before = roster_.members.find(device);
    if (before == roster_.members.end()) continue;
    note_former(now, device, before->second.claim.claim.address);
    roster_.members.erase(before);
  }
  roster_.head.term = term;
  roster_.head.version = 0;
  roster_.head.mixer = me_;
  published_ = {};
  since_ = now;
  told_ready_.reset();
  roster_.members[me_].claim = claim_;  // muted and recording as before
  change(now);
  deputy_ready_ = false;
  publish(now);  // nobody is to wait for this
}

void Room::note_former(Time now, const crypto::DeviceKey& device, const crypto::Address& address, Duration life) {
  if (former_.size() >= kMaxMembers && !former_.contains(device)) return;
  former_.insert_or_assign(device, Former{address, now + life});
  if (seek_at_ == kNever) seek_at_ = now + kSeekEvery;
}

// Who fell silent may have been cut off, and mix for others now: who of two mixers stays is said in newer().
void Room::seek_former(Time now) {
  std::erase_if(former_, [&](const auto& entry) { return now >= entry.second.until; });
  seek_at_ = former_.empty() ? kNever : now + kSeekEvery;
  if (duty() != Duty::mixer) return;
  std::size_t asked = 0;
  for (const auto& [device, former] : former_) {
    if (++asked > kSoughtAtOnce) return;
    push(order::Connect{device, former.address});
    tell_roster(device);
  }
}

bool Room::mixer_silent(Time now) const {
  const auto legs = legs_.find(roster_.head.mixer);
  return legs == legs_.end() || !legs->second.theirs || now - legs->second.heard_theirs >= silence();
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
    return entry.first != roster_.head.mixer && roster_.has(entry.first) && entry.second.silent_said != Time::min() &&
           now - entry.second.silent_said < std::max(kBelieved, silence());
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
  if (!mixer_silent(now)) {
    said_silent_ = Time::min();
    return;
  }
  const auto legs = legs_.find(roster_.head.mixer);
  const Time last = legs == legs_.end() ? since_ : std::max(since_, legs->second.heard_theirs);
  if (d == Duty::deputy) {
    if (now < since_ + kSettles) return;
    const auto others = roster_.members.size() - std::min<std::size_t>(roster_.members.size(), 2);
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

void Room::watch_members(Time now) {
  if (duty() != Duty::mixer) return;
  std::vector<crypto::DeviceKey> gone;
  bool changed = false;
  for (auto& [device, member] : roster_.members) {
    if (device == me_) continue;
    const auto legs = legs_.find(device);
    const Time heard = legs == legs_.end() ? since_ : std::max(since_, legs->second.heard_ours);
    if (now - heard >= kGone) gone.push_back(device);
    const bool poor = now - heard >= std::chrono::seconds(1);
    if (member.poor != poor) changed = true;
    member.poor = poor;
  }
  for (const auto& device : gone) {
    if (has_leg(device, true)) push(order::Drop{device, true});
    note_former(now, device, roster_.members.at(device).claim.claim.address);
    roster_.members.erase(device);
    changed = true;
  }
  // Who has a leg and no place was left out by mistake, or has not said what he is good for.
  std::vector<crypto::DeviceKey> without;
  for (const auto& [device, legs] : legs_)
    if (legs.ours && !roster_.has(device)) without.push_back(device);
  for (const auto& device : without) put_right(now, device);
  if (changed) change(now);
  hand_over(now);
}

}  // namespace linnet::node::conference
