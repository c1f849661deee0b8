// What goes through who mixes for a section: what the mixer tells, what members say to it, and who went.
#include <algorithm>

#include "base/overloaded.h"
#include "node/conference_room.h"

namespace linnet::node::conference {

// To the mixer: by our leg with it, or by whoever mixes for our section.
void Room::pass(const Message& message) {
  const auto via = mixer_of(roster_, me_);
  if (!via || via == roster_.head.mixer || has_leg(roster_.head.mixer, false)) return tell(roster_.head.mixer, message);
  Passed out{id(), me_, roster_.head.term, ++passed_number_, write(message), {}};
  if (out.words.size() > kMaxPassed) return;
  out.signature = sign_passed(*self_.suite, *self_.identity, out);
  tell(*via, out);
}

void Room::on(Time now, Wall wall, const crypto::DeviceKey& from, const Passed& passed) {
  if (duty() == Duty::section) {
    if (from == passed.origin && (calls(from) || has_leg(from, true))) tell(roster_.head.mixer, passed);
    return;
  }
  const bool led = section_led_by(roster_, from).has_value();
  if (duty() != Duty::mixer || !led || !roster_.has(passed.origin) || passed.term != roster_.head.term) return;
  if (costs_too_much(now, from, kMostRelayed)) return;
  auto& last = passed_[passed.origin];
  if (passed.number <= last) return;
  if (!verify_passed(*self_.suite, passed)) return name_strange(now, from, "words that their member did not sign");
  last = passed.number;
  const auto message = read(passed.words);
  if (!message || room_of(*message) != id()) return name_strange(now, passed.origin, "words that cannot be read");
  const auto& who = passed.origin;
  std::visit(
      Overloaded{[&](const SignedClaim& m) {
                   if (m.claim.device() == who && verify(*self_.suite, m, id(), wall)) enter(now, m);
                 },
                 [&](const Introduce& m) { on(now, wall, who, m); }, [&](const Bring& m) { on(now, wall, who, m); },
                 [&](const Remove& m) { on(now, wall, who, m); }, [&](const Setting& m) { on(now, wall, who, m); },
                 [&](const Records& m) { on(now, wall, who, m); },
                 [&](const auto&) { name_strange(now, who, "words that are not for the mixer"); }},
      *message);
}

bool Room::may_bring(const crypto::DeviceKey& from, const crypto::DeviceKey& device) const {
  const bool known = roster_.has(from) || former_.contains(from);
  if (duty() != Duty::mixer || !known || removed_.contains(device)) return false;
  return !roster_.head.locked || from == roster_.head.founder || former_.contains(device);
}

// He is placed before he is called: all know of him by then, and who is to call him may be another.
void Room::on(Time now, Wall wall, const crypto::DeviceKey& from, const Introduce& introduce) {
  const auto& device = introduce.claim.claim.device();
  if (!may_bring(from, device) || roster_.has(device) || costs_too_much(now, from, kMostRelayed)) return;
  if (!verify(*self_.suite, introduce.claim, id(), wall))
    return name_strange(now, from, "a score that its device did not sign");
  if (brought_.size() < kMaxMembers) brought_.insert_or_assign(device, introduce.claim.claim.address);
  enter(now, introduce.claim);
}

void Room::on(Time now, Wall, const crypto::DeviceKey& from, const Missed& missed) {
  if (duty() != Duty::mixer || mixer_of(roster_, missed.device) != from) return;
  leave(now, missed.device, missed.left ? kSoughtWhoLeft : kSought);
}

void Room::tell_news(const RosterNews& news, const std::vector<crypto::DeviceKey>& to) {
  if (to.empty()) return;
  for (const auto& page : pages_of(news)) {
    const auto words = write(Message(page));
    for (const auto& device : to) push(order::Tell{device, words});
  }
}

// Came in by us of late, and may have no leg to anybody else yet.
bool Room::is_guest(Time now, const crypto::DeviceKey& device) const {
  const auto legs = legs_.find(device);
  return legs != legs_.end() && legs->second.ours && now < legs->second.guest_since + kComesIn;
}

// Of who signs, and verified by each who hears it.
void Room::pass_on(Time now, const RosterNews& news) {
  const bool leads = duty() == Duty::section;
  std::vector<crypto::DeviceKey> to;
  for (const auto& [device, legs] : legs_)
    if (legs.ours && (leads || is_guest(now, device))) to.push_back(device);
  tell_news(news, to);
}

// Pages come in their order, by one link; what does not fit begins anew.
std::optional<RosterNews> Room::gather(const crypto::DeviceKey& from, const RosterNews& page) {
  if (page.pages == 1) return page;
  if (page.page == 0) {
    if (!roster_.has(from) && !has_leg(from, false) && introducer_ != from) return std::nullopt;
    gathered_ = Gathered{from, page};
    return std::nullopt;
  }
  if (!gathered_ || gathered_->from != from) return std::nullopt;
  if (!append(gathered_->news, page)) {
    gathered_.reset();
    return std::nullopt;
  }
  if (page.page + 1 < page.pages) return std::nullopt;
  auto out = std::move(gathered_->news);
  gathered_.reset();
  out.page = 0;
  out.pages = 1;
  return out;
}

// Whom we are to call from now on is not missed before he could answer; whom no more, is kept until another has come.
void Room::note_calls(Time now, const Roster& before) {
  for (const auto& entry : roster_.members) {
    const bool was = carries(before, me_, entry.first), is = calls(entry.first);
    if (was == is) continue;
    auto found = legs_.find(entry.first);
    if (is) {
      auto& legs = found == legs_.end() ? legs_[entry.first] : found->second;
      if (!legs.ours) legs.heard_ours = now;
    } else if (found != legs_.end()) {
      found->second.moved = now;
    }
  }
}

// In a section: the mixer hears the silence himself, and names another. Only when nobody comes we go on without them.
void Room::watch_section_mixer(Time now) {
  if (is_heard(now, *mixer_of(roster_, me_)) || is_heard(now, roster_.head.mixer)) return;
  Time last = since_;
  for (const auto& entry : legs_) last = std::max(last, entry.second.heard_theirs);
  const auto place = place_in_line();
  if (place && now >= last + kNobodyCame + kNextInRank * static_cast<int>(*place))
    take_over(now, roster_.head.term + 1, Fate::silent);
}

void Room::watch_section_members(Time now) {
  if (duty() != Duty::section) return;
  for (const auto& entry : roster_.members) {
    if (!calls(entry.first)) continue;
    auto& legs = legs_[entry.first];
    if (now < std::max(since_, legs.heard_ours) + kGone) continue;
    legs.heard_ours = now;  // it is said again, should the mixer not have heard
    if (legs.ours) push(order::Drop{entry.first, true});
    pass(Missed{id(), entry.first, false});
  }
}

}  // namespace linnet::node::conference
