// What comes in as a response, or does not come (RFC 3261 sections 8.1.3, 12.2.1.2, 13.2.2, 14.1).
#include "sip/chars.h"
#include "sip/user_agent.h"

namespace linnet::sip {

void UserAgent::on_response(Time now, const PeerId& peer) {
  const auto found = layer_.on_response(now, peer, in_);
  if (!found) {
    ++counters_.stray;
    return;
  }
  if (*found == nullptr) return;
  const auto& t = **found;
  switch (t.purpose) {
    case Purpose::bye:
    case Purpose::cancel:
    case Purpose::prack: return;
    case Purpose::options: {
      if (in_.status < 200) return;
      const auto agent = in_.has(HeaderId::server) ? HeaderId::server : HeaderId::user_agent;
      return emit(OptionsAnswered{peer, in_.status, unfolded(in_.value(agent))});
    }
    case Purpose::info:
      if (in_.status >= 200 && calls_.find(t.call) != nullptr) emit(InfoAnswered{t.call, in_.status});
      return;
    case Purpose::invite: return on_invite_response(now, t);
    case Purpose::subscribe: return on_subscribe_response(now, t.subscription, in_.status);
    case Purpose::notify: return on_notify_response(t.subscription, in_.status);
    case Purpose::refer: return on_refer_response(t.subscription, in_.status);
    case Purpose::reinvite:
    case Purpose::update: return on_offer_response(now, t);
  }
}

void UserAgent::on_invite_response(Time now, const ClientTransaction& t) {
  auto* session = calls_.find(t.call);
  auto* calling = session == nullptr ? nullptr : std::get_if<Calling>(&session->state);
  if (calling == nullptr) {
    const bool waits = session != nullptr && session->leg.dialog.remote_tag == in_.to.tag;  // for answer()
    if (in_.status >= 200 && in_.status < 300 && !waits) on_stray_ok(now, t);
    return;
  }
  if (in_.status < 200) return take_provisional(now, *session, *calling);
  if (in_.status < 300) return on_invite_ok(now, *session, t.id);
  const auto id = session->id;
  end_calling(now, *session, *calling, Rejected{id, in_.status, std::string(in_.reason)});
}

void UserAgent::end_calling(Time now, InviteSession& session, const Calling& calling, Event otherwise) {
  const auto id = session.id;
  release(now, session);
  if (!calling.cancelling) return end(now, id, std::move(otherwise));
  const auto reason = calling.cancel_reason;
  end(now, id, Cancelled{id, reason == Core::kElsewhere, reason});
}

void UserAgent::on_invite_ok(Time now, InviteSession& session, TransactionId invite) {
  const auto id = session.id;
  auto& calling = std::get<Calling>(session.state);
  const auto fork = std::find_if(calling.forks.begin(), calling.forks.end(),
                                 [&](const Leg& l) { return l.dialog.remote_tag == in_.to.tag; });
  if (fork != calling.forks.end()) {
    session.leg = std::move(*fork);
    calling.forks.erase(fork);
    session.leg.dialog.refresh_target(in_);
  } else {
    session.leg.dialog.learn(in_);
    calls_.index(session, session.leg.dialog);
  }
  const auto kept = std::exchange(session.leg.exchange, Settled{});
  release(now, session);  // the early dialogs that were not answered
  session.leg.exchange = kept;
  const auto was = std::move(calling);
  auto& leg = session.leg;
  session.state = Talking{};
  session.recv_info = unfolded(in_.value(HeaderId::recv_info));
  session.far_focus = is_focus(in_);
  auto sdp = leg.agreed ? leg.answer : sdp_of(in_);
  const bool offers = was.offerless && !leg.agreed;
  const auto hang_up = [&](std::string_view why, Event event) {
    acknowledge(invite, leg.dialog, in_.cseq.number);
    send_bye(now, session, why);
    end(now, id, std::move(event));
  };
  if (was.cancelling)  // the answer crossed the CANCEL (section 15: then BYE)
    return hang_up(was.cancel_reason, Cancelled{id, was.cancel_reason == Core::kElsewhere, was.cancel_reason});
  if (sdp.empty() && !(was.offerless && leg.agreed))
    return hang_up("No session description", Failed{id, "the answer has no session description"});
  if (offers)
    leg.exchange = Deciding{AnswerIn::ack, invite, in_.cseq.number, false, {}};
  else
    acknowledge(invite, leg.dialog, in_.cseq.number);
  leg.agreed = true;
  emit(Answered{id, std::move(sdp), session.far_focus});
}

// Section 13.2.2.4: a further 200, of another fork or after the call was given up. It is acknowledged and, if it would
// make a second call, hung up.
void UserAgent::on_stray_ok(Time now, const ClientTransaction& t) {
  auto dialog = Dialog::as_caller(t.request, in_);
  const bool second_call = t.purpose == Purpose::invite;
  const auto peer = t.peer;
  if (t.answers.size() >= kMaxForks) {
    ++counters_.refused_full;
    return;
  }
  acknowledge(t.id, dialog, in_.cseq.number);
  if (second_call) send_bye(now, peer, dialog, Core::kElsewhere);
}

void UserAgent::on_no_answer(Time now, const NoAnswer& none) {
  if (none.purpose == Purpose::options) return emit(OptionsAnswered{none.peer, 408, {}});
  if (none.purpose == Purpose::subscribe) return on_subscribe_response(now, none.subscription, 408);
  if (none.purpose == Purpose::notify) return on_notify_response(none.subscription, 408);
  if (none.purpose == Purpose::refer) return on_refer_response(none.subscription, 408);
  auto* session = calls_.find(none.call);
  if (session == nullptr) return;
  const auto id = none.call;
  switch (none.purpose) {
    case Purpose::options:
    case Purpose::bye:
    case Purpose::cancel:
    case Purpose::prack:
    case Purpose::subscribe:
    case Purpose::notify:
    case Purpose::refer: return;
    case Purpose::info: return emit(InfoAnswered{id, 408});
    case Purpose::invite:
      if (const auto* calling = std::get_if<Calling>(&session->state))
        end_calling(now, *session, *calling, Rejected{id, 408, std::string(reason_phrase(408))});
      return;
    case Purpose::reinvite:
    case Purpose::update: {
      auto* leg = session->leg_in<Offering>([&](const Offering& o) { return o.request == none.id; });
      if (leg == nullptr) return;
      leg->exchange = Settled{};
      if (!session->talking()) return emit(ReinviteRejected{id, 408, std::string(reason_phrase(408))});
      release(now, *session);
      send_bye(now, *session, "No answer to an offer");
      return end(now, id,
                 Failed{id, none.purpose == Purpose::update ? "no answer to UPDATE" : "no answer to re-INVITE"});
    }
  }
}

void UserAgent::acknowledge(TransactionId invite, const Dialog& dialog, std::uint32_t seq, std::string sdp) {
  auto ack = dialog.ack(seq);
  ack.headers.insert(ack.headers.begin(), {"Via", layer_.via(layer_.new_branch())});
  put_body(ack, kSdpType, std::move(sdp));
  (void)layer_.acknowledge(invite, dialog.remote_tag, serialise(ack));
}

}  // namespace linnet::sip
