// REFER (RFC 3515, RFC 4488) at both ends: to ask somebody to call, to add a member to a conference or to take one out
// (RFC 4579 section 5.5). The subscription that comes with it is a Subscription of the package "refer".
#include "sip/refer_to.h"

#include "sip/chars.h"
#include "sip/user_agent.h"

namespace linnet::sip {
namespace {

constexpr std::string_view kSipfrag = "message/sipfrag";
// How long the one who was asked may take: a call that rings, and more.
constexpr Duration kReferLasts = std::chrono::minutes(5);

std::string sipfrag(int code, std::string_view reason) {
  return std::string("SIP/2.0 ").append(std::to_string(code)).append(" ").append(reason).append("\r\n");
}

// The status line of RFC 3420's fragment; what follows is not needed.
struct Fragment {
  int code = 0;
  std::string reason;
};
std::optional<Fragment> parse_sipfrag(std::string_view body) {
  auto line = body.substr(0, body.find_first_of("\r\n"));
  if (line.size() < 11 || !chars::iequal(line.substr(0, 8), "SIP/2.0 ")) return std::nullopt;
  const auto code = chars::number(line.substr(8, 3), 699);
  if (!code || *code < 100 || (line.size() > 11 && line[11] != ' ')) return std::nullopt;
  const auto reason = line.size() > 12 ? line.substr(12) : std::string_view{};
  if (!is_clean_value(reason)) return std::nullopt;
  return Fragment{static_cast<int>(*code), std::string(reason)};
}

Status check_refer(const ReferParams& params) {
  const auto text = refer_to_value({params.refer_to, params.method, params.replaces});
  const auto parsed = parse_refer_to(text);
  if (!parsed || !chars::is_token(params.method)) return fail(Fault::malformed);
  if (params.replaces && !is_dialog_name(*params.replaces)) return fail(Fault::malformed);
  if (!params.referred_by.host.empty() && !parse_uri(params.referred_by.to_string())) return fail(Fault::malformed);
  return text.size() > 2048 ? fail(Fault::too_big) : Status{};
}

}  // namespace

Result<SubscriptionId> UserAgent::refer(Time now, ReferParams params) {
  if (auto ok = check_refer(params); !ok) return fail(ok.error());
  Subscription s;
  s.peer = params.to;
  const auto begun =
      params.call == kNoCall ? begin_outside(s, params.target, params.from) : begin_inside(s, params.call);
  if (!begun) return fail(begun.error());
  if (!has_room_for_subscription(s.peer)) return fail(Fault::full);
  s.id = SubscriptionId{last_subscription_ + 1};
  s.package = kReferPackage;
  s.types = {std::string(kSipfrag)};
  s.phase = SubscriptionPhase::waiting;
  auto* dialog = dialog_of(s);
  auto out = dialog->request(Method::refer);
  s.event_id = std::to_string(dialog->local_seq);  // section 2.4.6
  out.add(HeaderId::contact, contact_of(s));
  out.add(HeaderId::refer_to, refer_to_value({params.refer_to, params.method, params.replaces}));
  if (!params.referred_by.host.empty()) out.add(HeaderId::referred_by, name_addr({}, params.referred_by.to_string()));
  if (!params.progress) out.add(HeaderId::refer_sub, "false").add(HeaderId::supported, std::string(kNorefersub));
  out.add(HeaderId::accept, s.types.front()).add(HeaderId::user_agent, config_.user_agent);
  if (!layer_.request(now, s.peer, Purpose::refer, s.id, std::move(out), is_reliable(s.peer))) return fail(Fault::full);
  ++last_subscription_;
  s.timer_n = now + 64 * config_.timers.t1;
  return subscriptions_.add(std::move(s)).id;
}

void UserAgent::on_refer_response(SubscriptionId id, int status) {
  const auto* s = subscriptions_.find(id);
  if (s == nullptr || status < 200) return;
  emit(ReferAnswered{id, s->call, status});
  if (status >= 300) return close(*s, {.code = status});
  // RFC 4488 section 4: they will tell nothing.
  const auto value = in_.value(HeaderId::refer_sub);
  if (chars::iequal(chars::trim(value.substr(0, value.find(';'))), "false")) close(*s, {.reason = "norefersub"});
}

void UserAgent::on_refer(Time now, const PeerId& peer, TransactionId id, InviteSession* session) {
  if (!config_.refers) return refuse(now, id, 603);
  if (!in_.has(HeaderId::refer_to)) return refuse(now, id, 400, "No Refer-To");
  const auto wanted = parse_refer_to(in_.value(HeaderId::refer_to));
  if (!wanted) return refuse(now, id, wanted.error() == Fault::unsupported ? 416 : 400, "Bad Refer-To");
  if (session != nullptr && !session->talking()) return refuse(now, id, 480);
  if (answered_before(now, peer, id, session)) return;
  if (!has_room_for_subscription(peer)) return refuse(now, id, 503, {}, {"Retry-After", "60"});
  auto s = begin_notifying(now, peer, id, session);
  s.package = kReferPackage;
  s.event_id = std::to_string(in_.cseq.number);
  const auto value = in_.value(HeaderId::refer_sub);
  s.silent = chars::iequal(chars::trim(value.substr(0, value.find(';'))), "false");
  ReferReceived asked{
      s.id, s.call,   peer, Uri::from(in_.from.uri), Uri::from(in_.uri), wanted->who, wanted->method, wanted->replaces,
      {},   !s.silent};
  if (in_.has(HeaderId::referred_by)) {
    const auto by = parse_name_addr(in_.value(HeaderId::referred_by));
    if (by && by->uri.is_sip()) asked.referred_by = Uri::from(by->uri);
  }
  subscriptions_.add(std::move(s));
  emit(std::move(asked));
}

void UserAgent::answer_refer(Time now, const Subscription& s, TransactionId id) {
  auto out = response(id, 202, {}, s.dialog.local_tag);
  out.add(HeaderId::contact, contact_of(s));
  if (s.silent) out.add(HeaderId::refer_sub, "false");
  layer_.respond(now, id, out);
}

// Section 2.4.4: the first NOTIFY goes out at once.
void UserAgent::accept_refer(Time now, Subscription& s) {
  answer_refer(now, s, s.request);
  if (s.silent) return close(s, {.by_us = true, .reason = "norefersub"});
  s.phase = SubscriptionPhase::active;
  s.ends = now + kReferLasts;
  (void)send_notify(now, s, {}, kSipfrag, sipfrag(100, reason_phrase(100)));
}

Status UserAgent::report_refer(Time now, SubscriptionId id, int code, std::string_view reason) {
  auto* s = subscriptions_.find(id);
  if (s == nullptr) return fail(Fault::not_found);
  if (code < 100 || code > 699 || !is_clean_value(reason)) return fail(Fault::malformed);
  if (!s->is_refer() || s->end != SubscriptionEnd::notifier || s->phase != SubscriptionPhase::active)
    return fail(Fault::refused);
  const bool last = code >= 200;
  if (!last && s->notifies >= kMaxNotifies) return fail(Fault::full);
  StateValue state;
  if (last) state = {SubscriptionState::terminated, {}, {}, "noresource"};
  const auto body = sipfrag(code, reason.empty() ? reason_phrase(code) : reason);
  const bool sent = send_notify(now, *s, state, kSipfrag, body);
  if (last) close(*s, {.by_us = true, .reason = "noresource"});
  return sent ? Status{} : fail(Fault::full);
}

// False: not a fragment.
bool UserAgent::take_progress(const Subscription& s) {
  if (in_.body.empty()) return true;
  auto fragment = parse_sipfrag(in_.body);
  if (!fragment) return false;
  emit(ReferProgress{s.id, s.call, fragment->code, std::move(fragment->reason)});
  return true;
}

}  // namespace linnet::sip
