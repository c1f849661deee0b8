// What sip::Core is made of. Inside the module only.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "sip/call_table.h"
#include "sip/core.h"
#include "sip/parser.h"
#include "sip/subscription_table.h"

namespace linnet::sip {

class UserAgent {
 public:
  UserAgent(Config config, Rng& rng);

  // user_agent.cpp
  void handle_message(Time now, const PeerId& from, ByteView bytes);
  void handle_timeout(Time now);
  Time next_timeout() const;
  void peer_lost(Time now, const PeerId& peer);
  void peer_reconnected(const PeerId& peer);
  std::optional<Outgoing> poll_message() { return layer_.poll(); }
  std::optional<Event> poll_event() { return events_.pop(); }
  Status set_peer_identity(const PeerId& peer, std::vector<std::string> addresses);
  Status set_peer_reliable(const PeerId& peer, bool reliable);
  const Counters& counters();
  std::size_t calls() const { return calls_.size(); }
  std::size_t transactions() const { return layer_.size(); }
  std::size_t subscriptions() const { return subscriptions_.size(); }
  void settle() {  // at the end of every input
    calls_.settle();
    subscriptions_.settle();
  }

  // commands.cpp
  Result<CallId> invite(Time now, InviteParams params);
  Status accept(Time now, CallId call, std::string sdp);
  Status reject(Time now, CallId call, int code, std::string_view reason);
  Status cancel(Time now, CallId call, std::string_view reason_text);
  Status bye(Time now, CallId call, std::string_view reason_text);
  Status hang_up(Time now, CallId call);
  Status options(Time now, const PeerId& peer, const Uri& target);
  Status set_focus(CallId call, bool focus);

  // provisional.cpp
  Status provisional(Time now, CallId call, int code, std::string sdp);

  // exchange.cpp
  Status offer(Time now, CallId call, Carrier by, std::string sdp);
  Status answer(Time now, CallId call, std::string sdp);
  Status refuse_offer(Time now, CallId call, int code, std::string_view reason);

  // info.cpp
  Status info(Time now, CallId call, InfoParams params);

  // subscribe.cpp
  Result<SubscriptionId> subscribe(Time now, SubscribeParams params);
  Status refresh_subscription(Time now, SubscriptionId id);

  // notify.cpp
  Status accept_subscription(Time now, SubscriptionId id, SubscriptionState state);
  Status reject_subscription(Time now, SubscriptionId id, int code, std::string_view reason);
  Status notify(Time now, SubscriptionId id, std::string_view content_type, std::string body);

  // refer.cpp
  Result<SubscriptionId> refer(Time now, ReferParams params);
  Status report_refer(Time now, SubscriptionId id, int code, std::string_view reason);

  // replaced.cpp
  std::optional<DialogName> dialog(CallId call);

  // subscriptions.cpp
  Status end_subscription(Time now, SubscriptionId id, std::string_view reason,
                          std::optional<std::uint32_t> retry_after);

 private:
  struct Peer {
    std::optional<bool> reliable;
    std::optional<std::vector<std::string>> addresses;
  };

  // user_agent.cpp
  void emit(Event event) { events_.push(std::move(event)); }
  // The call is over: tells, and forgets it.
  void end(Time now, CallId call, Event event);
  // What the Contact of the message in hand says of the peer.
  void note_focus(InviteSession& session);
  bool is_reliable(const PeerId& peer) const;
  Result<Peer*> known_peer(const PeerId& peer);
  std::string new_tag();
  bool has_room_for_call(const PeerId& peer) const;
  void session_timeout(Time now, CallId call);
  bool unacked_timeout(Time now, InviteSession& session);
  bool unpracked_timeout(Time now, InviteSession& session);
  void backing_timeout(Time now, InviteSession& session, Leg& leg);

