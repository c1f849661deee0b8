// What the overlay and SIP tell, carried to the room that it concerns.
#include <algorithm>

#include "base/overloaded.h"
#include "node/claims.h"
#include "node/last_seen.h"
#include "node/node_impl.h"
#include "node/people_desk.h"
#include "node/who.h"

namespace linnet::node {

void Node::Impl::on(Time now, const overlay::StateChanged& changed) {
  out.status_changed();
  if (changed.state != overlay::State::online) return;
  if (!came_online) came_online = now;
  nat.look(now, peer.supernodes());
  auto r = rooms();
  invitations.online(r, now);
}
void Node::Impl::on(Time now, const overlay::ClockMoved&) {
  look_at_clock(now);
  out.status_changed();
}
void Node::Impl::on(Time now, const overlay::SupernodesChanged&) {
  traversal.supernodes_changed(traversal_rooms(now));
  nat.look(now, peer.supernodes());
  out.status_changed();
}
void Node::Impl::on(Time, const overlay::HostCacheChanged&) { out.push(event::SaveHostCache{}); }
void Node::Impl::on(Time, const overlay::DialWanted& dial) { out.push(event::Dial{dial.to, dial.nonce}); }
void Node::Impl::on(Time, const overlay::PlaceChanged&) { out.status_changed(); }
void Node::Impl::on(Time, const overlay::RoleChanged& changed) {
  out.push(event::RoleChanged{changed.role});
  out.status_changed();
}
void Node::Impl::on(Time, const overlay::SequenceUsed& used_below) { out.push(event::SaveSequence{used_below.below}); }
void Node::Impl::on(Time, const overlay::FloorRaised& raised) { out.push(event::SaveFloor{raised.floor}); }
void Node::Impl::on(Time, const overlay::Relayed& relayed) { out.push(event::SaveRelayed{relayed.month}); }

void Node::Impl::on(Time now, const overlay::Found& found) {
  const auto asked = askers.take(found.find);
  if (!asked) return;
  auto r = rooms();
  const auto tell_call = [&](CallId id, const auto& what) {
    if (const auto call = calls.find(id); call != calls.end()) tell(now, call->second, what);
  };
  std::visit(Overloaded{
                 [&](const asker::OfCall& by) { tell_call(by.call, found); },
                 [&](const asker::Who& by) { answer_who(r, by, found); },
                 [&](const asker::Desk& by) { people_desk::on_found(r, by, found); },
                 [&](const asker::Claim& by) {
                   if (const auto checked = answer_claim(r, by, found)) tell_call(*by.call, *checked);
                 },
                 [&](const asker::Delivery& by) { invitations.on_found(r, now, by, found); },
                 [&](const asker::Examination& by) { examiner.on_found(r, now, by, found); },
                 [&](const asker::OtherHalf& by) { conferences.on_found(host(r), now, by, found); },
                 [&](const asker::NewRoom& by) { conferences.on_found(host(r), now, by, found); },
             },
             *asked);
}

void Node::Impl::on(Time now, const overlay::LinkUp& up) {
  traversal.on_up(traversal_rooms(now), up);
  auto r = rooms();
  reception.on(r, now, calls, up);
  const auto* link = links.find(up.link);
  if (link == nullptr) return;
  sip.peer_reconnected(link->peer());
  if (idle_check == kNever) idle_check = now + kIdleCheck;
  calls_moved = true;
  note_heard(r, *links.find(up.link));
  conferences.certify(host(r), now, *links.find(up.link));
  invitations.on(r, now, up);
  examiner.on(r, now, up);
  tell_all(now, up);
}

void Node::Impl::on(Time now, const overlay::LinkDown& down) {
  const auto* link = links.find(down.link);
  const auto known = link == nullptr ? std::nullopt : std::optional(link->peer());
  auto r = rooms();
  if (link != nullptr) note_heard(r, *link, down.reason);
  links.remove(down.link);
  streams.forget(down.link);
  invitations.on(r, now, down);
  examiner.on(r, down);
  tell_all(now, down);
  traversal.on_down(down.link);  // last: what it tried is told of
  if (!known) return;
  if (links.to(*known) != nullptr) {
    (void)sip.set_peer_identity(*known, links.names(*known));
    return;
  }
  const bool awaited =
      std::any_of(calls.begin(), calls.end(), [&](const auto& entry) { return entry.second.waits_for(*known); });
  if (!awaited) sip.peer_lost(now, *known);
}

void Node::Impl::on(Time now, const overlay::LinkMessage& message) {
  if (message.channel == overlay::Channel::candidates) {
    if (streams.on_message(message.link, message.bytes)) return;
    return traversal.on_message(traversal_rooms(now), message);
  }
  if (message.channel == overlay::Channel::people) {
    auto r = rooms();
    if (hear_network(r, now, message)) return examiner.network_heard(r, message.link);
    invitations.on_message(r, now, message);
    // It may have made a contact of somebody whose link stood before.
    if (auto* link = links.find(message.link)) note_heard(r, *link);
    return;
  }
  if (message.channel == overlay::Channel::conference) {
    auto r = rooms();
    const auto* link = links.find(message.link);
    if (link != nullptr) conferences.on_message(host(r), now, link->remote.device, message.bytes);
    return;
  }
  if (message.channel != overlay::Channel::sip) return;
  if (const auto* link = links.find(message.link)) sip.handle_message(now, link->peer(), message.bytes);
}

void Node::Impl::on(Time now, const overlay::LinkPath& moved) {
  traversal.on_moved(now, moved);
  examiner.on(now, moved);
  tell_all(now, moved);
}
void Node::Impl::on(Time now, const overlay::LinkCircuit& circuit) {
  traversal.on_circuit(traversal_rooms(now), circuit);
}
void Node::Impl::on(Time now, const overlay::LinkStun& check) { traversal.on_stun(traversal_rooms(now), check); }
void Node::Impl::on(Time now, const overlay::LinkSilent& silent) { traversal.on_silence(now, silent.link); }

void Node::Impl::on(Time now, const overlay::LinkSeen& seen) { traversal.on_seen(traversal_rooms(now), seen); }

// What STUN wants of the partner (node/partner_desk.h).
void Node::Impl::ask_partner(Time now) {
  bool asked = false;
  while (const auto order = stun.poll_order()) {
    const auto& client = order->client.ip;
    const auto proven = [&] { return peer.proves(client); };
    const bool goes = stun.partner().may_ask(now, client, proven) && peer.ask_partner(now, *order);
    if (!goes) stun.not_sent(*order);
    asked = asked || goes;
  }
  if (asked) settle(now);
}

void Node::Impl::on(Time now, const overlay::PartnerWanted& wanted) {
  peer.answer_partner(now, wanted.from, wanted.order.number, stun.send_for(now, wanted.asker, wanted.order));
}

void Node::Impl::on(Time, const overlay::PartnerFailed& failed) { stun.not_sent(failed.order); }

void Node::Impl::on(Time, const overlay::PartnerChanged&) {
  stun.partner().set_partner(peer.partner());
  out.status_changed();
}

void Node::Impl::on(Time now, const overlay::LinkAnswered& answered) {
  auto r = rooms();
  examiner.on(r, now, answered);
}

// Whose voice it is: mostly that of the call which took the last packet on this link.
Call* Node::Impl::hear(Time now, overlay::LinkVoice& voice) {
  auto* link = links.find(voice.link);
  if (link == nullptr || !conferences.admits(now, link->remote.device)) return nullptr;
  const auto from = link->peer();
  auto r = rooms();
  const auto takes = [&](CallTable::value_type& entry) {
    auto* talking = entry.second.talking();
    if (talking == nullptr || talking->line.peer != from) return false;
    const auto digits = talking->voice.digits_heard();
    if (!talking->hear(r, now, voice.by, voice.bytes)) return false;
    conferences.heard(now, entry.second.facts(), link->remote.device);
    if (talking->voice.digits_heard() != digits) out.changed(entry.first);
    link->voice_of = entry.first;
    return true;
  };
  const auto last = link->voice_of ? calls.find(*link->voice_of) : calls.end();
  if (last != calls.end() && takes(*last)) return &last->second;
  for (auto it = calls.begin(); it != calls.end(); ++it) {
    if (it != last && takes(*it)) return &it->second;
  }
  conferences.heard_foreign(now, link->remote.device);
  return nullptr;
}

void Node::Impl::on(Time now, const sip::IncomingCall& incoming) {
  if (leaving != Leaving::no) return (void)sip.reject(now, incoming.call, 480);
  if (const auto leg = conference_leg(incoming.conference)) return meet_conference(now, incoming, *leg);
  const CallId id{++last_call};
  auto r = rooms();
  auto admitted = reception.admit(r, now, calls, id, incoming);
  if (!admitted) return;
  admitted->facts.rang = now;
  const auto from = admitted->facts.peer;
  (void)sip.ring(now, incoming.call);
  auto& call = calls.emplace(id, Call(std::move(admitted->facts), std::move(admitted->incoming))).first->second;
  out.push(event::IncomingCall{id, from, admitted->known, {}});
  out.changed(id);
  calls_moved = true;
  if (call.facts().name_check == NameCheck::pending) ask_claim(r, now, id, from, *call.account());
  if (config.auto_answer) tell(now, call, input::Answer{false});
}

void Node::Impl::on(Time now, const sip::Answered& answered) {
  if (auto* call = owner(answered.call)) return tell(now, *call, answered);
  // The call it was for is over: somebody else answered first, or the person hung up.
  (void)sip.bye(now, answered.call, sip::Core::kElsewhere);
}

}  // namespace linnet::node
