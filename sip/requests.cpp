// What comes in as a request (RFC 3261 section 8.2 and the server's half of sections 9, 11, 12, 13, 14, 15).
#include <algorithm>

#include "sip/chars.h"
#include "sip/sdp.h"
#include "sip/user_agent.h"

namespace linnet::sip {
namespace {

bool is_served(Method m) {
  switch (m) {  // ACK and CANCEL go their own way
    case Method::invite:
    case Method::bye:
    case Method::options:
    case Method::prack:
    case Method::update:
    case Method::info:
    case Method::subscribe:
    case Method::notify:
    case Method::refer: return true;
    default: return false;
  }
}

// The option tags of Require that are not known here.
template <class Known>
std::string unknown_extensions(const MessageView& m, Known known) {
  std::string out;
  for (const auto& f : m.fields) {
    if (f.id != HeaderId::require) continue;
    for (auto rest = f.value; !rest.empty();) {
      const auto tag = chars::take(rest, chars::kToken);
      if (!tag.empty() && !known(tag)) out.append(out.empty() ? "" : ", ").append(tag);
      rest.remove_prefix(tag.empty() ? 1 : 0);  // white space or a comma: the value is a list of tokens
    }
  }
  return out;
}

// A refusal that keeps no state still has a tag in To, the same for every copy of the request (section 8.2.7).
Message stateless_response(const MessageView& request) {
  auto out = response_to(request);
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a: not secret, nothing is found by it
  for (const auto part : {request.call_id, request.via.branch})
    for (char c : part) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3u;
  for (auto& h : out.headers) {
    if (h.name != "To") continue;
    const auto to = parse_name_addr(h.value);
    if (to && to->tag.empty()) h.value.append(";tag=").append(std::to_string(hash));
  }
  return out;
}

}  // namespace

void UserAgent::refuse_malformed(const PeerId& peer, const Refusal& refusal) {
  ++counters_.malformed;
  // A response is never answered, nor an ACK; without any Via there is nobody to answer.
  if (!in_.is_request || in_.method_text == "ACK") return;
  auto out = stateless_response(in_);
  std::erase_if(out.headers, [](const HeaderLine& h) { return !is_clean_value(h.value); });
  if (std::none_of(out.headers.begin(), out.headers.end(), [](const HeaderLine& h) { return h.name == "Via"; })) return;
  out.status = refusal.status;
  out.reason = refusal.reason;
  layer_.send(peer, serialise(out));
}

void UserAgent::on_request(Time now, const PeerId& peer) {
  if (layer_.on_request(now, peer, in_)) return;
  if (in_.method == Method::ack) return on_ack(now, peer);
  const auto opened = layer_.accept_request(now, peer, in_, is_reliable(peer));
  if (!opened) {
    auto out = stateless_response(in_);
    out.status = 503;
    out.reason = reason_phrase(503);
    out.add(HeaderId::retry_after, "5");
    return layer_.send(peer, serialise(out));
  }
  const auto id = *opened;
  if (in_.method == Method::cancel) return on_cancel(now, peer, id);
  if (auto verdict = judge(peer); verdict.status != 0) {
    if (verdict.status == 403) ++counters_.forbidden;
    return refuse(now, id, verdict.status, {}, std::move(verdict.extra));
  }
  if (in_.to.tag.empty()) {
    if (in_.method == Method::invite) return on_new_invite(now, peer, id);
    if (in_.method == Method::options) return answer_options(now, id);
    if (in_.method == Method::subscribe) return on_new_subscribe(now, peer, id, nullptr);
    if (in_.method == Method::refer) return on_refer(now, peer, id, nullptr);
    return refuse(now, id, 481);
  }
  auto* session = calls_.find_dialog(peer, in_);
  auto* leg = session == nullptr ? nullptr : session->leg_with(in_.from.tag);
  if (leg == nullptr) return on_subscription_request(now, peer, id);
  if (!leg->dialog.in_order(in_)) return refuse(now, id, 500, "CSeq out of order");
  on_dialog_request(now, *session, *leg, id);
}

void UserAgent::on_dialog_request(Time now, InviteSession& session, Leg& leg, TransactionId id) {
  switch (in_.method) {
    case Method::invite: return on_reinvite(now, session, id);
    case Method::bye: return on_bye(now, session, id);
    case Method::prack: return on_prack(now, session, leg, id);
    case Method::update: return on_update(now, session, leg, id);
    case Method::info: return on_info(now, session, id);
    case Method::subscribe: return on_subscribe(now, session, id);
    case Method::notify: return on_call_notify(now, session, id);
    case Method::refer: return on_refer(now, session.peer, id, &session);
    default: return answer_options(now, id);
  }
}

UserAgent::Verdict UserAgent::judge(const PeerId& peer) const {
  const HeaderLine allow{"Allow", std::string(kAllow)};
  if (in_.method == Method::unknown) return {501, allow};
  if (!is_served(in_.method)) return {405, allow};
  if (!in_.uri.is_sip()) return {416, {}};
  if (!identity_ok(peer)) return {403, {}};
  if (auto tags = unknown_extensions(in_, [this](std::string_view t) { return knows_extension(t); }); !tags.empty())
    return {420, {"Unsupported", std::move(tags)}};
  const bool replaces = in_.has(HeaderId::replaces) || in_.has(HeaderId::join);
  if (config_.replaces && replaces && in_.method != Method::invite) return {400, {}};  // RFC 3891 section 3
  const bool carries_sdp = in_.method == Method::invite || in_.method == Method::update || in_.method == Method::prack;
  return carries_sdp ? judge_content() : Verdict{};
}

UserAgent::Verdict UserAgent::judge_content() const {
  if (!accepts_type(in_, kSdpType)) return {406, {"Accept", std::string(kSdpType)}};
  if (in_.body.empty()) return {};
  if (!chars::iequal(in_.content_type, kSdpType)) return {415, {"Accept", std::string(kSdpType)}};
  const auto encoding = in_.value(HeaderId::content_encoding);
  if (!encoding.empty() && !chars::iequal(encoding, "identity")) return {415, {"Accept-Encoding", "identity"}};
  const auto sdp = parse_sdp(in_.body);
  if (sdp) return {};
  return {sdp.error() == Fault::too_big ? 413 : 488, {}};
}

bool UserAgent::identity_ok(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  if (it == peers_.end() || !it->second.addresses) return true;
  const auto& allowed = *it->second.addresses;
  const auto is_theirs = [&](const UriView& uri) {
    return std::find(allowed.begin(), allowed.end(), canonical_address(uri)) != allowed.end();
  };
  if (!is_theirs(in_.from.uri)) return false;
  for (const auto& f : in_.fields) {
    if (f.id != HeaderId::contact && f.id != HeaderId::referred_by) continue;
    auto rest = f.value;
    for (;;) {
      const auto one = take_name_addr(rest);
      if (!one || !is_theirs(one->uri)) return false;
      if (rest.empty()) break;
      rest.remove_prefix(1);
    }
  }
  return true;
}

void UserAgent::refuse(Time now, TransactionId id, int status, std::string_view reason, HeaderLine extra) {
  auto out = response(id, status, reason, {});
  if (!extra.name.empty()) out.headers.push_back(std::move(extra));
  layer_.respond(now, id, out);
}

void UserAgent::on_ack(Time now, const PeerId& peer) {
  auto* session = calls_.find_dialog(peer, in_);
  if (session == nullptr || !session->unacked || session->unacked->seq != in_.cseq.number) {
    ++counters_.stray;
    return;
  }
  const auto call = session->id;
  const auto done = std::move(*session->unacked);
  session->unacked.reset();
  auto sdp = done.offer ? sdp_of(in_) : std::string{};
  if (done.offer && sdp.empty() && !done.bye_after) {  // section 13.2.1: the offer in our 2xx must be answered
    release(now, *session);
    send_bye(now, *session, "No session description");
    return end(now, call, Failed{call, "the ACK has no session description"});
  }
  session->leg.agreed = true;
  if (done.first)
    emit(Established{call, std::move(sdp)});
  else if (done.offer)
    emit(ReinviteAnswered{call, std::move(sdp)});
  if (!done.bye_after) return;
  release(now, *session);
  send_bye(now, *session, done.bye_reason);
  end(now, call, Ended{call, true, done.bye_reason});
}

void UserAgent::on_cancel(Time now, const PeerId& peer, TransactionId id) {
  const auto invite = layer_.cancelled_by(peer, in_);
  const auto* t = layer_.server(invite);
  if (t == nullptr) return refuse(now, id, 481);
  auto* session = calls_.find(t->call);
  const auto tag = session == nullptr ? std::string{} : session->leg.dialog.local_tag;
  layer_.respond(now, id, response(id, 200, {}, tag));
  if (session == nullptr) return;
  if (const auto* alerting = std::get_if<Alerting>(&session->state);
      alerting != nullptr && alerting->invite == invite) {
    layer_.respond(now, invite, response(invite, 487, {}, tag));
    release(now, *session);
    const auto reason = parse_reason(in_.value(HeaderId::reason));
    const auto call = session->id;
    return end(now, call, Cancelled{call, reason.cause == 200, reason.text});
  }
  // Of a re-INVITE; one that has its 2xx already is not touched (section 9.2).
  auto* leg = session->leg_in<Deciding>([&](const Deciding& d) { return d.request == invite; });
  if (leg == nullptr) return;
  layer_.respond(now, invite, response(invite, 487, {}, tag));
  const auto later = std::get<Deciding>(leg->exchange).later;
  if (later.retry == kNever)
    leg->exchange = Settled{};
  else
    leg->exchange = later;
}

void UserAgent::on_new_invite(Time now, const PeerId& peer, TransactionId id) {
  // Section 8.2.2.2: the same request by another way.
  if (calls_.knows_request(peer, in_)) return refuse(now, id, 482);
  std::optional<Replaced> replaced;
  if (auto verdict = find_replaced(replaced); verdict.status != 0) return refuse(now, id, verdict.status);
  if (!has_room_for_call(peer)) {
    ++counters_.refused_full;
    return refuse(now, id, 486);
  }
  InviteSession session;
  session.id = CallId{++last_call_};
  session.peer = peer;
  session.contact = name_addr({}, config_.local_uri.to_string());
  session.recv_info = unfolded(in_.value(HeaderId::recv_info));
  session.far_focus = is_focus(in_);
  session.leg.dialog = Dialog::as_answerer(in_, new_tag());
  Alerting alerting;
  alerting.invite = id;
  alerting.offerless = in_.body.empty();
  alerting.must_100rel = names_token(in_, HeaderId::require, k100rel);
  alerting.can_100rel = alerting.must_100rel || names_token(in_, HeaderId::supported, k100rel);
  session.state = std::move(alerting);
  layer_.server(id)->call = session.id;
  emit(IncomingCall{session.id, peer, Uri::from(in_.from.uri), unquoted(in_.from.display), Uri::from(in_.to.uri),
                    std::string(in_.contact.uri_text), std::string(in_.value(HeaderId::linnet_call_group)),
                    std::string(in_.body), std::string(in_.value(HeaderId::linnet_conference)), session.far_focus,
                    replaced, unfolded(in_.value(HeaderId::subject))});
  auto& added = calls_.add(std::move(session));
  calls_.index(added, added.leg.dialog);
  calls_.index_request(added, in_);
}

void UserAgent::on_bye(Time now, InviteSession& session, TransactionId id) {
  layer_.respond(now, id, response(id, 200, {}, {}));
  if (const auto* alerting = std::get_if<Alerting>(&session.state))
    layer_.respond(now, alerting->invite, response(alerting->invite, 487, {}, session.leg.dialog.local_tag));
  if (const auto* calling = std::get_if<Calling>(&session.state)) layer_.drop_client(calling->invite);
  release(now, session);
  const auto call = session.id;
  end(now, call, Ended{call, false, parse_reason(in_.value(HeaderId::reason)).text});
}

void UserAgent::answer_options(Time now, TransactionId id) {
  auto out = response(id, 200, {}, {});
  out.add(HeaderId::allow, std::string(kAllow));
  out.add(HeaderId::accept, std::string(kSdpType));
  out.add(HeaderId::accept_encoding, "identity");
  out.add(HeaderId::accept_language, "en");
  out.add(HeaderId::supported, supported());
  if (auto packages = recv_info(); !packages.empty()) out.add(HeaderId::recv_info, std::move(packages));
  if (auto events = allow_events(); !events.empty()) out.add(HeaderId::allow_events, std::move(events));
  layer_.respond(now, id, out);
}

}  // namespace linnet::sip