  // requests.cpp
  void on_request(Time now, const PeerId& peer);
  void on_dialog_request(Time now, InviteSession& session, Leg& leg, TransactionId id);
  void refuse_malformed(const PeerId& peer, const Refusal& refusal);
  struct Verdict {  // what a request is refused with, before any call looks at it; status 0 lets it pass
    int status = 0;
    HeaderLine extra;
  };
  Verdict judge(const PeerId& peer) const;
  Verdict judge_content() const;
  bool identity_ok(const PeerId& peer) const;
  void on_ack(Time now, const PeerId& peer);
  void on_cancel(Time now, const PeerId& peer, TransactionId id);
  void on_new_invite(Time now, const PeerId& peer, TransactionId id);
  void on_bye(Time now, InviteSession& session, TransactionId id);
  void answer_options(Time now, TransactionId id);
  void refuse(Time now, TransactionId id, int status, std::string_view reason = {}, HeaderLine extra = {});

  // responses.cpp
  void on_response(Time now, const PeerId& peer);
  void on_invite_response(Time now, const ClientTransaction& t);
  void on_invite_ok(Time now, InviteSession& session, TransactionId invite);
  void on_stray_ok(Time now, const ClientTransaction& t);
  void on_no_answer(Time now, const NoAnswer& none);
  void acknowledge(TransactionId invite, const Dialog& dialog, std::uint32_t seq, std::string sdp = {});
  void end_calling(Time now, InviteSession& session, const Calling& calling, Event otherwise);

  // provisional.cpp
  // RFC 3262 section 3: where the peer asks for it, or is able and the path may lose messages or it is an offer.
  bool goes_reliably(const InviteSession& session, const Alerting& alerting, bool has_sdp) const;
  void send_provisional(Time now, InviteSession& session, Alerting& alerting, Provisional what);
  void on_prack(Time now, InviteSession& session, Leg& leg, TransactionId id);
  void after_prack(Time now, InviteSession& session);
  void take_provisional(Time now, InviteSession& session, Calling& calling);
  void take_reliable(Time now, InviteSession& session, Calling& calling, Leg& fork);
  bool send_prack(Time now, InviteSession& session, Leg& leg, std::uint32_t cseq, std::string sdp);

  // exchange.cpp
  void on_reinvite(Time now, InviteSession& session, TransactionId id);
  void on_update(Time now, InviteSession& session, Leg& leg, TransactionId id);
  bool send_offer(Time now, InviteSession& session, Leg& leg, Carrier by, std::string sdp, int tries);
  void on_offer_response(Time now, const ClientTransaction& t);
  void on_offer_ok(InviteSession& session, Leg& leg, TransactionId id);
  // What of theirs waits in a dialog that ends is answered with 487.
  void release(Time now, InviteSession& session);

  // info.cpp
  void on_info(Time now, InviteSession& session, TransactionId id);
  std::string recv_info() const;

  // subscriptions.cpp
  struct Closing {  // why a subscription ended
    bool by_us = false;
    int code = 0;
    std::string_view reason = {};
    std::optional<std::uint32_t> retry_after = {};
  };
  // It is over: tells, and forgets it.
  void close(const Subscription& s, const Closing& verdict);
  void end_subscriptions_of(Time now, CallId call);
  void subscription_timeout(Time now, SubscriptionId id);
  bool has_room_for_subscription(const PeerId& peer);
  Dialog* dialog_of(Subscription& s);
  std::string contact_of(const Subscription& s);
  // A request outside of any call, inside the dialog of a subscription.
  void on_subscription_request(Time now, const PeerId& peer, TransactionId id);
  std::string allow_events() const;
  const EventPackage* package_of(std::string_view name) const;

  // subscribe.cpp: the subscriber
  Status begin_outside(Subscription& s, const Uri& target, const Uri& from);
  Status begin_inside(Subscription& s, CallId call);
  bool send_subscribe(Time now, Subscription& s, std::uint32_t expires);
  void on_subscribe_response(Time now, SubscriptionId id, int status);
  bool asks_for_longer(Time now, Subscription& s);
  void live_until(Time now, Subscription& s, std::uint32_t expires);
  void on_call_notify(Time now, InviteSession& session, TransactionId id);
  void on_notify(Time now, Subscription& s, TransactionId id);

