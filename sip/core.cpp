#include "sip/core.h"

#include "sip/user_agent.h"

namespace linnet::sip {

// Deadlines may have moved by a command.
template <class T>
T Core::settled(T result) {
  ua_->settle();
  return result;
}

Core::Core(Config config, Rng& rng) : ua_(std::make_unique<UserAgent>(std::move(config), rng)) {}
Core::~Core() = default;
Core::Core(Core&&) noexcept = default;
Core& Core::operator=(Core&&) noexcept = default;

void Core::handle_message(Time now, const PeerId& from, ByteView bytes) {
  ua_->handle_message(now, from, bytes);
  ua_->settle();
}
void Core::handle_timeout(Time now) {
  ua_->handle_timeout(now);
  ua_->settle();
}
Time Core::next_timeout() const { return ua_->next_timeout(); }
void Core::peer_lost(Time now, const PeerId& peer) {
  ua_->peer_lost(now, peer);
  ua_->settle();
}
void Core::peer_reconnected(const PeerId& peer) { ua_->peer_reconnected(peer); }
std::optional<Outgoing> Core::poll_message() { return ua_->poll_message(); }
std::optional<Event> Core::poll_event() { return ua_->poll_event(); }

Status Core::set_peer_identity(const PeerId& peer, std::vector<std::string> addresses) {
  return ua_->set_peer_identity(peer, std::move(addresses));
}
Status Core::set_peer_reliable(const PeerId& peer, bool reliable) { return ua_->set_peer_reliable(peer, reliable); }

Result<CallId> Core::invite(Time now, InviteParams params) { return settled(ua_->invite(now, std::move(params))); }
Status Core::ring(Time now, CallId call) { return settled(ua_->provisional(now, call, 180, {})); }
Status Core::progress(Time now, CallId call, std::string sdp) {
  if (auto ok = check_sdp(sdp); !ok) return ok;
  return settled(ua_->provisional(now, call, 183, std::move(sdp)));
}
Status Core::accept(Time now, CallId call, std::string sdp) { return settled(ua_->accept(now, call, std::move(sdp))); }
Status Core::reject(Time now, CallId call, int code, std::string_view reason) {
  return settled(ua_->reject(now, call, code, reason));
}
Status Core::cancel(Time now, CallId call, std::string_view reason) { return settled(ua_->cancel(now, call, reason)); }
Status Core::bye(Time now, CallId call, std::string_view reason) { return settled(ua_->bye(now, call, reason)); }
Status Core::hang_up(Time now, CallId call) { return settled(ua_->hang_up(now, call)); }
Status Core::reinvite(Time now, CallId call, std::string sdp) {
  return settled(ua_->offer(now, call, Carrier::invite, std::move(sdp)));
}
Status Core::update(Time now, CallId call, std::string sdp) {
  return settled(ua_->offer(now, call, Carrier::update, std::move(sdp)));
}
Status Core::answer_reinvite(Time now, CallId call, std::string sdp) {
  return settled(ua_->answer(now, call, std::move(sdp)));
}
Status Core::reject_reinvite(Time now, CallId call, int code, std::string_view reason) {
  return settled(ua_->refuse_offer(now, call, code, reason));
}
Status Core::info(Time now, CallId call, InfoParams params) { return settled(ua_->info(now, call, std::move(params))); }
Status Core::set_focus(CallId call, bool focus) { return ua_->set_focus(call, focus); }

Result<SubscriptionId> Core::subscribe(Time now, SubscribeParams params) {
  return settled(ua_->subscribe(now, std::move(params)));
}
Status Core::refresh_subscription(Time now, SubscriptionId id) { return settled(ua_->refresh_subscription(now, id)); }
Status Core::accept_subscription(Time now, SubscriptionId id, SubscriptionState state) {
  return settled(ua_->accept_subscription(now, id, state));
}
Status Core::reject_subscription(Time now, SubscriptionId id, int code, std::string_view reason) {
  return settled(ua_->reject_subscription(now, id, code, reason));
}
Status Core::notify(Time now, SubscriptionId id, std::string_view content_type, std::string body) {
  return settled(ua_->notify(now, id, content_type, std::move(body)));
}
Status Core::end_subscription(Time now, SubscriptionId id, std::string_view reason,
                              std::optional<std::uint32_t> retry_after) {
  return settled(ua_->end_subscription(now, id, reason, retry_after));
}
Result<SubscriptionId> Core::refer(Time now, ReferParams params) { return settled(ua_->refer(now, std::move(params))); }
Status Core::report_refer(Time now, SubscriptionId id, int code, std::string_view reason) {
  return settled(ua_->report_refer(now, id, code, reason));
}
std::optional<DialogName> Core::dialog(CallId call) const { return ua_->dialog(call); }
Status Core::options(Time now, const PeerId& peer, const Uri& target) { return ua_->options(now, peer, target); }

const Counters& Core::counters() const { return ua_->counters(); }
std::size_t Core::calls() const { return ua_->calls(); }
std::size_t Core::transactions() const { return ua_->transactions(); }
std::size_t Core::subscriptions() const { return ua_->subscriptions(); }

}  // namespace linnet::sip
