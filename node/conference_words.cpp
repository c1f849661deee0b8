// What the others say.
#include <algorithm>

#include "node/conference_room.h"

namespace linnet::node::conference {

void Room::handle_message(Time now, Wall wall, const crypto::DeviceKey& from, const Message& message) {
  if (room_of(message) != id()) return;
  std::visit([&](const auto& m) { on(now, wall, from, m); }, message);
  settle(now);
}

void Room::on(Time now, Wall wall, const crypto::DeviceKey& from, const SignedClaim& claim) {
  // Nobody has us verify signatures who has no place here.
  if ((!has_leg(from, true) && !roster_.has(from)) || costs_too_much(now, from)) return;
  if (claim.claim.device() != from || !verify(*self_.suite, claim, id(), wall))
    return name_strange(now, from, "a score that its device did not sign");
  // Who came in by us, though another mixes: that one is to place and connect him, and he hears of it by us at first.
  if (duty() != Duty::mixer) {
    if (roster_.head.term == 0 || !has_leg(from, true) || roster_.has(from)) return;
    legs_[from].guest_since = now;
    pass(Introduce{claim});
    return tell_roster(from);
  }
  if (!has_leg(from, true)) return;
  enter(now, claim);
}

// Of members alone, and each of them once a minute: whoever floods us does not fill our log.
void Room::name_strange(Time now, const crypto::DeviceKey& who, std::string_view what) {
  if (!roster_.has(who)) return;
  auto& legs = legs_[who];
  if (now < legs.named + kNamedAgain) return;
  legs.named = now;
  push(order::Strange{who, what});
}

// Whoever asks for that much has no right to it, be it his own mistake.
bool Room::costs_too_much(Time now, const crypto::DeviceKey& who, unsigned most) {
  auto& legs = legs_[who];
  if (now >= legs.costly_since + std::chrono::seconds(1)) {
    legs.costly_since = now;
    legs.costly = 0;
  }
  if (++legs.costly <= most) return false;
  name_strange(now, who, "far more words than there is to say");
  return true;
}

// Somebody mixes by an older roster, or for nobody: he is told ours.
void Room::put_right(Time now, const crypto::DeviceKey& who) {
  const auto d = duty();
  if (d == Duty::joining || removed_.contains(who)) return;
  // Our mixer may never have heard of whom we lost: he is told by us, and brought in.
  const auto lost = former_.find(who);
  const bool mixes_here = d == Duty::mixer || d == Duty::section;
  if (!mixes_here && (lost == former_.end() || roster_.has(who))) return;
  // Of the room's members and its former ones alone: the roster is nobody else's business.
  const auto legs = legs_.find(who);
  const bool connected = legs != legs_.end() && (legs->second.ours || legs->second.theirs);
  if (!connected && !roster_.has(who) && !former_.contains(who)) return;
  auto& at = legs_[who].put_right;
  if (now < at + kSeekEvery) return;
  at = now;
  tell_roster(who);
  if (!mixes_here) pass(Bring{id(), who, lost->second.address});
}

// We mix for a part of the room whose other mixer still counts us in, and has more: a term that few heard of is no
// reason to take them away.
bool Room::outnumbers(const RosterNews& news) const {
  if (duty() != Duty::mixer || news.base != 0 || news.changed.size() <= roster_.members.size()) return false;
  return std::any_of(news.changed.begin(), news.changed.end(),
                     [&](const Member& m) { return m.claim.claim.device() == me_; });
}

// Of somebody who was here before, and is in a room that another mixes.
bool Room::told_by_former(const crypto::DeviceKey& from, const RosterNews& news) const {
  if (duty() != Duty::mixer || news.base != 0 || news.head.mixer == me_ || !former_.contains(from)) return false;
  return std::any_of(news.changed.begin(), news.changed.end(),
                     [&](const Member& m) { return m.claim.claim.device() == from; });
}

bool Room::newer(const RosterNews& news, bool by_former) const {
  const auto& head = news.head;
  // Who mixes for nobody goes to whoever was here before; of two who are alone one only.
  const bool alone = duty() == Duty::mixer && roster_.members.size() == 1;
  const bool other_alone = news.base == 0 && news.pages == 1 && news.changed.size() == 1;
  if (!alone && other_alone && other_half_.contains(head.mixer)) return false;  // it comes here by this very rule
  if (alone && !other_alone && head.mixer != me_ && (by_former || former_.contains(head.mixer))) return true;
  // A leap would leave no term to anybody after it.
  const bool leaps = roster_.head.term > 0 && head.term > roster_.head.term + kMostTerms;
  if (leaps && !other_half_.contains(head.mixer)) return false;
  if (head.term != roster_.head.term) return head.term > roster_.head.term;
  if (head.mixer == roster_.head.mixer) return head.version > roster_.head.version;
  // Two began the same term: the lower hash stays.
  return source_of(id(), head.mixer) < source_of(id(), roster_.head.mixer);
}

// Whose word on who mixes is believed (see the top of conference_room.h).
bool Room::may_sign(Time now, const Head& head, const crypto::DeviceKey& from) const {
  if (roster_.head.term == 0) return introducer_ == from;
  const bool mixed = duty() == Duty::mixer;
  // The other half of a room that a partition had parted: its mixer says so to ours, and ours to us.
  if (former_.contains(head.mixer) && (from == roster_.head.mixer || (mixed && from == head.mixer))) return true;
  const bool known = head.mixer == roster_.head.mixer || roster_.head.deputy == head.mixer;
  // Whoever mixes for our section passes on what is signed, and knows better than we do who came to mix.
  const bool ours = from == mixer_of(roster_, me_) || (has_leg(from, false) && roster_.has(from) && mixer_silent(now));
  const bool passed_on = !mixed && ours && !roster_.head.sections.empty();
  if (passed_on && (known || roster_.has(head.mixer))) return true;
  if (known && !mixed && (has_leg(from, false) || roster_.has(from))) return true;
  if (from != head.mixer) return false;
  const bool told_to = mixed && handing_ && handing_->to == head.mixer && handing_->term == head.term;
  if (known || told_to) return true;
  if (!roster_.has(head.mixer)) return false;
  const bool two_at_once = head.term == roster_.head.term;
  return two_at_once || (!mixed && mixer_silent(now) && (deputy_silent(now) || mixer_gone(now)));
}

bool Room::believable(Wall wall, const Roster& roster) const {
  if (!roster.has(roster.head.mixer) || roster.members.at(roster.head.mixer).thin) return false;
  return std::all_of(roster.members.begin(), roster.members.end(), [&](const auto& entry) {
    if (entry.second.thin) return true;  // nobody elects it
    const auto before = roster_.members.find(entry.first);
    // Its signature was looked at when it came first.
    if (before != roster_.members.end() && before->second.claim.signature == entry.second.claim.signature) return true;
    return verify(*self_.suite, entry.second.claim, id(), wall).has_value();
  });
}

void Room::on(Time now, Wall wall, const crypto::DeviceKey& from, const RosterNews& page) {
  const auto whole = gather(from, page);
  if (whole) take_news(now, wall, from, *whole);
}

void Room::take_news(Time now, Wall wall, const crypto::DeviceKey& from, const RosterNews& news) {
  if (roster_.head.term > 0 && news.head.term > roster_.head.term + kTermsAhead)
    return name_strange(now, from, "a term that no conference has");
  // Our mixer yields to another and sends us there.
  const bool from_ours = from == roster_.head.mixer || from == mixer_of(roster_, me_);
  const bool sent = from_ours && news.head.mixer != from && news.head.mixer != roster_.head.mixer && news.base == 0;
  const auto& had = roster_.head;
  const bool again = news.head.mixer == had.mixer && news.head.term == had.term && news.head.version == had.version;
  // Said again: whoever of our section missed it asks us.
  if (again && from == had.mixer) pass_on(now, news);
  const bool by_former = told_by_former(from, news);
  if (!sent && !newer(news, by_former) && !outnumbers(news)) return put_right(now, from);
  if (!(sent || by_former || may_sign(now, news.head, from)) || !verify_head(*self_.suite, news)) {
    put_right(now, from);
    return name_strange(now, from, "a roster that is not its to sign");
  }
  auto roster = apply(roster_, news);
  if (!roster) {
    if (now < wanted_ + kWantsAgain) return;
    wanted_ = now;
    return tell(from, Want{id()});
  }
  if (!believable(wall, *roster)) return name_strange(now, from, "a roster with forged members");
  if (duty() == Duty::mixer && news.head.mixer != me_) yield_to(from, *roster, news);
  adopt(now, std::move(*roster), news.signature);
  pass_on(now, news);
}

// We mixed for one half of the room, and the other half's mixer comes before us: everybody here goes there.
void Room::yield_to(const crypto::DeviceKey& by, const Roster& roster, const RosterNews& news) {
  auto whole = difference(Roster{}, roster);
  whole.signature = news.signature;
  const bool told_to = handing_ && handing_->to == news.head.mixer && handing_->term == news.head.term;
  for (const auto& [device, member] : roster_.members) {
    if (device == me_ || device == news.head.mixer) continue;
    tell_news(whole, {device});
    if (roster.has(device)) continue;
    // Came in while we handed over.
    const auto claim = claims_.find(device);
    if (told_to && claim != claims_.end()) {
      tell(by, Introduce{claim->second});
    } else {
      tell(by, Bring{id(), device, member.claim.claim.address});
    }
  }
  tell(by, Bring{id(), me_, claim_.claim.address});
}

void Room::adopt(Time now, Roster roster, const crypto::Signature& signature) {
  const bool other_term = roster.head.term != roster_.head.term;
  wanted_ = Time::min();
  for (const auto& [device, member] : roster_.members)
    if (!roster.has(device)) note_former(now, device, member.claim.claim.address);
  std::swap(roster_, roster);
  note_calls(now, roster);
  for (const auto& entry : roster_.members) former_.erase(entry.first);
  signature_ = signature;
  if (other_term) {
    since_ = now;
    told_ready_.reset();
    handing_.reset();
    said_silent_ = Time::min();
    publish_at_ = kNever;
    for (auto& entry : legs_) entry.second.silent_said = Time::min();
  }
  claim_at_ = now;
  if (has_leg(mixer_of(roster_, me_).value_or(roster_.head.mixer), false)) introducer_.reset();
  push(order::Changed{});
}

void Room::on(Time now, Wall, const crypto::DeviceKey& from, const Want&) {
  const bool ours = duty() == Duty::mixer || duty() == Duty::section;
  if (!(ours || is_guest(now, from)) || !(roster_.has(from) || has_leg(from, true)) || costs_too_much(now, from))
    return;
  tell_roster(from);
}

void Room::on(Time now, Wall, const crypto::DeviceKey& from, const Silent& silent) {
  if (duty() != Duty::deputy || silent.term != roster_.head.term || !calls(from)) return;
  legs_[from].silent_said = now;
  watch_mixer(now);
}

void Room::on(Time now, Wall, const crypto::DeviceKey& from, const Ready& ready) {
  if (duty() != Duty::mixer || roster_.head.deputy != from || ready.term != roster_.head.term) return;
  deputy_ready_ = true;
  hand_over(now);
}

void Room::on(Time now, Wall, const crypto::DeviceKey& from, const Take& take) {
  if (duty() != Duty::deputy || from != roster_.head.mixer || take.term != roster_.head.term + 1) return;
  take_over(now, take.term, Fate::alive);
}

void Room::on(Time now, Wall, const crypto::DeviceKey& from, const Bring& bring) {
  // Of whoever mixed for another part of the room, whom we told who mixes for us; to our mixer he may be a stranger.
  const bool yields = duty() != Duty::mixer && !roster_.has(from) && former_.contains(from);
  if (yields && !costs_too_much(now, from, kMostRelayed)) return pass(bring);
  if (!may_bring(from, bring.device)) return;
  legs_[bring.device].connect_at = now;
  if (roster_.has(bring.device)) return;
  if (brought_.size() < kMaxMembers) brought_.insert_or_assign(bring.device, bring.address);
}

void Room::on_remove_here(Time now, const crypto::DeviceKey& device) {
  if (removed_.size() < kMaxMembers) removed_.insert(device);
  brought_.erase(device);
  former_.erase(device);
  if (device == me_) return;
  const bool direct = calls(device) || has_leg(device, true);
  tell(direct ? device : mixer_of(roster_, device).value_or(device), Remove{id(), device});
  if (has_leg(device, true)) push(order::Drop{device, true});
  leave(now, device);
  former_.erase(device);
}

void Room::on(Time now, Wall, const crypto::DeviceKey& from, const Remove& remove) {
  const bool from_ours = from == roster_.head.mixer || from == mixer_of(roster_, me_);
  if (remove.device == me_ && (from_ours || from == roster_.head.founder)) return push(order::Removed{});
  if (duty() == Duty::section && from == roster_.head.mixer && has_leg(remove.device, true)) {
    tell(remove.device, remove);
    return push(order::Drop{remove.device, true});
  }
  if (duty() != Duty::mixer) return;
  if (from != roster_.head.founder) return name_strange(now, from, "a removal that is not its to ask");
  on_remove_here(now, remove.device);
}

void Room::on_setting_here(Time now, const Setting& setting) {
  if (setting.kind == SettingKind::locked) {
    if (roster_.head.locked == setting.on) return;
    roster_.head.locked = setting.on;
    return change(now);
  }
  const auto found = roster_.members.find(setting.device);
  if (found == roster_.members.end() || found->second.muted == setting.on) return;
  found->second.muted = setting.on;
  change(now);
}

void Room::on(Time now, Wall, const crypto::DeviceKey& from, const Setting& setting) {
  if (duty() != Duty::mixer) return;
  const bool own = setting.kind == SettingKind::muted && setting.device == from;
  if (from != roster_.head.founder && !own) return name_strange(now, from, "a setting that is not its to change");
  on_setting_here(now, setting);
}

void Room::on(Time now, Wall, const crypto::DeviceKey& from, const Records& records) {
  if (duty() != Duty::mixer) return;
  const auto found = roster_.members.find(from);
  if (found == roster_.members.end() || found->second.recording == records.on) return;
  found->second.recording = records.on;
  change(now);
}

}  // namespace linnet::node::conference
