#include "sip/user_agent.h"

#include <algorithm>

#include "sip/chars.h"
#include "sip/params.h"
#include "sip/sdp.h"

namespace linnet::sip {

std::string sdp_of(const MessageView& m) {
  return chars::iequal(m.content_type, kSdpType) ? std::string(m.body) : std::string{};
}

Message& put_body(Message& message, std::string_view type, std::string body) {
  if (body.empty()) return message;
  message.add(HeaderId::content_type, std::string(type));
  message.body = std::move(body);
  return message;
}

bool names_token(const MessageView& m, HeaderId id, std::string_view token) {
  if (!m.has(id)) return false;
  for (const auto& f : m.fields) {
    if (f.id != id) continue;
    for (auto rest = f.value;;) {
      chars::skip_lws(rest);
      if (chars::iequal(chars::take(rest, chars::kToken), token)) return true;
      const auto comma = rest.find(',');
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

bool accepts_type(const MessageView& m, std::string_view type) {
  const auto family = type.substr(0, type.find('/'));
  for (const auto& f : m.fields) {
    if (f.id != HeaderId::accept) continue;
    auto rest = f.value;
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      const auto element = rest.substr(0, comma);
      const auto range = chars::trim(element.substr(0, element.find(';')));
      if (range == "*/*" || chars::iequal(range, type)) return true;
      if (range.ends_with("/*") && chars::iequal(range.substr(0, range.size() - 2), family)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return !m.has(HeaderId::accept);
}

bool is_bare_type(std::string_view type) {
  const auto slash = type.find('/');
  return slash != std::string_view::npos && chars::is_token(type.substr(0, slash)) &&
         chars::is_token(type.substr(slash + 1));
}

std::string comma_list(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& i : items) out.append(out.empty() ? "" : ", ").append(i);
  return out;
}

bool is_focus(const MessageView& m) { return has_feature(m.contact.params, "isfocus"); }

Status check_sdp(const std::string& sdp, bool may_be_empty) {
  if (sdp.empty() && !may_be_empty) return fail(Fault::malformed);
  if (sdp.size() > kMaxSdp) return fail(Fault::too_big);
  return {};
}

UserAgent::UserAgent(Config config, Rng& rng)
    : config_(std::move(config)), rng_(rng), layer_(config_, rng), events_(config_.limits.events) {
  if (config_.local_uri.host.empty()) config_.local_uri.host = "linnet.invalid";
}

void UserAgent::handle_message(Time now, const PeerId& from, ByteView bytes) {
  ++counters_.received;
  const bool too_big = bytes.size() > kMaxMessage;
  const auto parsed = parse(bytes.first(std::min(bytes.size(), kMaxMessage)), in_);
  if (too_big) return refuse_malformed(from, {513, "Message Too Large"});
  if (!parsed) return refuse_malformed(from, parsed.error());
  if (in_.is_request)
    on_request(now, from);
  else
    on_response(now, from);
}

void UserAgent::handle_timeout(Time now) {
  for (const auto& none : layer_.on_timeout(now)) on_no_answer(now, none);
  for (const auto call : calls_.due(now)) session_timeout(now, call);
  for (const auto id : subscriptions_.due(now)) subscription_timeout(now, id);
}

void UserAgent::session_timeout(Time now, CallId call) {
  auto* session = calls_.find(call);
  if (session == nullptr) return;
  if (auto* calling = std::get_if<Calling>(&session->state); calling != nullptr && calling->give_up <= now) {
    layer_.drop_client(calling->invite);
    return end_calling(now, *session, *calling, Failed{call, "no answer to CANCEL"});
  }
  if (session->unacked && !unacked_timeout(now, *session)) return;
  if (session->unpracked && !unpracked_timeout(now, *session)) return;
  const auto is_due = [now](const Backing& b) { return b.retry <= now; };
  while (auto* leg = session->leg_in<Backing>(is_due)) backing_timeout(now, *session, *leg);
}

// Ours met theirs; now it is tried again, unless an answer of ours still waits for its ACK.
void UserAgent::backing_timeout(Time now, InviteSession& session, Leg& leg) {
  auto& backing = std::get<Backing>(leg.exchange);
  if (backing.by == Carrier::invite && session.unacked) {
    backing.retry = now + config_.timers.t1;
    return;
  }
  const auto [by, sdp, retry, tries] = backing;
  leg.exchange = Settled{};
  if (!send_offer(now, session, leg, by, sdp, tries + 1))
    emit(ReinviteRejected{session.id, 503, "No room for a transaction"});
}

// False: the call is over.
bool UserAgent::unacked_timeout(Time now, InviteSession& session) {
  auto& unacked = *session.unacked;
  if (unacked.give_up <= now) {
    const auto id = session.id;
    const bool asked = unacked.bye_after;
    const auto why = unacked.bye_reason;
    release(now, session);
    send_bye(now, session, asked ? why : "No ACK");
    if (asked)
      end(now, id, Ended{id, true, why});
    else
      end(now, id, Failed{id, "no ACK for our answer"});
    return false;
  }
  if (unacked.resend > now) return true;
  layer_.send_again(session.peer, unacked.ok);
  unacked.interval = std::min(2 * unacked.interval, config_.timers.t2);
  unacked.resend = now + unacked.interval;
  return true;
}

bool UserAgent::unpracked_timeout(Time now, InviteSession& session) {
  auto& unpracked = *session.unpracked;
  if (unpracked.give_up <= now) {  // RFC 3262 section 3
    const auto id = session.id;
    const auto* alerting = std::get_if<Alerting>(&session.state);
    if (alerting == nullptr) return true;
    layer_.respond(now, alerting->invite, response(alerting->invite, 504, "No PRACK", session.leg.dialog.local_tag));
    release(now, session);
    end(now, id, Failed{id, "no PRACK for our provisional answer"});
    return false;
  }
  if (unpracked.resend > now) return true;
  layer_.send_again(session.peer, unpracked.bytes);
  unpracked.interval *= 2;
  unpracked.resend = now + unpracked.interval;
  return true;
}

Time UserAgent::next_timeout() const {
  return std::min({layer_.next_timeout(), calls_.next_timeout(), subscriptions_.next_timeout()});
}

void UserAgent::peer_lost(Time now, const PeerId& peer) {
  layer_.forget(peer);
  peers_.erase(peer);
  for (const auto id : subscriptions_.of(peer)) close(*subscriptions_.find(id), {.reason = "peer lost"});
  for (const auto id : calls_.of(peer)) end(now, id, Failed{id, "peer lost"});
}

void UserAgent::peer_reconnected(const PeerId& peer) {
  layer_.repeat(peer);
  for (const auto id : calls_.of(peer)) {
    const auto* session = calls_.find(id);
    if (session->unacked) layer_.send_again(peer, session->unacked->ok);
    if (session->unpracked && session->unpracked->resend != kNever) layer_.send_again(peer, session->unpracked->bytes);
  }
}

Result<UserAgent::Peer*> UserAgent::known_peer(const PeerId& peer) {
  if (peers_.size() >= config_.limits.peers && !peers_.contains(peer)) {
    ++counters_.refused_full;
    return fail(Fault::full);
  }
  return &peers_[peer];
}

Status UserAgent::set_peer_identity(const PeerId& peer, std::vector<std::string> addresses) {
  const auto known = known_peer(peer);
  if (!known) return fail(known.error());
  (*known)->addresses = std::move(addresses);
  return {};
}

Status UserAgent::set_peer_reliable(const PeerId& peer, bool reliable) {
  const auto known = known_peer(peer);
  if (!known) return fail(known.error());
  (*known)->reliable = reliable;
  return {};
}

bool UserAgent::is_reliable(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  return it == peers_.end() ? config_.reliable : it->second.reliable.value_or(config_.reliable);
}

const Counters& UserAgent::counters() {
  counters_.retransmissions += layer_.take_retransmissions();
  counters_.refused_full += layer_.take_refused();
  return counters_;
}

void UserAgent::end(Time now, CallId call, Event event) {
  end_subscriptions_of(now, call);
  calls_.erase(call);
  emit(std::move(event));
}

void UserAgent::note_focus(InviteSession& session) {
  if (in_.contact.uri_text.empty() || is_focus(in_) == session.far_focus) return;
  session.far_focus = !session.far_focus;
  emit(FocusChanged{session.id, session.far_focus});
}

bool UserAgent::has_room_for_call(const PeerId& peer) const {
  return calls_.size() < config_.limits.calls && calls_.count(peer) < config_.limits.calls_per_peer;
}

std::string UserAgent::new_tag() { return to_hex(rng_.array<8>()); }

}  // namespace linnet::sip
