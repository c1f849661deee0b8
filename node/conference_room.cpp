#include "node/conference_room.h"

#include <algorithm>
#include <utility>

namespace linnet::node::conference {
namespace {

constexpr std::size_t kMaxOrders = 4096;
constexpr Duration kLook = std::chrono::milliseconds(20);

}  // namespace

std::string_view to_string(Duty duty) {
  switch (duty) {
    case Duty::joining: return "joining";
    case Duty::member: return "member";
    case Duty::deputy: return "deputy";
    case Duty::mixer: return "mixer";
    case Duty::section: return "section";
  }
  return "member";
}

Room::Room(Self self, const RoomId& room, Claim claim, Time now)
    : self_(self), me_(self.identity->device_key()), since_(now), next_look_(now + kLook) {
  roster_.head.room = room;
  claim.room = room;
  claim_again(std::move(claim));
}

void Room::claim_again(Claim claim) {
  claim.room = roster_.head.room;
  claim.address = self_.identity->address;
  claim.version = claim_.claim.version + 1;
  claim_ = sign(*self_.suite, *self_.identity, std::move(claim));
}

Room Room::found(Self self, Time now, std::string name, Claim claim) {
  return found(self, now, std::move(name), std::move(claim), self.rng->array<16>(), 1);
}

Room Room::found(Self self, Time now, std::string name, Claim claim, const RoomId& number, std::uint64_t term) {
  Room out(self, number, std::move(claim), now);
  auto& head = out.roster_.head;
  head.name = std::move(name);
  head.founder = head.mixer = out.me_;
  head.term = term;
  out.was_heard_ = true;  // nobody is about to call
  out.roster_.members.emplace(out.me_, Member{out.claim_});
  out.change(now);
  return out;
}

Room Room::join(Self self, Time now, const RoomId& room, const crypto::DeviceKey& introducer, Claim claim) {
  Room out(self, room, std::move(claim), now);
  out.introducer_ = introducer;
  out.legs_[introducer].theirs = true;
  out.legs_[introducer].heard_theirs = now;
  out.claim_at_ = now;
  return out;
}

void Room::push(Order order) {
  if (orders_.size() < kMaxOrders) orders_.push_back(std::move(order));
}

void Room::tell(const crypto::DeviceKey& to, const Message& message) { push(order::Tell{to, write(message)}); }

std::optional<Order> Room::poll() {
  if (orders_.empty()) return std::nullopt;
  auto out = std::move(orders_.front());
  orders_.pop_front();
  return out;
}

Duty Room::duty() const {
  if (roster_.head.term == 0) return Duty::joining;
  if (roster_.head.mixer == me_) return Duty::mixer;
  if (section_led_by(roster_, me_)) return Duty::section;
  return roster_.head.deputy == me_ ? Duty::deputy : Duty::member;
}

std::optional<crypto::DeviceKey> Room::mixer() const {
  if (roster_.head.term == 0) return introducer_;
  if (roster_.head.mixer == me_ || duty() == Duty::section) return std::nullopt;
  const auto wanted = mixer_of(roster_, me_).value_or(roster_.head.mixer);
  if (wanted == roster_.head.mixer && roster_.head.sections.empty()) return wanted;
  if (has_leg(wanted, false)) return wanted;
  // Whoever mixed for us until now, as long as the other has not come.
  std::optional<crypto::DeviceKey> out;
  Time last = Time::min();
  for (const auto& [device, legs] : legs_) {
    if (!legs.theirs || device == roster_.head.deputy || legs.heard_theirs <= last) continue;
    out = device;
    last = legs.heard_theirs;
  }
  return out ? out : std::optional(wanted);
}

std::optional<crypto::DeviceKey> Room::trunk() const {
  return duty() == Duty::section ? std::optional(roster_.head.mixer) : std::nullopt;
}

bool Room::mixes() const {
  const auto d = duty();
  return d == Duty::mixer || d == Duty::section || (d == Duty::deputy && deputy_streams(roster_));
}

bool Room::has_leg(const crypto::DeviceKey& device, bool ours) const {
  const auto found = legs_.find(device);
  return found != legs_.end() && (ours ? found->second.ours : found->second.theirs);
}

bool Room::expects(const crypto::DeviceKey& device) const {
  if (introducer_ == device) return true;
  if (device == me_) return false;
  if (roster_.head.mixer == device || roster_.head.deputy == device || section_led_by(roster_, device)) return true;
  // Who lost his mixer, or has no place yet, has not heard who mixes for him now; he will be told on that leg.
  const bool knows_few = !was_heard_ || !roster_.head.sections.empty();
  return hears_nobody_ && (!roster_.has(me_) || (roster_.has(device) && knows_few));
}

void Room::set_claim(Time now, Claim claim) {
  claim_again(std::move(claim));
  if (duty() == Duty::mixer) return enter(now, claim_);
  claim_at_ = now + kClaims;
  if (roster_.has(me_)) return pass(claim_);
  if (const auto to = mixer()) tell(*to, claim_);
}

void Room::handle_wall(Time now, Wall wall) {
  if (self_.identity->certificate.signature != claim_.claim.certificate.signature) set_claim(now, claim_.claim);
  if (duty() != Duty::mixer) return;
  std::vector<crypto::DeviceKey> out;
  for (const auto& [device, member] : roster_.members)
    if (device != me_ && !member.thin && !crypto::check_time(member.claim.claim.certificate, wall))
      out.push_back(device);
  // Of nearly all: it is our clock that is wrong.
  if (out.empty() || out.size() * 2 >= roster_.members.size()) return;
  for (const auto& device : out) {
    name_strange(now, device, "no certificate that is valid still");
    if (has_leg(device, true)) push(order::Drop{device, true});
    roster_.members.erase(device);
  }
  change(now);
}

void Room::leg(Time now, const crypto::DeviceKey& device, bool ours, bool stands) {
  auto& legs = legs_[device];
  (ours ? legs.ours : legs.theirs) = stands;
  (ours ? legs.heard_ours : legs.heard_theirs) = now;
  if (ours) {
    legs.connecting = false;
    legs.connect_at = now + kConnectAgain;
    legs.drop_ours = kNever;
  }
  if (!ours && stands) {
    legs.theirs_since = now;
    if (device == roster_.head.mixer) claim_at_ = now;
  }
  if (ours && stands) {
    legs.ours_since = now;
    tell_roster(device);
  }
  if (!stands && !legs.ours && !legs.theirs) legs_.erase(device);
  if (!stands && ours && duty() == Duty::mixer && calls(device)) leave(now, device);
  if (!stands && ours && duty() == Duty::section && calls(device)) pass(Missed{id(), device, true});
  settle(now);
}

// Who comes in is told where he is; he then says what he is good for. By whoever he came in by: the mixer may be
// another.
void Room::tell_roster(const crypto::DeviceKey& to) {
  const auto& roster = duty() == Duty::mixer ? published_ : roster_;
  // A deputy's legs lead to members who know.
  if (roster.head.term == 0 || (duty() == Duty::deputy && roster_.has(to))) return;
  auto news = difference(Roster{}, roster);
  news.signature = signature_;
  tell_news(news, {to});
}

void Room::connect_failed(Time now, const crypto::DeviceKey& device) {
  auto& legs = legs_[device];
  legs.connecting = false;
  legs.connect_at = now + kConnectAgain;
  brought_.erase(device);
  // Nothing is kept of whoever was only named to us.
  if (!legs.ours && !legs.theirs && !roster_.has(device)) legs_.erase(device);
  settle(now);
}

void Room::heard(Time now, const crypto::DeviceKey& device, bool ours) {
  const auto found = legs_.find(device);
  if (found == legs_.end()) return;
  auto& last = ours ? found->second.heard_ours : found->second.heard_theirs;
  if (!ours && device == mixer_of(roster_, me_)) note_pause(now, now - last);
  if (!ours && device != introducer_) was_heard_ = true;
  last = now;
}

// Two stretches, so that what is remembered is between five and ten seconds old.
void Room::note_pause(Time now, Duration pause) {
  if (now >= pauses_since_ + kPauses) {
    pause_before_ = pause_;
    pause_ = {};
    pauses_since_ = now;
  }
  pause_ = std::max(pause_, pause);
}

// Where packets come in heaps, by the way or because this machine has no time, silence is longer.
Duration Room::silence() const {
  return std::clamp<Duration>(std::max(pause_, pause_before_) * 5 / 2, kSilent, kSilentMost);
}

bool Room::all_connected() const {
  return std::all_of(roster_.members.begin(), roster_.members.end(),
                     [&](const auto& entry) { return !calls(entry.first) || has_leg(entry.first, true); });
}

// Whoever mixes, or may have to, has a leg to everybody whom he mixes for; nobody else keeps one.
void Room::tend_legs(Time now) {
  const auto d = duty();
  const bool leads = d == Duty::mixer || d == Duty::deputy || d == Duty::section;
  const auto connect = [&](const crypto::DeviceKey& device, const crypto::Address& address) {
    auto& legs = legs_[device];
    if (device == me_ || legs.ours || legs.connecting || now < legs.connect_at) return;
    legs.connecting = true;
    push(order::Connect{device, address});
  };
  if (leads)
    for (const auto& [device, member] : roster_.members)
      if (calls(device)) connect(device, member.claim.claim.address);
  if (d == Duty::mixer)
    for (const auto& [device, address] : brought_) connect(device, address);
  for (auto& [device, legs] : legs_)
    if (legs.ours) drop_if_idle(now, device, legs);
  for (auto& [device, legs] : legs_)
    if (legs.theirs) drop_if_passed(now, device, legs);
}

// Somebody mixes for us who is not to, as far as we know: he hears of it by the end of the leg.
void Room::drop_if_passed(Time now, const crypto::DeviceKey& device, Legs& legs) {
  const auto& head = roster_.head;
  const auto mine = mixer_of(roster_, me_).value_or(head.mixer);
  const bool of_mixer = mine == head.mixer;
  // Another who mixed for us is kept until the one who is to has come.
  const bool waits =
      !head.sections.empty() && (!has_leg(mine, false) || now < legs_.at(mine).theirs_since + kDropAfter);
  if (head.term == 0 || mine == device || (of_mixer && head.deputy == device) || introducer_ == device || waits) {
    legs.drop_theirs = kNever;
  } else if (legs.drop_theirs == kNever) {
    legs.drop_theirs = now + 2 * kDropAfter;
  } else if (now >= legs.drop_theirs) {
    legs.drop_theirs = now + kConnectAgain;
    push(order::Drop{device, false});
  }
}

bool Room::needs(Time now, const crypto::DeviceKey& device, const Legs& legs) const {
  if (roster_.has(device)) return calls(device) || (mixes() && now < legs.moved + kMoves);
  return brought_.contains(device) || now < legs.ours_since + kComesIn;
}

// A leg of ours to somebody whom others mix for by now, or who is not in it any more.
void Room::drop_if_idle(Time now, const crypto::DeviceKey& device, Legs& legs) {
  if (needs(now, device, legs)) {
    legs.drop_ours = kNever;
  } else if (legs.drop_ours == kNever) {
    legs.drop_ours = now + kDropAfter;
  } else if (now >= legs.drop_ours) {
    legs.drop_ours = now + kConnectAgain;
    push(order::Drop{device, true});
  }
}

// The roster has us by what we said last; of thin ones it does not say.
bool Room::is_claimed() const {
  const auto own = roster_.members.find(me_);
  return own != roster_.members.end() &&
         (own->second.thin || own->second.claim.claim.version >= claim_.claim.version || duty() == Duty::mixer);
}

// Until the roster has us; and what we said anew may have come to nobody yet.
void Room::claim_a_place(Time now) {
  if (now < claim_at_ || is_claimed()) return;
  claim_at_ = now + kClaims;
  if (roster_.has(me_)) return pass(claim_);
  const bool connected = roster_.head.term > 0 && has_leg(roster_.head.mixer, false);
  if (connected) return tell(roster_.head.mixer, claim_);
  if (introducer_) return tell(*introducer_, claim_);  // who has us connected
  // Left out by mistake, or come in while it was handed over: with a leg of who mixed for us. He passes it on.
  const auto of = [](const auto& entry) { return entry.second.theirs; };
  const auto any = std::find_if(legs_.begin(), legs_.end(), of);
  const auto to = mixer();
  if (to && has_leg(*to, false)) return tell(*to, claim_);
  if (any != legs_.end()) tell(any->first, claim_);
}

void Room::settle(Time now) {
  tend_legs(now);
  if (duty() == Duty::deputy && all_connected()) {
    const bool told = told_ready_ == roster_.head.term && ready_members_ == roster_.members.size();
    if (!told) tell(roster_.head.mixer, Ready{id(), roster_.head.term});
    told_ready_ = roster_.head.term;
    ready_members_ = roster_.members.size();
  }
}

void Room::handle_timeout(Time now) {
  if (now >= std::min(publish_at_, beat_at_)) {
    beat_at_ = kNever;
    publish(now);
  }
  if (now >= seek_at_) seek_former(now);
  if (now < next_look_) return;
  next_look_ = now + kLook;
  watch_members(now);
  watch_section_members(now);
  watch_mixer(now);
  claim_a_place(now);
  tell_recording(now);
  settle(now);
}

Time Room::next_timeout() const { return std::min({publish_at_, beat_at_, next_look_, seek_at_}); }

bool Room::lock(Time now, bool on) {
  if (roster_.head.founder != me_) return false;
  const Setting setting{id(), SettingKind::locked, on, {}};
  if (duty() == Duty::mixer) {
    on_setting_here(now, setting);
  } else {
    pass(setting);
  }
  return true;
}

bool Room::mute(Time now, const crypto::DeviceKey& device, bool on) {
  if (roster_.head.founder != me_ && device != me_) return false;
  const Setting setting{id(), SettingKind::muted, on, device};
  if (duty() == Duty::mixer) {
    on_setting_here(now, setting);
  } else {
    pass(setting);
  }
  return true;
}

bool Room::remove(Time now, const crypto::DeviceKey& device) {
  if (roster_.head.founder != me_) return false;
  if (duty() == Duty::mixer) {
    on_remove_here(now, device);
  } else {
    pass(Remove{id(), device});
  }
  return true;
}

void Room::recording(Time now, bool on) {
  records_ = on;
  tell_records_at_ = now;
  tell_recording(now);
}

// Until the roster says it: the word may be lost, or whoever heard it.
void Room::tell_recording(Time now) {
  const auto found = roster_.members.find(me_);
  if (found == roster_.members.end() || found->second.recording == records_ || now < tell_records_at_) return;
  if (duty() != Duty::mixer) {
    tell_records_at_ = now + kClaims;
    return pass(Records{id(), records_});
  }
  found->second.recording = records_;
  change(now);
}

}  // namespace linnet::node::conference
