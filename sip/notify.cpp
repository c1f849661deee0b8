// The notifier (RFC 6665 section 4.2).
#include <algorithm>

#include "sip/chars.h"
#include "sip/user_agent.h"

namespace linnet::sip {
namespace {

constexpr std::uint32_t kHour = 3600;

// Section 4.2.2: of the answers to a NOTIFY, those after which there is no subscription any more.
bool ends_notifying(int status) {
  return status == 404 || status == 405 || status == 408 || status == 410 || status == 416 ||
         (status >= 480 && status <= 485) || status == 489 || status == 501 || status == 604;
}

}  // namespace

std::uint32_t UserAgent::asked_expires() const {
  const auto asked = chars::number(in_.value(HeaderId::expires), 0xffffffffu);
  return asked ? static_cast<std::uint32_t>(*asked) : config_.max_expires;
}

// True: it has its answer. A new one and a refresh are held to the same.
bool UserAgent::refuse_subscribe(Time now, TransactionId id, const EventPackage* package) {
  const auto expires = asked_expires();
  // Section 4.2.1.1: an hour is never too brief.
  if (expires != 0 && expires < config_.min_expires && expires < kHour) {
    refuse(now, id, 423, {}, {"Min-Expires", std::to_string(config_.min_expires)});
    return true;
  }
  if (package == nullptr) return false;
  for (const auto& type : package->types)
    if (accepts_type(in_, type)) return false;
  refuse(now, id, 406, {}, {"Accept", comma_list(package->types)});
  return true;
}

void UserAgent::on_subscribe(Time now, InviteSession& session, TransactionId id) {
  const auto event = parse_event(in_.value(HeaderId::event));
  auto* s = !event ? nullptr : subscriptions_.find(session.peer, [&](const Subscription& one) {
    return one.end == SubscriptionEnd::notifier && one.call == session.id && one.package == event->package &&
           one.event_id == event->id;
  });
  if (s != nullptr) return on_subscribe_again(now, *s, id);
  // The dialog of a call that only rings may be one of several, and need not last.
  if (!session.talking()) return refuse(now, id, 480);
  on_new_subscribe(now, session.peer, id, &session);
}

// A copy by another path, or by this one after its answer was lost.
bool UserAgent::answered_before(Time now, const PeerId& peer, TransactionId id, const InviteSession* session) {
  if (session != nullptr) return false;  // its number in the dialog tells
  const auto* known = subscriptions_.find(peer, [&](const Subscription& one) {
    return one.end == SubscriptionEnd::notifier && one.call == kNoCall && one.dialog.call_id == in_.call_id &&
           one.request_tag == in_.from.tag && one.request_seq == in_.cseq.number;
  });
  if (known == nullptr) return false;
  if (known->phase == SubscriptionPhase::deciding)
    refuse(now, id, 482);
  else if (known->is_refer())
    answer_refer(now, *known, id);
  else
    answer_subscribe(now, *known, id, known->expires);
  return true;
}

Subscription UserAgent::begin_notifying(Time now, const PeerId& peer, TransactionId id, const InviteSession* session) {
  Subscription s;
  s.id = SubscriptionId{++last_subscription_};
  s.peer = peer;
  s.end = SubscriptionEnd::notifier;
  s.request = id;
  s.request_seq = in_.cseq.number;
  s.request_tag = in_.from.tag;
  s.ends = now + 60 * config_.timers.t1;  // before their timer F
  if (session == nullptr) {
    s.dialog = Dialog::as_answerer(in_, new_tag());
    s.contact = name_addr({}, config_.local_uri.to_string());
  } else {
    s.call = session->id;
  }
  return s;
}

void UserAgent::on_new_subscribe(Time now, const PeerId& peer, TransactionId id, InviteSession* session) {
  const auto event = parse_event(in_.value(HeaderId::event));
  const auto* package = event ? package_of(event->package) : nullptr;
  if (package == nullptr) return refuse(now, id, 489, {}, {"Allow-Events", allow_events()});
  if (answered_before(now, peer, id, session)) return;
  if (refuse_subscribe(now, id, package)) return;
  if (!has_room_for_subscription(peer)) return refuse(now, id, 503, {}, {"Retry-After", "60"});
  auto s = begin_notifying(now, peer, id, session);
  s.package = package->name;
  s.event_id = event->id;
  s.expires = std::min(asked_expires(), config_.max_expires);
  SubscriptionRequested asked{s.id,      s.call, peer,     Uri::from(in_.from.uri), Uri::from(in_.uri),
                              s.package, {},     s.expires};
  for (const auto& type : package->types)
    if (accepts_type(in_, type)) asked.accepts.push_back(type);
  subscriptions_.add(std::move(s));
  emit(std::move(asked));
}

void UserAgent::on_subscribe_again(Time now, Subscription& s, TransactionId id) {
  if (s.phase == SubscriptionPhase::deciding)
    return refuse(now, id, 500, "The first one waits", {"Retry-After", std::to_string(rng_.below(11))});
  if (refuse_subscribe(now, id, package_of(s.package))) return;
  const auto expires = std::min(asked_expires(), config_.max_expires);
  if (s.call == kNoCall) s.dialog.refresh_target(in_);
  answer_subscribe(now, s, id, expires);
  if (expires == 0) {  // section 4.2.1.4: the last NOTIFY need not say what they know
    (void)send_notify(now, s, {SubscriptionState::terminated, {}, {}, "timeout"}, {}, {});
    return close(s, {.reason = "timeout"});
  }
  s.ends = now + std::chrono::seconds(expires);
  if (s.phase == SubscriptionPhase::pending)
    (void)send_notify(now, s, {SubscriptionState::pending, {}, {}, {}}, {}, {});
  else if (!s.is_refer())
    emit(SubscriptionRefreshed{s.id, s.call, expires});
}

void UserAgent::answer_subscribe(Time now, const Subscription& s, TransactionId id, std::uint32_t expires) {
  auto out = response(id, 200, {}, s.dialog.local_tag);
  out.add(HeaderId::contact, contact_of(s)).add(HeaderId::expires, std::to_string(expires));
  layer_.respond(now, id, out);
}

Status UserAgent::accept_subscription(Time now, SubscriptionId id, SubscriptionState state) {
  auto* s = subscriptions_.find(id);
  if (s == nullptr) return fail(Fault::not_found);
  if (s->phase != SubscriptionPhase::deciding || state == SubscriptionState::terminated) return fail(Fault::refused);
  if (s->is_refer()) {
    accept_refer(now, *s);
    return {};
  }
  answer_subscribe(now, *s, s->request, s->expires);
  const bool once = s->expires == 0;
  // Who asks once gets the state with the next notify(), which must come.
  s->ends = once ? now + 64 * config_.timers.t1 : now + std::chrono::seconds(s->expires);
  s->phase = state == SubscriptionState::active ? SubscriptionPhase::active : SubscriptionPhase::pending;
  if (state == SubscriptionState::pending) (void)send_notify(now, *s, {state, {}, {}, {}}, {}, {});
  return {};
}

Status UserAgent::reject_subscription(Time now, SubscriptionId id, int code, std::string_view reason) {
  const auto* s = subscriptions_.find(id);
  if (s == nullptr) return fail(Fault::not_found);
  if (code < 300 || code > 699 || !is_clean_value(reason)) return fail(Fault::malformed);
  if (s->phase != SubscriptionPhase::deciding) return fail(Fault::refused);
  refuse(now, s->request, code, reason);
  close(*s, {.by_us = true, .code = code, .reason = reason});
  return {};
}

Status UserAgent::notify(Time now, SubscriptionId id, std::string_view content_type, std::string body) {
  auto* s = subscriptions_.find(id);
  if (s == nullptr) return fail(Fault::not_found);
  const bool stands = s->phase == SubscriptionPhase::pending || s->phase == SubscriptionPhase::active;
  if (s->end != SubscriptionEnd::notifier || s->is_refer() || !stands) return fail(Fault::refused);
  const auto* package = package_of(s->package);
  const bool is_one = package != nullptr &&
                      std::find(package->types.begin(), package->types.end(), content_type) != package->types.end();
  if (!body.empty() && !is_one) return fail(Fault::malformed);
  if (body.size() > kMaxMessage - kMaxMessage / 8) return fail(Fault::too_big);  // the header wants room, too
  if (s->notifies >= kMaxNotifies) return fail(Fault::full);
  s->phase = SubscriptionPhase::active;
  const bool once = s->expires == 0;
  const StateValue state = once ? StateValue{SubscriptionState::terminated, {}, {}, "timeout"} : StateValue{};
  if (!send_notify(now, *s, state, content_type, std::move(body))) return fail(Fault::full);
  if (once) close(*s, {.reason = "timeout"});
  return {};
}

bool UserAgent::send_notify(Time now, Subscription& s, StateValue state, std::string_view type, std::string body) {
  auto* dialog = dialog_of(s);
  if (dialog == nullptr) return false;
  std::string value(to_string(state.state));
  if (state.state != SubscriptionState::terminated) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(s.ends - now).count();
    value.append(";expires=").append(std::to_string(left));
  }
  if (!state.reason.empty()) value.append(";reason=").append(state.reason);
  if (state.retry_after) value.append(";retry-after=").append(std::to_string(*state.retry_after));
  auto out = dialog->request(Method::notify);
  out.add(HeaderId::contact, contact_of(s)).add(HeaderId::event, event_value(s.package, s.event_id));
  out.add(HeaderId::subscription_state, std::move(value)).add(HeaderId::user_agent, config_.user_agent);
  put_body(out, type, std::move(body));
  if (!layer_.request(now, s.peer, Purpose::notify, s.id, std::move(out), is_reliable(s.peer))) return false;
  ++s.notifies;
  return true;
}

void UserAgent::on_notify_response(SubscriptionId id, int status) {
  auto* s = subscriptions_.find(id);
  if (s == nullptr || status < 200) return;
  --s->notifies;
  if (ends_notifying(status)) close(*s, {.code = status});
}

}  // namespace linnet::sip
