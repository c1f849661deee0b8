// What comes in as a request (RFC 3261 section 8.2 and the server's half of sections 9, 11, 12, 13, 14, 15).
#include <algorithm>

#include "sip/chars.h"
#include "sip/sdp.h"
#include "sip/user_agent.h"

namespace linnet::sip {
namespace {

bool is_served(Method m) {
  return m == Method::invite || m == Method::bye || m == Method::options;  // ACK and CANCEL go their own way
}

// True if a list of media ranges lets application/sdp pass; parameters are not looked at, q=0 included.
bool accepts_sdp(const MessageView& m) {
  for (const auto& f : m.fields) {
    if (f.id != HeaderId::accept) continue;
    auto rest = f.value;
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      const auto range = chars::trim(rest.substr(0, std::min(rest.find(';'), comma)));
      if (range == "*/*" || chars::iequal(range, "application/*") || chars::iequal(range, kSdpType)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return !m.has(HeaderId::accept);
}

// Every value of a list header, joined; these are option tags, all of which we lack.
std::string joined(const MessageView& m, HeaderId id) {
  std::string out;
  for (const auto& f : m.fields) {
    if (f.id != id || f.value.empty()) continue;
    if (!out.empty()) out.append(", ");
    out.append(unfolded(f.value));
  }
  return out;
}

}  // namespace

void UserAgent::refuse_malformed(const PeerId& peer, const Refusal& refusal) {
  ++counters_.malformed;
  // A response is never answered, nor an ACK; without any Via there is nobody to answer.
  if (!in_.is_request || in_.method_text == "ACK") return;
  auto out = response_to(in_);
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
    auto out = response_to(in_);
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
    return refuse(now, id, 481);
  }
  auto* session = find_dialog(peer, in_);
  if (session == nullptr) return refuse(now, id, 481);
  if (!session->dialog.in_order(in_)) return refuse(now, id, 500, "CSeq out of order");
  if (in_.method == Method::invite) return on_reinvite(now, *session, id);
  if (in_.method == Method::bye) return on_bye(now, *session, id);
  answer_options(now, id);
}

UserAgent::Verdict UserAgent::judge(const PeerId& peer) const {
  const HeaderLine allow{"Allow", std::string(kAllow)};
  if (in_.method == Method::unknown) return {501, allow};
  if (!is_served(in_.method)) return {405, allow};
  if (!in_.uri.is_sip()) return {416, {}};
  if (!identity_ok(peer)) return {403, {}};
  if (auto tags = joined(in_, HeaderId::require); !tags.empty()) return {420, {"Unsupported", std::move(tags)}};
  return in_.method == Method::invite ? judge_content() : Verdict{};
}

UserAgent::Verdict UserAgent::judge_content() const {
  if (!accepts_sdp(in_)) return {406, {"Accept", std::string(kSdpType)}};
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
  auto* session = find_dialog(peer, in_);
  auto* talking = session == nullptr ? nullptr : std::get_if<Talking>(&session->state);
  auto* unacked = talking == nullptr ? nullptr : std::get_if<Unacked>(&talking->exchange);
  if (unacked == nullptr || unacked->seq != in_.cseq.number) {
    ++counters_.stray;
    return;
  }
  const auto done = std::move(*unacked);
  settle(*talking, done.later);
  if (done.first) emit(Established{session->id, std::string(in_.body)});
  if (!done.bye_after) return;
  send_bye(now, *session, done.bye_reason);
  const auto call = session->id;
  end(call, Ended{call, true, done.bye_reason});
}

void UserAgent::on_cancel(Time now, const PeerId& peer, TransactionId id) {
  const auto invite = layer_.cancelled_by(peer, in_);
  const auto* t = layer_.server(invite);
  if (t == nullptr) return refuse(now, id, 481);
  auto* session = find(t->call);
  layer_.respond(now, id, response(id, 200, {}, session == nullptr ? std::string_view{} : session->dialog.local_tag));
  if (session == nullptr) return;
  if (const auto* alerting = std::get_if<Alerting>(&session->state);
      alerting != nullptr && alerting->invite == invite) {
    layer_.respond(now, invite, response(invite, 487, {}, session->dialog.local_tag));
    const auto reason = parse_reason(in_.value(HeaderId::reason));
    const auto call = session->id;
    return end(call, Cancelled{call, reason.cause == 200, reason.text});
  }
  auto* talking = std::get_if<Talking>(&session->state);
  auto* deciding = talking == nullptr ? nullptr : std::get_if<Deciding>(&talking->exchange);
  if (deciding == nullptr || deciding->invite != invite) return;
  layer_.respond(now, invite, response(invite, 487, {}, session->dialog.local_tag));
  settle(*talking, Backing(deciding->later));
}

void UserAgent::on_new_invite(Time now, const PeerId& peer, TransactionId id) {
  // Section 8.2.2.2: the same request by another way.
  for (const auto& [call, other] : calls_)
    if (other.peer == peer && other.dialog.call_id == in_.call_id && other.dialog.remote_tag == in_.from.tag &&
        other.dialog.remote_seq == in_.cseq.number)
      return refuse(now, id, 482);
  if (!has_room_for_call(peer)) {
    ++counters_.refused_full;
    return refuse(now, id, 486);
  }
  InviteSession session;
  session.id = CallId{++last_call_};
  session.peer = peer;
  session.contact = name_addr({}, config_.local_uri.to_string());
  session.dialog = Dialog::as_answerer(in_, new_tag());
  session.state = Alerting{id};
  layer_.server(id)->call = session.id;
  emit(IncomingCall{session.id, peer, Uri::from(in_.from.uri), unquoted(in_.from.display), Uri::from(in_.to.uri),
                    std::string(in_.contact.uri_text), std::string(in_.value(HeaderId::linnet_call_group)),
                    std::string(in_.body)});
  const auto call = session.id;
  calls_.emplace(call, std::move(session));
}

void UserAgent::on_reinvite(Time now, InviteSession& session, TransactionId id) {
  auto* talking = std::get_if<Talking>(&session.state);
  if (talking == nullptr) return refuse(now, id, 491);
  auto& exchange = talking->exchange;
  if (std::holds_alternative<Deciding>(exchange))  // section 14.2
    return refuse(now, id, 500, "Re-INVITE already waits", {"Retry-After", std::to_string(rng_.below(11))});
  if (!std::holds_alternative<Settled>(exchange) && !std::holds_alternative<Backing>(exchange))
    return refuse(now, id, 491);
  Deciding deciding{id, {}};
  if (const auto* backing = std::get_if<Backing>(&exchange)) deciding.later = *backing;
  exchange = std::move(deciding);
  layer_.server(id)->call = session.id;
  session.dialog.refresh_target(in_);
  emit(ReinviteOffer{session.id, std::string(in_.body)});
}

void UserAgent::on_bye(Time now, InviteSession& session, TransactionId id) {
  layer_.respond(now, id, response(id, 200, {}, {}));
  auto pending = kNoTransaction;
  if (const auto* alerting = std::get_if<Alerting>(&session.state)) pending = alerting->invite;
  if (const auto* talking = std::get_if<Talking>(&session.state))
    if (const auto* deciding = std::get_if<Deciding>(&talking->exchange)) pending = deciding->invite;
  if (pending != kNoTransaction) layer_.respond(now, pending, response(pending, 487, {}, session.dialog.local_tag));
  if (const auto* calling = std::get_if<Calling>(&session.state)) layer_.drop_client(calling->invite);
  const auto call = session.id;
  end(call, Ended{call, false, parse_reason(in_.value(HeaderId::reason)).text});
}

void UserAgent::answer_options(Time now, TransactionId id) {
  auto out = response(id, 200, {}, {});
  out.add(HeaderId::allow, std::string(kAllow));
  out.add(HeaderId::accept, std::string(kSdpType));
  out.add(HeaderId::accept_encoding, "identity");
  out.add(HeaderId::accept_language, "en");
  out.add(HeaderId::supported, "");
  layer_.respond(now, id, out);
}

}  // namespace linnet::sip
