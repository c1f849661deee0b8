// Offers after the first: re-INVITE (RFC 3261 section 14) and UPDATE (RFC 3311), in either direction, and what happens
// when both ends offer at once.
#include "sip/chars.h"
#include "sip/user_agent.h"

namespace linnet::sip {
namespace {

constexpr int kMaxTries = 6;  // of one offer against 491

// Ours that was put off comes next, if there is one.
Exchange settled(const Backing& later) {
  if (later.retry == kNever) return Settled{};
  return later;
}

// The dialog that a new offer of ours goes into; an early one must have had its first exchange.
Leg* open_leg(InviteSession& session) {
  if (auto* calling = std::get_if<Calling>(&session.state)) {
    for (auto it = calling->forks.rbegin(); it != calling->forks.rend(); ++it)
      if (it->agreed) return &*it;
    return nullptr;
  }
  return session.leg.agreed ? &session.leg : nullptr;
}

}  // namespace

Status UserAgent::offer(Time now, CallId call, Carrier by, std::string sdp) {
  auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  if (auto ok = check_sdp(sdp, true); !ok) return ok;
  if (by == Carrier::invite && (!session->talking() || session->unacked)) return fail(Fault::refused);
  auto* leg = open_leg(*session);
  if (leg == nullptr || !std::holds_alternative<Settled>(leg->exchange)) return fail(Fault::refused);
  if (!send_offer(now, *session, *leg, by, std::move(sdp), 1)) return fail(Fault::full);
  return {};
}

bool UserAgent::send_offer(Time now, InviteSession& session, Leg& leg, Carrier by, std::string sdp, int tries) {
  const bool is_invite = by == Carrier::invite;
  auto out = leg.dialog.request(is_invite ? Method::invite : Method::update);
  describe(out, session);
  put_body(out, kSdpType, sdp);
  const auto sent = layer_.request(now, session.peer, is_invite ? Purpose::reinvite : Purpose::update, session.id,
                                   std::move(out), is_reliable(session.peer));
  if (!sent) return false;
  leg.exchange = Offering{*sent, by, std::move(sdp), tries};
  return true;
}

void UserAgent::on_offer_response(Time now, const ClientTransaction& t) {
  const auto request = t.id;
  const bool is_reinvite = t.purpose == Purpose::reinvite;
  auto* session = calls_.find(t.call);
  auto* leg =
      session == nullptr ? nullptr : session->leg_in<Offering>([&](const Offering& o) { return o.request == request; });
  if (leg == nullptr) {
    const bool waits = session != nullptr && session->leg_in<Deciding>([&](const Deciding& d) {
      return d.request == request && d.answer_in == AnswerIn::ack;
    }) != nullptr;
    if (is_reinvite && in_.status >= 200 && in_.status < 300 && !waits) on_stray_ok(now, t);
    return;
  }
  if (in_.status < 200) return;
  const auto id = session->id;
  if (in_.status < 300) return on_offer_ok(*session, *leg, request);
  const auto offering = std::get<Offering>(leg->exchange);
  if (in_.status == 491 && offering.tries < kMaxTries) {  // section 14.1, in units of 10 ms
    const auto units = session->we_called ? 210 + rng_.below(191) : rng_.below(201);
    leg->exchange = Backing{offering.by, offering.sdp, now + std::chrono::milliseconds(10 * units), offering.tries};
    return;
  }
  leg->exchange = Settled{};
  if ((in_.status == 408 || in_.status == 481) && session->talking()) {  // section 12.2.1.2: the dialog is gone
    release(now, *session);
    send_bye(now, *session, is_reinvite ? "Re-INVITE failed" : "UPDATE failed");
    return end(now, id, Failed{id, "the peer does not know the call"});
  }
  emit(ReinviteRejected{id, in_.status, std::string(in_.reason)});
}

void UserAgent::on_offer_ok(InviteSession& session, Leg& leg, TransactionId request) {
  const auto offering = std::get<Offering>(leg.exchange);
  const auto id = session.id;
  leg.exchange = Settled{};
  leg.dialog.refresh_target(in_);
  note_focus(session);
  auto sdp = sdp_of(in_);
  if (offering.by == Carrier::invite && offering.sdp.empty() && !sdp.empty()) {  // it brought their offer
    leg.exchange = Deciding{AnswerIn::ack, request, in_.cseq.number, false, {}};
    return emit(ReinviteOffer{id, std::move(sdp)});
  }
  if (offering.by == Carrier::invite) acknowledge(request, leg.dialog, in_.cseq.number);
  emit(ReinviteAnswered{id, std::move(sdp)});
}

void UserAgent::on_reinvite(Time now, InviteSession& session, TransactionId id) {
  auto& exchange = session.leg.exchange;
  if (!session.talking()) return refuse(now, id, 491);
  if (std::holds_alternative<Deciding>(exchange))  // section 14.2
    return refuse(now, id, 500, "An offer already waits", {"Retry-After", std::to_string(rng_.below(11))});
  if (std::holds_alternative<Offering>(exchange) || session.unacked) return refuse(now, id, 491);
  Deciding deciding{AnswerIn::reinvite_ok, id, 0, in_.body.empty(), {}};
  if (const auto* backing = std::get_if<Backing>(&exchange)) deciding.later = *backing;
  exchange = std::move(deciding);
  layer_.server(id)->call = session.id;
  session.leg.dialog.refresh_target(in_);
  note_focus(session);
  emit(ReinviteOffer{session.id, std::string(in_.body)});
}

// RFC 3311 section 5.2. Without an offer it only moves their Contact.
void UserAgent::on_update(Time now, InviteSession& session, Leg& leg, TransactionId id) {
  if (in_.body.empty()) {
    leg.dialog.refresh_target(in_);
    note_focus(session);
    auto out = response(id, 200, {}, {});
    describe(out, session);
    return layer_.respond(now, id, out);
  }
  const bool alerting = std::holds_alternative<Alerting>(session.state);
  const bool theirs_waits = std::holds_alternative<Deciding>(leg.exchange) ||
                            (alerting && !leg.agreed && !std::get<Alerting>(session.state).offerless);
  if (theirs_waits)
    return refuse(now, id, 500, "An offer already waits", {"Retry-After", std::to_string(rng_.below(11))});
  if (!leg.agreed || std::holds_alternative<Offering>(leg.exchange)) return refuse(now, id, 491);
  Deciding deciding{AnswerIn::update_ok, id, 0, false, {}};
  if (const auto* backing = std::get_if<Backing>(&leg.exchange)) deciding.later = *backing;
  leg.exchange = std::move(deciding);
  leg.dialog.refresh_target(in_);
  note_focus(session);
  emit(ReinviteOffer{session.id, std::string(in_.body)});
}

Status UserAgent::answer(Time now, CallId call, std::string sdp) {
  auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  if (auto ok = check_sdp(sdp); !ok) return ok;
  auto* leg = session->leg_in<Deciding>([](const Deciding&) { return true; });
  if (leg == nullptr) return fail(Fault::refused);
  const auto deciding = std::get<Deciding>(leg->exchange);
  leg->exchange = settled(deciding.later);
  leg->agreed = true;
  switch (deciding.answer_in) {
    case AnswerIn::reinvite_ok: {
      Unacked unacked;
      unacked.offer = deciding.offerless;
      answer_ok(now, *session, deciding.request, std::move(sdp), std::move(unacked));
      break;
    }
    case AnswerIn::update_ok:
    case AnswerIn::prack_ok: {
      auto out = response(deciding.request, 200, {}, leg->dialog.local_tag);
      if (deciding.answer_in == AnswerIn::update_ok) describe(out, *session);
      layer_.respond(now, deciding.request, put_body(out, kSdpType, std::move(sdp)));
      after_prack(now, *session);
      break;
    }
    case AnswerIn::prack:
      if (!send_prack(now, *session, *leg, deciding.number, std::move(sdp))) return fail(Fault::full);
      break;
    case AnswerIn::ack: acknowledge(deciding.request, leg->dialog, deciding.number, std::move(sdp)); break;
  }
  return {};
}

// An answer in a PRACK or an ACK cannot be refused: the call cannot go on without one.
Status UserAgent::refuse_offer(Time now, CallId call, int code, std::string_view reason) {
  auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  if (code < 300 || code > 699 || !is_clean_value(reason)) return fail(Fault::malformed);
  auto* leg = session->leg_in<Deciding>([](const Deciding&) { return true; });
  if (leg == nullptr) return fail(Fault::refused);
  const auto deciding = std::get<Deciding>(leg->exchange);
  if (deciding.answer_in == AnswerIn::prack) {
    leg->exchange = Settled{};
    return cancel(now, call, reason);
  }
  if (deciding.answer_in == AnswerIn::ack) return bye(now, call, reason);
  layer_.respond(now, deciding.request, response(deciding.request, code, reason, leg->dialog.local_tag));
  leg->exchange = settled(deciding.later);
  after_prack(now, *session);
  return {};
}

void UserAgent::release(Time now, InviteSession& session) {
  while (auto* leg = session.leg_in<Deciding>([](const Deciding&) { return true; })) {
    const auto deciding = std::get<Deciding>(leg->exchange);
    leg->exchange = Settled{};
    switch (deciding.answer_in) {
      case AnswerIn::reinvite_ok:
      case AnswerIn::update_ok:
      case AnswerIn::prack_ok:
        layer_.respond(now, deciding.request, response(deciding.request, 487, {}, leg->dialog.local_tag));
        break;
      case AnswerIn::ack: acknowledge(deciding.request, leg->dialog, deciding.number); break;
      case AnswerIn::prack: break;
    }
  }
}

}  // namespace linnet::sip
