// Conferences as the rest of the node meets them: a person's words, and calls that come in.
#include <algorithm>
#include <utility>

#include "node/node_impl.h"

namespace linnet::node {

std::size_t Node::Impl::visible_calls() const {
  return conferences.size() + static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(), [](const auto& entry) {
           return !entry.second.facts().hidden();
         }));
}

bool Node::Impl::settle_conferences(Time now) {
  auto r = rooms();
  const bool moved = conferences.settle(host(r), now);
  calls_moved = calls_moved || moved;
  return moved;
}

void Node::Impl::on(Time now, const sip::SubscriptionRequested& asked) {
  auto r = rooms();
  conferences.on(host(r), now, asked);
}

void Node::Impl::on(Time now, const sip::SubscriptionRefreshed& again) {
  auto r = rooms();
  conferences.on(host(r), now, again);
}

void Node::Impl::on(Time now, const sip::ReferReceived& asked) {
  auto r = rooms();
  conferences.on(host(r), now, asked);
  calls_moved = true;
}

// An invitation rings, or is answered, like a call. What a mixer of ours connects, and who asks to be let in, is not
// the person's business.
void Node::Impl::meet_conference(Time now, const sip::IncomingCall& incoming, ConferenceLeg leg) {
  const crypto::DeviceKey from{incoming.peer.bytes};
  const auto meeting = conferences.meet(leg, from);
  if (!meeting) return (void)sip.reject(now, incoming.call, 480);
  if (*meeting == Conferences::Meeting::refused) return (void)sip.reject(now, incoming.call, 403);
  const bool keeps = *meeting == Conferences::Meeting::lets_in && Conferences::is_keeper(rooms(), leg, from);
  const bool expected = *meeting == Conferences::Meeting::expected || keeps;
  const CallId id{++last_call};
  auto r = rooms();
  if (keeps) save_people(r);  // he may have shown a later epoch
  auto admitted = reception.admit(r, now, calls, id, incoming, expected);
  if (!admitted) return;
  // Nobody here is asked whether to let somebody in: only whom we know comes in like that.
  const bool known = admitted->known || config.auto_answer;
  if (*meeting == Conferences::Meeting::lets_in && !known && !keeps) return (void)sip.reject(now, incoming.call, 403);
  if (conference::is_name(incoming.subject)) leg.name = incoming.subject;
  auto rings = *meeting == Conferences::Meeting::rings;
  if (const auto crossing = rings ? conferences.crosses(now, leg, admitted->facts.peer) : std::nullopt) {
    if (*crossing == Conferences::Crossing::ours_stays) {
      (void)sip.reject(now, incoming.call, 486);
      return conferences.turn_away(host(r), now, leg, admitted->facts.peer);
    }
    conferences.give_way(host(r), now, leg, from, admitted->facts.peer);
    rings = false;
  }
  if (!rings) conferences.seat(leg, from);
  leg.source = conference::source_of(leg.room, identity.device_key());
  admitted->facts.conference = leg;
  admitted->facts.rang = now;
  const auto peer_name = admitted->facts.peer;
  const auto title = title_of(leg.room, leg.name);
  if (rings) {
    (void)sip.ring(now, incoming.call);
    out.push(event::MeasureMixer{});
  }
  auto& call = calls.emplace(id, Call(std::move(admitted->facts), std::move(admitted->incoming))).first->second;
  calls_moved = true;
  if (!rings) return tell(now, call, input::Answer{false});
  out.push(event::IncomingCall{id, peer_name, admitted->known, title});
  out.changed(id);
  if (config.auto_answer) tell(now, call, input::Answer{false});
}

void Node::Impl::command(Time now, CommandId id, const command::Confer& what) {
  if (leaving != Leaving::no) return done(id, Outcome::shutting_down, {}, "The node is shutting down.");
  if (!what.at.empty()) return confer_at(now, id, what);
  if (const auto why = conferences.why_not(rooms(), what); !why.empty()) return done(id, Outcome::refused, {}, why);
  if (conferences.full()) return done(id, Outcome::busy, {}, "This node is in as many conferences as it can hold.");
  const CallId conference{++last_call};
  auto r = rooms();
  calls_moved = true;
  // Before its sound starts and its people are called: whoever waits for the word plans the one and hears of the other.
  done(id, Outcome::ok, conference);
  out.push(event::MeasureMixer{});
  conferences.begin(host(r), now, conference, what);
}

// Whoever has the address now is looked up first: it may be somebody's, or the conference is under way.
void Node::Impl::confer_at(Time now, CommandId id, const command::Confer& what) {
  auto r = rooms();
  const auto address = crypto::Address::parse(what.at);
  if (const auto why = conferences.why_not_at(r, what); !why.empty())
    return done(id, address ? Outcome::refused : Outcome::bad_address, {}, why);
  Facts facts;
  auto& room = facts.room.emplace();
  room.address = *address;
  room.invites = what.who;
  room.found = book.find(*address) == nullptr;
  room.account = room.found ? crypto::AccountKey{crypto::room_account(suite, identity.account, *address).public_key}
                            : book.find(*address)->account();
  room.keep = room.found || crypto::check_time(book.find(*address)->certificate, wall);
  room.stale = !room.keep;
  out.push(event::MeasureMixer{});
  place_call(now, id, command::Call{what.at, false, what.duration, false}, std::move(facts));
}

// A room that we keep needs nobody who is in it.
void Node::Impl::note_room(Facts& facts) const {
  const auto* room = facts.room ? nullptr : book.find(facts.peer);
  if (room == nullptr) return;
  auto& call = facts.room.emplace();
  call.address = room->address;
  call.account = room->account();
  call.keep = crypto::check_time(room->certificate, wall).has_value();
  call.stale = !call.keep;
}

