// Provisional responses and their reliability (RFC 3262), on both ends. An INVITE that forks makes one early dialog for
// each tag, each with response numbers of its own.
#include "sip/chars.h"
#include "sip/grammar.h"
#include "sip/user_agent.h"

namespace linnet::sip {

Status UserAgent::provisional(Time now, CallId call, int code, std::string sdp) {
  auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  auto* alerting = std::get_if<Alerting>(&session->state);
  if (alerting == nullptr || alerting->accepting) return fail(Fault::refused);
  if (!sdp.empty()) {
    if (session->leg.agreed) return fail(Fault::refused);  // what is new goes into an UPDATE
    if (alerting->offerless && !alerting->can_100rel) return fail(Fault::refused);
  }
  Provisional what{code, std::move(sdp)};
  // Section 3: the next one waits until the last has its PRACK.
  if (session->unpracked && goes_reliably(*session, *alerting, !what.sdp.empty()))
    alerting->next = std::move(what);
  else
    send_provisional(now, *session, *alerting, std::move(what));
  return {};
}

bool UserAgent::goes_reliably(const InviteSession& session, const Alerting& alerting, bool has_sdp) const {
  if (alerting.must_100rel || !alerting.can_100rel) return alerting.must_100rel;
  return !is_reliable(session.peer) || (alerting.offerless && has_sdp);
}

void UserAgent::send_provisional(Time now, InviteSession& session, Alerting& alerting, Provisional what) {
  const bool has_sdp = !what.sdp.empty();
  const bool reliably = goes_reliably(session, alerting, has_sdp);
  auto out = response(alerting.invite, what.code, {}, session.leg.dialog.local_tag);
  out.add(HeaderId::contact, session.our_contact()).add(HeaderId::allow, std::string(kAllow));
  if (reliably) {
    // From a random start in the lower half, so that it never wraps.
    alerting.rseq = alerting.rseq == 0 ? static_cast<std::uint32_t>(1 + rng_.below(0x7fffffff)) : alerting.rseq + 1;
    out.add(HeaderId::require, std::string(k100rel)).add(HeaderId::rseq, std::to_string(alerting.rseq));
  }
  put_body(out, kSdpType, std::move(what.sdp));
  layer_.respond(now, alerting.invite, out);
  if (!reliably) return;
  const auto* t = layer_.server(alerting.invite);
  const auto t1 = config_.timers.t1;
  session.unpracked =
      Unpracked{alerting.rseq, t == nullptr ? 0 : t->cseq, serialise(out), has_sdp, t1, now + t1, now + 64 * t1};
  if (has_sdp && !alerting.offerless) session.leg.agreed = true;
}

void UserAgent::on_prack(Time now, InviteSession& session, Leg& leg, TransactionId id) {
  RAck rack;
  const auto& waiting = session.unpracked;
  if (!in_.has(HeaderId::rack) || !parse_rack(in_.value(HeaderId::rack), rack)) return refuse(now, id, 400, "No RAck");
  if (!waiting || waiting->rseq != rack.response || waiting->cseq != rack.cseq || rack.method != Method::invite)
    return refuse(now, id, 481);
  const auto* alerting = std::get_if<Alerting>(&session.state);
  const bool answers = waiting->has_sdp && alerting != nullptr && alerting->offerless && !leg.agreed;
  if (answers && in_.body.empty()) return refuse(now, id, 400, "No answer in PRACK");
  if (!answers && !in_.body.empty()) {  // section 5: an offer of theirs
    if (!leg.agreed || !std::holds_alternative<Settled>(leg.exchange)) return refuse(now, id, 491);
    session.unpracked.reset();
    leg.exchange = Deciding{AnswerIn::prack_ok, id, 0, false, {}};
    return emit(ReinviteOffer{session.id, std::string(in_.body)});
  }
  session.unpracked.reset();
  layer_.respond(now, id, response(id, 200, {}, {}));
  if (answers) {
    leg.agreed = true;
    emit(ReinviteAnswered{session.id, std::string(in_.body)});
  }
  after_prack(now, session);
}

// What had to wait for the PRACK, or for an exchange in the early dialog.
void UserAgent::after_prack(Time now, InviteSession& session) {
  auto* alerting = std::get_if<Alerting>(&session.state);
  if (alerting == nullptr || session.unpracked || !std::holds_alternative<Settled>(session.leg.exchange)) return;
  if (alerting->accepting) return accept_now(now, session, std::string(*alerting->accepting));
  if (!alerting->next) return;
  auto next = std::move(*alerting->next);
  alerting->next.reset();
  if (session.leg.agreed) next.sdp.clear();
  send_provisional(now, session, *alerting, std::move(next));
}

void UserAgent::take_provisional(Time now, InviteSession& session, Calling& calling) {
  calling.provisional = true;
  if (calling.cancelling) return send_cancel(now, session, calling);
  if (in_.status == 100 || in_.to.tag.empty()) return;
  auto* fork = session.leg_with(in_.to.tag);
  if (fork == nullptr) {
    if (calling.forks.size() >= kMaxForks) {
      ++counters_.refused_full;
      return;
    }
    fork = &calling.forks.emplace_back(session.leg);
    fork->dialog.learn(in_);
    calls_.index(session, fork->dialog);
  }
  if (in_.has(HeaderId::rseq) && names_token(in_, HeaderId::require, k100rel))
    return take_reliable(now, session, calling, *fork);
  fork->dialog.refresh_target(in_);
  auto sdp = sdp_of(in_);
  if (!sdp.empty() ? fork->agreed : in_.status != 180 || calling.rang) return;
  if (in_.status == 180) calling.rang = true;
  emit(Ringing{session.id, in_.status, std::move(sdp)});
}

// Section 4: in order, each once. A copy, and one from behind a gap, are not taken; a lost one comes again.
void UserAgent::take_reliable(Time now, InviteSession& session, Calling& calling, Leg& fork) {
  const auto rseq = static_cast<std::uint32_t>(chars::number(in_.value(HeaderId::rseq), 0xffffffffu).value_or(0));
  if (fork.rseq != 0 && rseq != fork.rseq + 1) return;
  fork.rseq = rseq;
  fork.dialog.refresh_target(in_);
  auto sdp = sdp_of(in_);
  const bool news = !sdp.empty() && !fork.agreed;
  if (news && calling.offerless) {
    fork.exchange = Deciding{AnswerIn::prack, calling.invite, in_.cseq.number, false, {}};
    return emit(ReinviteOffer{session.id, std::move(sdp)});
  }
  if (!send_prack(now, session, fork, in_.cseq.number, {})) {
    fork.rseq = rseq - 1;  // with no room for it now its copy is taken
    return;
  }
  if (news) {
    fork.agreed = true;
    fork.answer = sdp;
  }
  if (!news && (in_.status != 180 || calling.rang)) return;
  if (in_.status == 180) calling.rang = true;
  emit(Ringing{session.id, in_.status, news ? std::move(sdp) : std::string{}});
}

bool UserAgent::send_prack(Time now, InviteSession& session, Leg& leg, std::uint32_t cseq, std::string sdp) {
  auto out = leg.dialog.request(Method::prack);
  out.add(HeaderId::rack, std::to_string(leg.rseq).append(" ").append(std::to_string(cseq)).append(" INVITE"));
  put_body(out, kSdpType, std::move(sdp));
  return layer_.request(now, session.peer, Purpose::prack, session.id, std::move(out), is_reliable(session.peer))
      .has_value();
}

}  // namespace linnet::sip
