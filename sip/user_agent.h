// What sip::Core is made of. Inside the module only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sip/core.h"
#include "sip/invite_session.h"
#include "sip/parser.h"
#include "sip/transaction_layer.h"

namespace linnet::sip {

class UserAgent {
 public:
  UserAgent(Config config, Rng& rng);

  // user_agent.cpp
  void handle_message(Time now, const PeerId& from, ByteView bytes);
  void handle_timeout(Time now);
  Time next_timeout() const;
  void peer_lost(Time now, const PeerId& peer);
  void peer_reconnected(const PeerId& peer) { layer_.repeat(peer, Purpose::bye); }
  std::optional<Outgoing> poll_message() { return layer_.poll(); }
  std::optional<Event> poll_event() { return events_.pop(); }
  Status set_peer_identity(const PeerId& peer, std::vector<std::string> addresses);
  Status set_peer_reliable(const PeerId& peer, bool reliable);
  const Counters& counters();
  std::size_t calls() const { return calls_.size(); }
  std::size_t transactions() const { return layer_.size(); }

  // commands.cpp
  Result<CallId> invite(Time now, InviteParams params);
  Status ring(Time now, CallId call);
  Status accept(Time now, CallId call, std::string sdp);
  Status reject(Time now, CallId call, int code, std::string_view reason);
  Status cancel(Time now, CallId call, std::string_view reason_text);
  Status bye(Time now, CallId call, std::string_view reason_text);
  Status hang_up(Time now, CallId call);
  Status reinvite(Time now, CallId call, std::string sdp);
  Status answer_reinvite(Time now, CallId call, std::string sdp);
  Status reject_reinvite(Time now, CallId call, int code, std::string_view reason);
  Status options(Time now, const PeerId& peer, const Uri& target);

 private:
  struct Peer {
    std::optional<bool> reliable;
    std::optional<std::vector<std::string>> addresses;
  };

  // user_agent.cpp
  InviteSession* find(CallId call);
  InviteSession* find_dialog(const PeerId& peer, const MessageView& request);
  void emit(Event event) { events_.push(std::move(event)); }
  // The call is over: tells, and forgets it.
  void end(CallId call, Event event);
  bool is_reliable(const PeerId& peer) const;
  Result<Peer*> known_peer(const PeerId& peer);
  std::string new_tag();
  bool has_room_for_call(const PeerId& peer) const;
  void session_timeout(Time now, InviteSession& session);

  // requests.cpp
  void on_request(Time now, const PeerId& peer);
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
  void on_reinvite(Time now, InviteSession& session, TransactionId id);
  void on_bye(Time now, InviteSession& session, TransactionId id);
  void answer_options(Time now, TransactionId id);
  void refuse(Time now, TransactionId id, int status, std::string_view reason = {}, HeaderLine extra = {});

  // responses.cpp
  void on_response(Time now, const PeerId& peer);
  void on_invite_response(Time now, InviteSession& session, Calling& calling);
  void on_invite_ok(Time now, InviteSession& session, Calling& calling);
  void on_reinvite_response(Time now, InviteSession& session, Talking& talking);
  void on_no_answer(Time now, const NoAnswer& none);
  void acknowledge(InviteSession& session, Talking& talking, std::uint32_t seq);

  // commands.cpp
  Message response(TransactionId id, int status, std::string_view reason, std::string_view local_tag);
  void answer_ok(Time now, InviteSession& session, TransactionId id, std::string sdp, Unacked unacked);
  static void settle(Talking& talking, Backing later);  // an exchange is over; ours that was put off comes next
  void send_cancel(Time now, InviteSession& session, Calling& calling);
  void send_bye(Time now, InviteSession& session, std::string_view reason_text);
  bool send_reinvite(Time now, InviteSession& session, std::string sdp, int tries);

  Config config_;
  Rng& rng_;
  TransactionLayer layer_;
  BoundedQueue<Event> events_;
  std::map<PeerId, Peer> peers_;
  std::map<CallId, InviteSession> calls_;
  std::uint64_t last_call_ = 0;
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

// Methods this user agent serves, as Allow says them.
inline constexpr std::string_view kAllow = "INVITE, ACK, BYE, CANCEL, OPTIONS";
inline constexpr std::string_view kSdpType = "application/sdp";

}  // namespace linnet::sip
