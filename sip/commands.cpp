// What the node asks for.
#include <algorithm>

#include "sip/chars.h"
#include "sip/grammar.h"
#include "sip/sdp.h"
#include "sip/user_agent.h"

namespace linnet::sip {
namespace {

constexpr std::size_t kMaxExtraHeaders = 32;
constexpr std::size_t kMaxExtraBytes = 16 * 1024;

// Headers the user agent writes itself may not be given from outside.
bool is_free(HeaderId id) {
  switch (id) {
    case HeaderId::other:
    case HeaderId::alert_info:
    case HeaderId::call_info:
    case HeaderId::date:
    case HeaderId::expires:
    case HeaderId::reason:
    case HeaderId::referred_by:
    case HeaderId::subject: return true;
    default: return false;
  }
}

Status check_headers(const std::vector<HeaderLine>& headers) {
  std::size_t bytes = 0;
  for (const auto& h : headers) {
    bytes += h.name.size() + h.value.size();
    if (!chars::is_token(h.name) || !is_clean_value(h.value) || !is_free(header_id(h.name)) ||
        !follows_grammar(header_id(h.name), h.value))
      return fail(Fault::malformed);
  }
  if (headers.size() > kMaxExtraHeaders || bytes > kMaxExtraBytes) return fail(Fault::too_big);
  return {};
}

Status check_params(const InviteParams& params) {
  for (const auto* uri : {&params.target, &params.from}) {
    const auto text = uri->to_string();
    const auto parsed = parse_uri(text);
    if (!parsed || !parsed->is_sip() || text.size() > 1024) return fail(Fault::malformed);
  }
  if (!params.call_group.empty() && !chars::is_token(params.call_group)) return fail(Fault::malformed);
  if (!params.conference.empty() && !chars::is_token(params.conference)) return fail(Fault::malformed);
  if (params.conference.size() > 256) return fail(Fault::too_big);
  if (params.sdp_offer.size() > kMaxSdp || params.call_group.size() > 256) return fail(Fault::too_big);
  for (const auto& name : {params.replaces, params.joins})
    if (name && !is_dialog_name(*name)) return fail(Fault::malformed);
  if (params.replaces && params.joins) return fail(Fault::malformed);
  return check_headers(params.headers);
}

}  // namespace

Result<CallId> UserAgent::invite(Time now, InviteParams params) {
  if (auto ok = check_params(params); !ok) return fail(ok.error());
  if (!has_room_for_call(params.to)) {
    ++counters_.refused_full;
    return fail(Fault::full);
  }
  InviteSession session;
  session.id = CallId{last_call_ + 1};
  session.peer = params.to;
  session.we_called = true;
  session.contact = name_addr({}, params.from.to_string());
  session.focus = params.focus;
  auto& dialog = session.leg.dialog;
  dialog.call_id = to_hex(rng_.array<16>());
  dialog.local_tag = new_tag();
  dialog.local = name_addr(config_.display_name, params.from.to_string());
  dialog.remote = name_addr({}, params.target.to_string());
  dialog.remote_target = params.target.to_string();
  auto message = dialog.request(Method::invite);
  describe(message, session);
  message.add(HeaderId::supported, supported()).add(HeaderId::user_agent, config_.user_agent);
  if (!params.call_group.empty()) message.add(HeaderId::linnet_call_group, params.call_group);
  // Required: who cannot would take it for another call.
  if (params.replaces)
    message.add(HeaderId::replaces, replaces_value(*params.replaces, params.early_only))
        .add(HeaderId::require, "replaces");
  if (params.joins) message.add(HeaderId::join, replaces_value(*params.joins, false)).add(HeaderId::require, "join");
  if (!params.conference.empty()) message.add(HeaderId::linnet_conference, params.conference);
  for (auto& h : params.headers) message.headers.push_back(std::move(h));
  Calling calling;
  calling.offerless = params.sdp_offer.empty();
  put_body(message, kSdpType, std::move(params.sdp_offer));
  calling.branch = layer_.new_branch();
  const auto sent = layer_.request(now, params.to, Purpose::invite, session.id, std::move(message),
                                   is_reliable(params.to), calling.branch);
  if (!sent) return fail(sent.error());
  calling.invite = *sent;
  session.state = std::move(calling);
  ++last_call_;
  const auto call = session.id;
  calls_.add(std::move(session));
  return call;
}

Message UserAgent::response(TransactionId id, int status, std::string_view reason, std::string_view local_tag) {
  Message out;
  if (const auto* t = layer_.server(id)) out = t->answer;
  out.status = status;
  out.reason = reason.empty() ? reason_phrase(status) : reason;
  for (auto& h : out.headers) {
    if (h.name != "To") continue;
    const auto to = parse_name_addr(h.value);
    if (to && to->tag.empty()) h.value.append(";tag=").append(local_tag.empty() ? new_tag() : std::string(local_tag));
  }
  out.add(HeaderId::server, config_.user_agent);
  return out;
}

void UserAgent::describe(Message& message, const InviteSession& session) const {
  message.add(HeaderId::contact, session.our_contact()).add(HeaderId::allow, std::string(kAllow));
  if (auto packages = recv_info(); !packages.empty()) message.add(HeaderId::recv_info, std::move(packages));
  if (auto events = allow_events(); !events.empty()) message.add(HeaderId::allow_events, std::move(events));
}

void UserAgent::answer_ok(Time now, InviteSession& session, TransactionId id, std::string sdp, Unacked unacked) {
  auto out = response(id, 200, {}, session.leg.dialog.local_tag);
  describe(out, session);
  if (unacked.first) out.add(HeaderId::supported, supported());
  put_body(out, kSdpType, std::move(sdp));
  unacked.ok = serialise(out);
  if (const auto* t = layer_.server(id)) unacked.seq = t->cseq;
  // Section 13.3.1.4: on every transport, since there may be hops of another kind behind the first.
  unacked.interval = config_.timers.t1;
  unacked.resend = now + unacked.interval;
  unacked.give_up = now + 64 * config_.timers.t1;
  layer_.respond(now, id, out);
  session.unacked = std::move(unacked);
}

Status UserAgent::accept(Time now, CallId call, std::string sdp) {
  auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  auto* alerting = std::get_if<Alerting>(&session->state);
  if (alerting == nullptr || alerting->accepting) return fail(Fault::refused);
  // RFC 3262 section 5: the 2xx must not overtake the first exchange, nor one that the PRACK began.
  const bool waits = session->unpracked && session->unpracked->has_sdp;
  if (auto ok = check_sdp(sdp, session->leg.agreed || waits); !ok) return ok;
  if (waits || !std::holds_alternative<Settled>(session->leg.exchange))
    alerting->accepting = std::move(sdp);
  else
    accept_now(now, *session, std::move(sdp));
  return {};
}

void UserAgent::accept_now(Time now, InviteSession& session, std::string sdp) {
  const auto alerting = std::get<Alerting>(session.state);
  if (session.unpracked) session.unpracked->resend = session.unpracked->give_up = kNever;
  Unacked unacked;
  unacked.first = true;
  unacked.offer = alerting.offerless && !session.leg.agreed;
  if (session.leg.agreed) sdp.clear();  // said already, and not to be said twice
  session.leg.agreed = !unacked.offer;
  session.state = Talking{};
  answer_ok(now, session, alerting.invite, std::move(sdp), std::move(unacked));
}

Status UserAgent::reject(Time now, CallId call, int code, std::string_view reason) {
  auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  if (code < 300 || code > 699 || !is_clean_value(reason)) return fail(Fault::malformed);
  const auto* alerting = std::get_if<Alerting>(&session->state);
  if (alerting == nullptr) return fail(Fault::refused);
  layer_.respond(now, alerting->invite, response(alerting->invite, code, reason, session->leg.dialog.local_tag));
  release(now, *session);
  end(now, call, Ended{call, true, std::string(reason)});
  return {};
}

Status UserAgent::cancel(Time now, CallId call, std::string_view reason_text) {
  auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  auto* calling = std::get_if<Calling>(&session->state);
  if (calling == nullptr || calling->cancelling) return fail(Fault::refused);
  calling->cancelling = true;
  calling->cancel_reason = reason_text;
  if (calling->provisional) send_cancel(now, *session, *calling);
  return {};
}

void UserAgent::send_cancel(Time now, InviteSession& session, Calling& calling) {
  const auto* invite = layer_.client(calling.invite);
  if (calling.cancel_sent || invite == nullptr) return;
  calling.cancel_sent = true;
  calling.give_up = now + 64 * config_.timers.t1;
  Message out;  // section 9.1: the INVITE's own values, the tag of To included, which it had none
  out.method = "CANCEL";
  out.uri = invite->request.uri;
  for (const auto& h : invite->request.headers) {
    if (h.name == "Max-Forwards" || h.name == "Route" || h.name == "From" || h.name == "To" || h.name == "Call-ID")
      out.headers.push_back(h);
    if (h.name == "CSeq") out.add(HeaderId::cseq, h.value.substr(0, h.value.find(' ')) + " CANCEL");
  }
  if (auto reason = reason_value(calling.cancel_reason); !reason.empty()) out.add(HeaderId::reason, std::move(reason));
  // With no room for it the INVITE is given up when the time is over.
  (void)layer_.request(now, session.peer, Purpose::cancel, kNoCall, std::move(out), is_reliable(session.peer),
                       calling.branch);
}

Status UserAgent::bye(Time now, CallId call, std::string_view reason_text) {
  auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  if (!session->talking()) return fail(Fault::refused);
  if (auto& unacked = session->unacked; unacked && unacked->first) {
    if (unacked->bye_after) return fail(Fault::refused);
    unacked->bye_after = true;
    unacked->bye_reason = reason_text;
    return {};
  }
  release(now, *session);
  send_bye(now, *session, reason_text);
  end(now, call, Ended{call, true, std::string(reason_text)});
  return {};
}

// Section 15.1.1: the session is over as soon as the BYE is handed to its transaction.
void UserAgent::send_bye(Time now, const PeerId& peer, Dialog& dialog, std::string_view reason_text) {
  auto out = dialog.request(Method::bye);
  if (auto reason = reason_value(reason_text); !reason.empty()) out.add(HeaderId::reason, std::move(reason));
  (void)layer_.request(now, peer, Purpose::bye, kNoCall, std::move(out), is_reliable(peer));
}

Status UserAgent::hang_up(Time now, CallId call) {
  const auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  if (std::holds_alternative<Calling>(session->state)) return cancel(now, call, {});
  if (std::holds_alternative<Alerting>(session->state)) return reject(now, call, 603, {});
  return bye(now, call, {});
}

Status UserAgent::set_focus(CallId call, bool focus) {
  auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  session->focus = focus;
  return {};
}

Status UserAgent::options(Time now, const PeerId& peer, const Uri& target) {
  const auto text = target.to_string();
  const auto parsed = parse_uri(text);
  if (!parsed || !parsed->is_sip()) return fail(Fault::malformed);
  Dialog once;
  once.call_id = to_hex(rng_.array<16>());
  once.local_tag = new_tag();
  once.local = name_addr(config_.display_name, config_.local_uri.to_string());
  once.remote = name_addr({}, text);
  once.remote_target = text;
  auto message = once.request(Method::options);
  message.add(HeaderId::accept, std::string(kSdpType)).add(HeaderId::user_agent, config_.user_agent);
  const auto sent = layer_.request(now, peer, Purpose::options, kNoCall, std::move(message), is_reliable(peer));
  if (!sent) return fail(sent.error());
  return {};
}

}  // namespace linnet::sip
