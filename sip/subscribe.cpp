// The subscriber (RFC 6665 section 4.1).
#include <algorithm>

#include "sip/chars.h"
#include "sip/user_agent.h"

namespace linnet::sip {
namespace {

constexpr std::uint32_t kMostExpires = 24 * 3600;
constexpr std::size_t kMostTypes = 8;

// Section 4.1.2.2: of the answers to a refresh, those after which there is no subscription any more.
bool ends_subscription(int status) {
  return status == 404 || status == 405 || status == 410 || status == 416 || (status >= 480 && status <= 485) ||
         status == 489 || status == 501 || status == 604;
}

Status check_subscription(const SubscribeParams& params) {
  if (!chars::is_token(params.package)) return fail(Fault::malformed);
  if (params.accept.size() > kMostTypes || params.expires > kMostExpires) return fail(Fault::too_big);
  for (const auto& type : params.accept)
    if (!is_bare_type(type)) return fail(Fault::malformed);
  return {};
}

}  // namespace

Status UserAgent::begin_outside(Subscription& s, const Uri& target, const Uri& from) {
  for (const auto* uri : {&target, &from}) {
    const auto text = uri->to_string();
    const auto parsed = parse_uri(text);
    if (!parsed || !parsed->is_sip() || text.size() > 1024) return fail(Fault::malformed);
  }
  s.contact = name_addr({}, from.to_string());
  s.dialog.call_id = to_hex(rng_.array<16>());
  s.dialog.local_tag = new_tag();
  s.dialog.local = name_addr(config_.display_name, from.to_string());
  s.dialog.remote = name_addr({}, target.to_string());
  s.dialog.remote_target = target.to_string();
  return {};
}

Status UserAgent::begin_inside(Subscription& s, CallId call) {
  const auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  if (!session->talking()) return fail(Fault::refused);
  s.call = call;
  s.peer = session->peer;
  return {};
}

Result<SubscriptionId> UserAgent::subscribe(Time now, SubscribeParams params) {
  if (auto ok = check_subscription(params); !ok) return fail(ok.error());
  Subscription s;
  s.peer = params.to;
  const auto begun =
      params.call == kNoCall ? begin_outside(s, params.target, params.from) : begin_inside(s, params.call);
  if (!begun) return fail(begun.error());
  const bool twice = s.call != kNoCall && subscriptions_.find(s.peer, [&](const Subscription& one) {
    return one.end == SubscriptionEnd::subscriber && one.call == s.call && one.package == params.package;
  }) != nullptr;
  if (twice) return fail(Fault::refused);
  if (!has_room_for_subscription(s.peer)) return fail(Fault::full);
  s.id = SubscriptionId{last_subscription_ + 1};
  s.package = std::move(params.package);
  s.types = std::move(params.accept);
  s.expires = params.expires;
  s.phase = SubscriptionPhase::waiting;
  if (!send_subscribe(now, s, s.expires)) return fail(Fault::full);
  ++last_subscription_;
  return subscriptions_.add(std::move(s)).id;
}

Status UserAgent::refresh_subscription(Time now, SubscriptionId id) {
  auto* s = subscriptions_.find(id);
  if (s == nullptr) return fail(Fault::not_found);
  const bool stands = s->phase == SubscriptionPhase::pending || s->phase == SubscriptionPhase::active;
  if (s->end != SubscriptionEnd::subscriber || s->is_refer() || !stands) return fail(Fault::refused);
  // One that is on its way will bring the full state as well.
  if (s->timer_n != kNever) return {};
  return send_subscribe(now, *s, s->expires) ? Status{} : fail(Fault::full);
}

bool UserAgent::send_subscribe(Time now, Subscription& s, std::uint32_t expires) {
  auto* dialog = dialog_of(s);
  if (dialog == nullptr) return false;
  auto out = dialog->request(Method::subscribe);
  out.add(HeaderId::contact, contact_of(s)).add(HeaderId::event, event_value(s.package, s.event_id));
  out.add(HeaderId::expires, std::to_string(expires));
  if (!s.types.empty()) out.add(HeaderId::accept, comma_list(s.types));
  out.add(HeaderId::allow, std::string(kAllow)).add(HeaderId::user_agent, config_.user_agent);
  const auto sent = layer_.request(now, s.peer, Purpose::subscribe, s.id, std::move(out), is_reliable(s.peer));
  if (!sent) return false;
  s.request = *sent;
  s.timer_n = now + 64 * config_.timers.t1;
  return true;
}

// Refreshed well before the end, so that timer N and one more try fit in between.
void UserAgent::live_until(Time now, Subscription& s, std::uint32_t expires) {
  const Duration lasts = std::chrono::seconds(std::min(expires, kMostExpires));
  const Duration margin = 64 * config_.timers.t1;
  s.ends = now + lasts;
  s.refresh = s.is_refer() ? kNever : now + (lasts > 3 * margin ? lasts - 2 * margin : lasts / 2);
}

void UserAgent::on_subscribe_response(Time now, SubscriptionId id, int status) {
  auto* s = subscriptions_.find(id);
  if (s == nullptr || status < 200) return;
  if (status < 300) {
    if (s->phase == SubscriptionPhase::ending || s->expires == 0) return;
    const auto given = chars::number(in_.value(HeaderId::expires), 0xffffffffu).value_or(s->expires);
    return live_until(now, *s, std::min(static_cast<std::uint32_t>(given), s->expires));
  }
  if (status == 423 && asks_for_longer(now, *s)) return;
  const bool stands = s->phase == SubscriptionPhase::pending || s->phase == SubscriptionPhase::active;
  if (!stands || ends_subscription(status))
    return close(*s, {.by_us = s->phase == SubscriptionPhase::ending, .code = status});
  // Section 4.1.2.2: it lasts until its time is over, and there is time to ask again.
  s->timer_n = kNever;
  const auto left = s->ends - now;
  s->refresh = left > 4 * config_.timers.t1 ? now + left / 2 : kNever;
}

// Section 4.1.2.1: once, with what Min-Expires says.
bool UserAgent::asks_for_longer(Time now, Subscription& s) {
  const auto least = chars::number(in_.value(HeaderId::min_expires), kMostExpires).value_or(0);
  if (s.asked_again || s.phase == SubscriptionPhase::ending || least <= s.expires) return false;
  s.asked_again = true;
  const auto longer = static_cast<std::uint32_t>(least);
  if (!send_subscribe(now, s, longer)) return false;
  s.expires = longer;
  return true;
}

void UserAgent::on_call_notify(Time now, InviteSession& session, TransactionId id) {
  const auto event = parse_event(in_.value(HeaderId::event));
  if (!event) return refuse(now, id, 489, {}, {"Allow-Events", allow_events()});
  auto* s = subscriptions_.find(session.peer, [&](const Subscription& one) {
    return one.end == SubscriptionEnd::subscriber && one.call == session.id && one.package == event->package &&
           (one.event_id == event->id || (one.is_refer() && event->id.empty()));
  });
  if (s == nullptr) return refuse(now, id, 481);
  on_notify(now, *s, id);
}

void UserAgent::on_notify(Time now, Subscription& s, TransactionId id) {
  const auto state = parse_subscription_state(in_.value(HeaderId::subscription_state));
  if (!state) return refuse(now, id, 400, "Bad Subscription-State");
  const auto is_type = [&](const std::string& type) { return chars::iequal(in_.content_type, type); };
  if (!in_.body.empty() && !s.types.empty() && std::none_of(s.types.begin(), s.types.end(), is_type))
    return refuse(now, id, 415, {}, {"Accept", comma_list(s.types)});
  if (s.call == kNoCall && s.dialog.remote_tag.empty())
    s.dialog.learn_notifier(in_);
  else if (s.call == kNoCall)
    s.dialog.refresh_target(in_);
  const bool ending = s.phase == SubscriptionPhase::ending;
  if (s.is_refer() && !take_progress(s)) return refuse(now, id, 400, "Bad message/sipfrag");
  layer_.respond(now, id, response(id, 200, {}, {}));
  if (!s.is_refer())
    emit(NotifyReceived{s.id, s.call, s.peer, state->state, s.package, std::string(in_.content_type),
                        std::string(in_.body)});
  if (state->state == SubscriptionState::terminated)
    return close(s, {.by_us = ending, .reason = state->reason, .retry_after = state->retry_after});
  if (ending) return;  // it crossed our last SUBSCRIBE
  s.timer_n = kNever;
  s.phase = state->state == SubscriptionState::pending ? SubscriptionPhase::pending : SubscriptionPhase::active;
  if (state->expires) live_until(now, s, *state->expires);
  if (s.ends == kNever) live_until(now, s, s.expires);
}

}  // namespace linnet::sip