  // notify.cpp: the notifier
  void on_new_subscribe(Time now, const PeerId& peer, TransactionId id, InviteSession* session);
  void on_subscribe(Time now, InviteSession& session, TransactionId id);
  void on_subscribe_again(Time now, Subscription& s, TransactionId id);
  bool refuse_subscribe(Time now, TransactionId id, const EventPackage* package);
  bool send_notify(Time now, Subscription& s, StateValue state, std::string_view type, std::string body);
  void on_notify_response(SubscriptionId id, int status);
  // What both a SUBSCRIBE and a REFER make of us.
  Subscription begin_notifying(Time now, const PeerId& peer, TransactionId id, const InviteSession* session);
  bool answered_before(Time now, const PeerId& peer, TransactionId id, const InviteSession* session);
  void answer_subscribe(Time now, const Subscription& s, TransactionId id, std::uint32_t expires);
  std::uint32_t asked_expires() const;

  // refer.cpp
  void on_refer(Time now, const PeerId& peer, TransactionId id, InviteSession* session);
  void on_refer_response(SubscriptionId id, int status);
  void answer_refer(Time now, const Subscription& s, TransactionId id);
  void accept_refer(Time now, Subscription& s);
  bool take_progress(const Subscription& s);

  // replaced.cpp
  Verdict find_replaced(std::optional<Replaced>& replaced);
  std::string supported() const;  // option tags
  bool knows_extension(std::string_view tag) const;

  // commands.cpp
  Message response(TransactionId id, int status, std::string_view reason, std::string_view local_tag);
  // What an INVITE, an UPDATE and their 2xx say of us.
  void describe(Message& message, const InviteSession& session) const;
  void answer_ok(Time now, InviteSession& session, TransactionId id, std::string sdp, Unacked unacked);
  void accept_now(Time now, InviteSession& session, std::string sdp);
  void send_cancel(Time now, InviteSession& session, Calling& calling);
  void send_bye(Time now, const PeerId& peer, Dialog& dialog, std::string_view reason_text);
  void send_bye(Time now, InviteSession& session, std::string_view reason_text) {
    send_bye(now, session.peer, session.leg.dialog, reason_text);
  }

  Config config_;
  Rng& rng_;
  TransactionLayer layer_;
  BoundedQueue<Event> events_;
  std::unordered_map<PeerId, Peer> peers_;
  CallTable calls_;
  std::uint64_t last_call_ = 0;
  SubscriptionTable subscriptions_;
  std::uint64_t last_subscription_ = 0;
  Counters counters_;
  MessageView in_;  // the message being handled
};

// "SIP;cause=200;text=\"...\"" (RFC 3326), empty for an empty text.
std::string reason_value(std::string_view text);
// Its cause and text; cause 0 when there is none for protocol SIP.
struct ReasonHeader {
  int cause = 0;
  std::string text;
};
ReasonHeader parse_reason(std::string_view value);

// The SDP of a message; empty when its body is something else.
std::string sdp_of(const MessageView& message);
Message& put_body(Message& message, std::string_view type, std::string body);
// True if a list header of the message names the token.
bool names_token(const MessageView& message, HeaderId id, std::string_view token);
// True if a list of media ranges lets the type pass; parameters are not looked at, q=0 included.
bool accepts_type(const MessageView& message, std::string_view type);
bool is_bare_type(std::string_view type);  // "type/subtype" and no more
// True if Contact says `isfocus`.
bool is_focus(const MessageView& message);
std::string comma_list(const std::vector<std::string>& items);
// Not empty and not over kMaxSdp; empty passes where it `may_be_empty`.
Status check_sdp(const std::string& sdp, bool may_be_empty = false);

// Methods this user agent serves, as Allow says them.
inline constexpr std::string_view kAllow =
    "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER";
inline constexpr std::string_view kSdpType = "application/sdp";
inline constexpr std::string_view k100rel = "100rel";          // RFC 3262
inline constexpr std::string_view kNorefersub = "norefersub";  // RFC 4488
inline constexpr std::string_view kReferPackage = "refer";     // RFC 3515

}  // namespace linnet::sip
