// Subscriptions (RFC 6665) as both ends have them: whose they are, when they end, and the requests that come inside the
// dialog of one.
#include <algorithm>

#include "sip/chars.h"
#include "sip/user_agent.h"

namespace linnet::sip {

std::string UserAgent::allow_events() const {
  std::string out;
  for (const auto& p : config_.event_packages) out.append(out.empty() ? "" : ", ").append(p.name);
  return out;
}

const EventPackage* UserAgent::package_of(std::string_view name) const {
  for (const auto& p : config_.event_packages)
    if (p.name == name) return &p;
  return nullptr;
}

bool UserAgent::has_room_for_subscription(const PeerId& peer) {
  const bool room = subscriptions_.size() < config_.limits.subscriptions &&
                    subscriptions_.count(peer) < config_.limits.subscriptions_per_peer;
  if (!room) ++counters_.refused_full;
  return room;
}

Dialog* UserAgent::dialog_of(Subscription& s) {
  if (s.call == kNoCall) return &s.dialog;
  auto* session = calls_.find(s.call);
  return session == nullptr ? nullptr : &session->leg.dialog;
}

std::string UserAgent::contact_of(const Subscription& s) {
  const auto* session = s.call == kNoCall ? nullptr : calls_.find(s.call);
  return session == nullptr ? s.contact : session->our_contact();
}

void UserAgent::close(const Subscription& s, const Closing& why) {
  SubscriptionEnded ended{s.id, s.call, s.peer, why.by_us, why.code, std::string(why.reason), why.retry_after};
  subscriptions_.erase(s.id);
  emit(std::move(ended));
}

// A usage of its own would outlive the call in its dialog (RFC 5057); here it does not.
void UserAgent::end_subscriptions_of(Time now, CallId call) {
  const auto* session = calls_.find(call);
  if (session == nullptr) return;
  for (const auto id : subscriptions_.of(session->peer, call)) {
    const auto* s = subscriptions_.find(id);
    if (s->phase == SubscriptionPhase::deciding) refuse(now, s->request, 481);
    close(*s, {.reason = "call ended"});
  }
}

void UserAgent::subscription_timeout(Time now, SubscriptionId id) {
  auto* s = subscriptions_.find(id);
  if (s == nullptr) return;
  if (s->end == SubscriptionEnd::notifier) {
    if (s->phase == SubscriptionPhase::deciding)
      refuse(now, s->request, 480);
    else
      (void)send_notify(now, *s, {SubscriptionState::terminated, {}, {}, "timeout"}, {}, {});
    return close(*s, {.reason = "timeout"});
  }
  if (s->timer_n <= now) return close(*s, {.by_us = s->phase == SubscriptionPhase::ending, .reason = "no NOTIFY"});
  if (s->ends <= now) return close(*s, {.reason = "timeout"});
  s->refresh = kNever;
  if (!send_subscribe(now, *s, s->expires)) s->refresh = now + (s->ends - now) / 2 + config_.timers.t1;
}

void UserAgent::on_subscription_request(Time now, const PeerId& peer, TransactionId id) {
  const bool is_notify = in_.method == Method::notify;
  const auto event = parse_event(in_.value(HeaderId::event));
  bool known = false;
  auto* s = subscriptions_.find(peer, [&](const Subscription& one) {
    const auto& d = one.dialog;
    const bool ours = one.call == kNoCall && d.call_id == in_.call_id && d.local_tag == in_.to.tag;
    // The first NOTIFY says what the tag of the notifier is (section 4.4.1).
    const bool fresh = is_notify && one.phase == SubscriptionPhase::waiting && d.remote_tag.empty();
    if (!ours || !(fresh || d.remote_tag == in_.from.tag)) return false;
    known = true;
    return event && one.package == event->package &&
           (one.event_id == event->id || (one.is_refer() && event->id.empty())) &&
           (one.end == SubscriptionEnd::subscriber) == is_notify;
  });
  if (known && !event) return refuse(now, id, 489, {}, {"Allow-Events", allow_events()});
  if (s == nullptr || (!is_notify && in_.method != Method::subscribe)) return refuse(now, id, 481);
  if (!s->dialog.in_order(in_)) return refuse(now, id, 500, "CSeq out of order");
  if (is_notify) return on_notify(now, *s, id);
  on_subscribe_again(now, *s, id);
}

Status UserAgent::end_subscription(Time now, SubscriptionId id, std::string_view reason,
                                   std::optional<std::uint32_t> retry_after) {
  auto* s = subscriptions_.find(id);
  if (s == nullptr) return fail(Fault::not_found);
  if (!chars::is_token(reason)) return fail(Fault::malformed);
  if (s->end == SubscriptionEnd::notifier) {
    if (s->phase == SubscriptionPhase::deciding) return fail(Fault::refused);
    (void)send_notify(now, *s, {SubscriptionState::terminated, {}, retry_after, reason}, {}, {});
    close(*s, {.by_us = true, .reason = reason, .retry_after = retry_after});
    return {};
  }
  if (s->phase == SubscriptionPhase::ending) return fail(Fault::refused);
  // Before the first NOTIFY there is no dialog to say it in: that NOTIFY gets 481, which ends it there as well.
  const bool can_say = s->phase != SubscriptionPhase::waiting;
  if (!can_say || !send_subscribe(now, *s, 0)) {
    close(*s, {.by_us = true, .reason = reason});
    return {};
  }
  s->phase = SubscriptionPhase::ending;
  s->refresh = s->ends = kNever;
  return {};
}

}  // namespace linnet::sip
