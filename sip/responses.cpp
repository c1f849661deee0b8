// What comes in as a response, or does not come (RFC 3261 sections 8.1.3, 12.2.1.2, 13.2.2, 14.1).
#include "sip/chars.h"
#include "sip/user_agent.h"

namespace linnet::sip {
namespace {

constexpr int kMaxTries = 6;  // of one re-INVITE against 491

std::string sdp_of(const MessageView& m) {
  return chars::iequal(m.content_type, kSdpType) ? std::string(m.body) : std::string{};
}

}  // namespace

void UserAgent::on_response(Time now, const PeerId& peer) {
  const auto* t = layer_.on_response(now, peer, in_);
  if (t == nullptr) {
    ++counters_.stray;
    return;
  }
  auto* session = find(t->call);
  switch (t->purpose) {
    case Purpose::bye:
    case Purpose::cancel: return;
    case Purpose::options: {
      if (in_.status < 200) return;
      const auto agent = in_.has(HeaderId::server) ? HeaderId::server : HeaderId::user_agent;
      return emit(OptionsAnswered{peer, in_.status, unfolded(in_.value(agent))});
    }
    case Purpose::invite:
    case Purpose::reinvite: break;
  }
  if (session == nullptr) return;
  if (auto* calling = std::get_if<Calling>(&session->state)) return on_invite_response(now, *session, *calling);
  auto* talking = std::get_if<Talking>(&session->state);
  if (talking == nullptr) return;
  // A copy of a 2xx whose ACK was lost.
  if (in_.status >= 200 && in_.status < 300 && in_.cseq.number == talking->acked_seq)
    return layer_.send(peer, talking->ack);
  if (t->purpose == Purpose::reinvite) on_reinvite_response(now, *session, *talking);
}

void UserAgent::on_invite_response(Time now, InviteSession& session, Calling& calling) {
  const auto id = session.id;
  if (in_.status < 200) {
    calling.provisional = true;
    if (in_.status > 100 && !in_.to.tag.empty()) session.dialog.learn(in_);
    if (calling.cancelling) return send_cancel(now, session, calling);
    if (in_.status != 180 || calling.rang) return;
    calling.rang = true;
    return emit(Ringing{id});
  }
  if (in_.status < 300) return on_invite_ok(now, session, calling);
  if (calling.cancelling)
    return end(id, Cancelled{id, calling.cancel_reason == Core::kElsewhere, calling.cancel_reason});
  end(id, Rejected{id, in_.status, std::string(in_.reason)});
}

void UserAgent::on_invite_ok(Time now, InviteSession& session, Calling& calling) {
  const auto id = session.id;
  const auto was = calling;
  session.dialog.learn(in_);
  auto& talking = session.state.emplace<Talking>();
  acknowledge(session, talking, in_.cseq.number);
  if (was.cancelling) {  // the answer crossed the CANCEL (section 15: then BYE)
    send_bye(now, session, was.cancel_reason);
    return end(id, Cancelled{id, was.cancel_reason == Core::kElsewhere, was.cancel_reason});
  }
  auto sdp = sdp_of(in_);
  if (sdp.empty()) {
    send_bye(now, session, "No session description");
    return end(id, Failed{id, "the answer has no session description"});
  }
  emit(Answered{id, std::move(sdp)});
}

void UserAgent::on_reinvite_response(Time now, InviteSession& session, Talking& talking) {
  auto* offering = std::get_if<Offering>(&talking.exchange);
  if (offering == nullptr || in_.status < 200) return;
  const auto id = session.id;
  if (in_.status < 300) {
    talking.exchange = Settled{};
    session.dialog.refresh_target(in_);
    acknowledge(session, talking, in_.cseq.number);
    return emit(ReinviteAnswered{id, sdp_of(in_)});
  }
  if (in_.status == 491 && offering->tries < kMaxTries) {  // section 14.1, in units of 10 ms
    const auto units = session.we_called ? 210 + rng_.below(191) : rng_.below(201);
    talking.exchange = Backing{offering->sdp, now + std::chrono::milliseconds(10 * units), offering->tries};
    return;
  }
  if (in_.status == 408 || in_.status == 481) {  // section 12.2.1.2: the dialog is gone
    send_bye(now, session, "Re-INVITE failed");
    return end(id, Failed{id, "the peer does not know the call"});
  }
  talking.exchange = Settled{};
  emit(ReinviteRejected{id, in_.status, std::string(in_.reason)});
}

void UserAgent::on_no_answer(Time now, const NoAnswer& none) {
  auto* session = find(none.call);
  const auto id = none.call;
  switch (none.purpose) {
    case Purpose::options: return emit(OptionsAnswered{none.peer, 408, {}});
    case Purpose::bye:
    case Purpose::cancel: return;
    case Purpose::invite: {
      const auto* calling = session == nullptr ? nullptr : std::get_if<Calling>(&session->state);
      if (calling == nullptr) return;
      if (calling->cancelling)
        return end(id, Cancelled{id, calling->cancel_reason == Core::kElsewhere, calling->cancel_reason});
      return end(id, Rejected{id, 408, std::string(reason_phrase(408))});
    }
    case Purpose::reinvite:
      if (session == nullptr) return;
      send_bye(now, *session, "No answer to re-INVITE");
      return end(id, Failed{id, "no answer to re-INVITE"});
  }
}

void UserAgent::acknowledge(InviteSession& session, Talking& talking, std::uint32_t seq) {
  auto ack = session.dialog.ack(seq);
  ack.headers.insert(ack.headers.begin(), {"Via", layer_.via(layer_.new_branch())});
  talking.ack = serialise(ack);
  talking.acked_seq = seq;
  layer_.send(session.peer, talking.ack);
}

}  // namespace linnet::sip