void Node::Impl::command(Time now, CommandId id, const command::JoinConference& join) {
  if (leaving != Leaving::no) return done(id, Outcome::shutting_down, {}, "The node is shutting down.");
  // He lets nobody in who is in two, so ours is the one that he would let us in to.
  const auto r = rooms();
  const auto* contact = contacts.find(join.who);
  const auto is_meant = [&](const ConferenceView::Member& member) {
    const bool known = contact != nullptr &&
                       (member.address == contact->address.text() || member.key_name == contact->key_name.text());
    return !member.self && (known || member.address == join.who || member.key_name == join.who);
  };
  for (const auto& view : conferences.views(r, calls))
    if (std::any_of(view.members.begin(), view.members.end(), is_meant))
      return done(id, Outcome::refused, {},
                  "You are in " + (view.name.empty() ? view.room : view.name) + " already, and so is " + join.who +
                      ". See: linnet conf ls");
  command::Call call{join.who, false, join.duration, false};
  Facts facts;
  ConferenceLeg leg;
  leg.kind = ConferenceLeg::Kind::join;
  facts.conference = std::move(leg);
  out.push(event::MeasureMixer{});
  place_call(now, id, call, std::move(facts));
}

void Node::Impl::command(Time now, CommandId id, const command::InviteToConference& invite) {
  const auto conference = conferences.pick(invite.which);
  if (!conference) return done(id, Outcome::no_such_call, {}, "There is no such conference, or several: say which.");
  auto r = rooms();
  std::string why;
  const auto outcome = conferences.invite(host(r), now, *conference, invite.who, why);
  calls_moved = true;
  done(id, outcome, conference, std::move(why));
}

// Of a room that this device keeps, whether there is a conference in it or not.
void Node::Impl::rule_room(Time now, CommandId id, const command::RuleConference& rule) {
  const auto address = crypto::Address::parse(rule.which);
  const auto* room = address ? book.find(*address) : nullptr;
  if (room == nullptr)
    return done(id, Outcome::not_found, {}, "No room " + rule.which + " is kept here. See: linnet conf ls");
  auto all = rooms();
  if (rule.rule == command::ConferenceRule::forget) {
    conferences.address_forgotten(now, room_number(room->account()));
    (void)book.drop(crypto::Address(room->address));
  } else {
    if (!room->founded) return done(id, Outcome::refused, {}, "Only who founded a room dismisses its keepers.");
    const auto keeper = person_called(rule.who);
    const auto dismissed =
        keeper ? book.dismiss(suite, identity, room->address, *keeper, wall) : fail(Fault::not_found);
    if (!dismissed && dismissed.error() == Fault::full)
      return done(id, Outcome::refused, {}, "Nobody can be dismissed from " + room->address.text() + " any more.");
    if (!dismissed)
      return done(
          id, Outcome::not_found, {},
          rule.who + " does not keep " + room->address.text() + ". See: linnet conf keepers " + room->address.text());
    conferences.keeper_dismissed(host(all), now, *room);
  }
  save_people(all);
  out.status_changed();
  done(id);
}

// By a contact's name, his address or key name, or the key name of somebody who is none.
std::optional<PersonKey> Node::Impl::person_called(const std::string& who) const {
  if (const auto* contact = contacts.find(who)) return contact->key;
  const auto address = crypto::Address::parse(who);
  return address ? address->key_hash() : std::nullopt;
}

std::optional<std::vector<KeeperView>> Node::Impl::keepers(const std::string& which) const {
  const auto address = crypto::Address::parse(which);
  const auto* room = address ? book.find(*address) : nullptr;
  if (room == nullptr || !room->founded) return std::nullopt;
  std::vector<KeeperView> out_list;
  for (const auto& key : room->keepers) {
    const auto* contact = contacts.find(key);
    const auto key_name = contact != nullptr ? contact->key_name : crypto::Address::key_name("keeper", key);
    const auto shown = contact != nullptr ? contact->address : key_name;
    out_list.push_back({contact != nullptr ? contact->name : "", shown.text(), key_name.text()});
  }
  return out_list;
}

void Node::Impl::command(Time now, CommandId id, const command::RuleConference& rule) {
  using Rule = command::ConferenceRule;
  if (rule.rule == Rule::forget || rule.rule == Rule::dismiss) return rule_room(now, id, rule);
  const auto conference = conferences.pick(rule.which);
  if (!conference) return done(id, Outcome::no_such_call, {}, "There is no such conference, or several: say which.");
  auto r = rooms();
  std::string why;
  auto outcome = Outcome::ok;
  switch (rule.rule) {
    case Rule::lock:
    case Rule::unlock: outcome = conferences.lock(now, *conference, rule.rule == Rule::lock, why); break;
    case Rule::remove: outcome = conferences.remove(host(r), now, *conference, rule.who, why); break;
    case Rule::forget:
    case Rule::dismiss: break;  // above
    case Rule::leave: (void)conferences.leave(host(r), now, *conference); break;
    case Rule::mute:
    case Rule::unmute:
      if (rule.who.empty()) {
        (void)conferences.set_muted(host(r), now, *conference, rule.rule == Rule::mute);
      } else {
        outcome = conferences.silence(host(r), now, *conference, rule.who, rule.rule == Rule::mute, why);
      }
      break;
  }
  done(id, outcome, conference, std::move(why));
}

}  // namespace linnet::node
