#include "sip/user_agent.h"

#include <algorithm>

namespace linnet::sip {

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
  std::vector<CallId> due;
  for (const auto& [id, session] : calls_)
    if (session.next_timeout() <= now) due.push_back(id);
  for (const auto id : due)
    if (auto* session = find(id)) session_timeout(now, *session);
}

void UserAgent::session_timeout(Time now, InviteSession& session) {
  const auto id = session.id;
  if (auto* calling = std::get_if<Calling>(&session.state)) {
    layer_.drop_client(calling->invite);
    return end(id, Cancelled{id, calling->cancel_reason == Core::kElsewhere, calling->cancel_reason});
  }
  auto* talking = std::get_if<Talking>(&session.state);
  if (talking == nullptr) return;
  if (const auto* backing = std::get_if<Backing>(&talking->exchange)) {
    const auto [sdp, retry, tries] = *backing;
    talking->exchange = Settled{};
    if (!send_reinvite(now, session, sdp, tries + 1)) emit(ReinviteRejected{id, 503, "No room for a transaction"});
    return;
  }
  auto* unacked = std::get_if<Unacked>(&talking->exchange);
  if (unacked == nullptr) return;
  if (unacked->give_up <= now) {
    const bool asked = unacked->bye_after;
    const auto why = unacked->bye_reason;
    send_bye(now, session, asked ? why : "No ACK");
    return asked ? end(id, Ended{id, true, why}) : end(id, Failed{id, "no ACK for our answer"});
  }
  layer_.send(session.peer, unacked->ok);
  ++counters_.retransmissions;
  unacked->interval = std::min(2 * unacked->interval, config_.timers.t2);
  unacked->resend = now + unacked->interval;
}

Time UserAgent::next_timeout() const {
  auto out = layer_.next_timeout();
  for (const auto& [id, session] : calls_) out = std::min(out, session.next_timeout());
  return out;
}

void UserAgent::peer_lost(Time, const PeerId& peer) {
  layer_.forget(peer);
  peers_.erase(peer);
  std::vector<CallId> lost;
  for (const auto& [id, session] : calls_)
    if (session.peer == peer) lost.push_back(id);
  for (const auto id : lost) end(id, Failed{id, "peer lost"});
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

InviteSession* UserAgent::find(CallId call) {
  const auto it = calls_.find(call);
  return it == calls_.end() ? nullptr : &it->second;
}

InviteSession* UserAgent::find_dialog(const PeerId& peer, const MessageView& request) {
  for (auto& [id, session] : calls_)
    if (session.peer == peer && session.dialog.call_id == request.call_id && session.dialog.matches(request))
      return &session;
  return nullptr;
}

void UserAgent::end(CallId call, Event event) {
  calls_.erase(call);
  emit(std::move(event));
}

bool UserAgent::has_room_for_call(const PeerId& peer) const {
  if (calls_.size() >= config_.limits.calls) return false;
  const auto of_peer =
      std::count_if(calls_.begin(), calls_.end(), [&](const auto& c) { return c.second.peer == peer; });
  return static_cast<std::size_t>(of_peer) < config_.limits.calls_per_peer;
}

std::string UserAgent::new_tag() { return to_hex(rng_.array<8>()); }

}  // namespace linnet::sip
