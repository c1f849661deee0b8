// What a person asks for.
#include <utility>

#include "node/node_impl.h"
#include "node/people_desk.h"
#include "node/who.h"

namespace linnet::node {

void Node::Impl::done(CommandId id, Outcome outcome, std::optional<CallId> call, std::string text) {
  out.push(event::Done{id, outcome, call, std::move(text)});
}

// The one that was named, or the only one that fits.
template <class Fits>
Call* Node::Impl::pick(std::optional<CallId> wanted, Fits fits) {
  Call* out_call = nullptr;
  for (auto& entry : calls) {
    if (entry.second.facts().hidden()) continue;
    if ((wanted && entry.first != *wanted) || !fits(entry.second)) continue;
    if (out_call != nullptr) return nullptr;
    out_call = &entry.second;
  }
  return out_call;
}

// The one that talks; when there is none, or no single one, the person is told.
Call* Node::Impl::pick_talking(CommandId id, std::optional<CallId> wanted) {
  auto* call = pick(wanted, [](const Call& c) { return c.talking() != nullptr; });
  if (call == nullptr) done(id, Outcome::no_such_call, {}, "No call is talking, or several are: say which.");
  return call;
}

void Node::Impl::command(Time now, CommandId id, const command::Call& call) {
  if (leaving != Leaving::no) return done(id, Outcome::shutting_down, {}, "The node is shutting down.");
  place_call(now, id, call, {});
}

void Node::Impl::place_call(Time now, CommandId id, const command::Call& call, Facts facts) {
  const auto* contact = contacts.find(call.who);
  const auto address = contact != nullptr ? contact->address : crypto::Address::parse(call.who);
  if (!address) return done(id, Outcome::bad_address);  // the driver knows which contact may have been meant
  if (contact != nullptr && contact->blocked)
    return done(id, Outcome::refused, {}, call.who + " is blocked here. First: linnet contact block --off " + call.who);
  if (*address == identity.address || *address == identity.key_name())
    return done(id, Outcome::refused, {}, address->text() + " is your own address. Give the address of somebody else.");
  if (visible_calls() >= config.max_calls)
    return done(id, Outcome::busy, {},
                std::to_string(visible_calls()) + " calls are running; no more are allowed at once.");
  facts.id = CallId{++last_call};
  facts.direction = Direction::outgoing;
  facts.peer = *address;
  facts.began = now;
  facts.started = wall;
  facts.by_person = true;
  facts.cold = call.cold;
  facts.explain = call.explain;
  facts.limit = call.duration;
  note_room(facts);
  if (facts.room && facts.room->account && conferences.is_in(*facts.room->account))
    return done(id, Outcome::refused, {}, "You are in " + facts.room->address.text() + " already. See: linnet conf ls");
  const auto call_id = facts.id;
  auto r = rooms();
  calls.emplace(call_id, Call::outgoing(r, now, std::move(facts)));
  calls_moved = true;
  done(id, Outcome::ok, call_id);
  out.changed(call_id);
}

void Node::Impl::command(Time now, CommandId id, const command::Answer& answer) {
  auto* call = pick(answer.call, [](const Call& c) { return c.ringing_us(); });
  if (call == nullptr) return done(id, Outcome::no_such_call, {}, "No call rings, or several do: say which.");
  const auto call_id = call->facts().id;
  tell(now, *call, input::Answer{});
  done(id, Outcome::ok, call_id);
}

void Node::Impl::command(Time now, CommandId id, const command::Hangup& hangup) {
  bool any = false;
  auto r = rooms();
  for (const auto conference : conferences.ids())
    if (!hangup.call || conference == *hangup.call) any = conferences.leave(host(r), now, conference) || any;
  for (auto& entry : calls) {
    if ((hangup.call && entry.first != *hangup.call) || entry.second.facts().hidden()) continue;
    any = true;
    tell(now, entry.second, input::Hangup{});
  }
  if (any) return done(id, Outcome::ok, hangup.call);
  done(id, Outcome::no_such_call, {}, "There is no such call.");
}

void Node::Impl::command(Time now, CommandId id, const command::Hold& hold) {
  auto* call = pick_talking(id, hold.call);
  if (call == nullptr) return;
  const auto call_id = call->facts().id;
  tell(now, *call, input::Hold{hold.on});
  if (call->talking()->voice.on_hold() == hold.on) return done(id, Outcome::ok, call_id);
  done(id, Outcome::refused, call_id, "The call is being changed just now. Try again.");
}

void Node::Impl::command(Time now, CommandId id, const command::Mute& mute) {
  const auto conference = mute.call ? mute.call : conferences.pick({});
  auto r = rooms();
  if (conference && conferences.set_muted(host(r), now, *conference, mute.on)) return done(id, Outcome::ok, conference);
  auto* call = pick_talking(id, mute.call);
  if (call == nullptr) return;
  call->talking()->voice.set_muted(mute.on);
  out.changed(call->facts().id);
  done(id, Outcome::ok, call->facts().id);
}

void Node::Impl::command(Time, CommandId id, const command::Dtmf& dtmf) {
  auto* call = pick_talking(id, dtmf.call);
  if (call == nullptr) return;
  const auto call_id = call->facts().id;
  if (call->talking()->voice.send_digits(dtmf.digits)) return done(id, Outcome::ok, call_id);
  done(id, Outcome::refused, call_id, "The digits were not all sent: the other end takes none, or too many wait.");
}

void Node::Impl::command(Time now, CommandId id, const command::Who& who) {
  if (leaving != Leaving::no) return done(id, Outcome::shutting_down, {}, "The node is shutting down.");
  auto r = rooms();
  ask_who(r, now, id, who.who);
}

void Node::Impl::command(Time now, CommandId id, const command::Examine& examine) {
  if (leaving != Leaving::no) return done(id, Outcome::shutting_down, {}, "The node is shutting down.");
  auto r = rooms();
  examiner.begin(r, now, id, examine);
}

void Node::Impl::command(Time, CommandId id, const command::StopExamining& stop) {
  examiner.stop(stop.which);
  done(id);
}

void Node::Impl::command(Time now, CommandId id, const command::People& people) {
  Reply shutting;
  shutting.refusal = Refusal::refused;
  shutting.text = "The node is shutting down.";
  if (leaving != Leaving::no) return out.push(event::PeopleDone{id, std::move(shutting)});
  auto r = rooms();
  auto reply = std::visit(
      [&](const auto& what) -> std::optional<Reply> {
        if constexpr (requires { people_desk::handle(r, now, id, what); }) {
          return people_desk::handle(r, now, id, what);
        } else if constexpr (requires { invitations.handle(r, now, id, what); }) {
          return invitations.handle(r, now, id, what);
        } else {
          return revoke(now);
        }
      },
      people.ask);
  save_people(r);
  if (reply) out.push(event::PeopleDone{id, std::move(*reply)});
}

std::optional<Reply> Node::Impl::revoke(Time now) {
  Reply reply;
  if (!crypto::revoke_others(suite, identity, wall)) {
    reply.refusal = Refusal::refused;
    reply.text = "There is no further revocation epoch.";
    return reply;
  }
  out.push(event::SaveIdentity{});
  peer.identity_changed(now);
  reply.text = "Every other device of " + identity.address.text() + " is void (epoch " +
               std::to_string(identity.certificate.epoch) + ").";
  return reply;
}

void Node::Impl::command(Time now, CommandId id, const command::Leave&) {
  if (leaving == Leaving::no) {
    const bool talked = !calls.empty() || conferences.size() > 0;
    leaving = Leaving::ending_calls;
    drained_by = now + config.drain;
    last_words_by = talked ? now + kLastWords : now;
    auto r = rooms();
    conferences.end_all(host(r), now);
    tell_all(now, input::Hangup{});
    out.status_changed();
  }
  done(id);
}

}  // namespace linnet::node
