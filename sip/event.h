// What the user agent tells the node. Every call ends with exactly one of Rejected, Cancelled, Ended, Failed,
// whoever ended it; after that its CallId means nothing. Every subscription ends with exactly one SubscriptionEnded,
// those of a call before the call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sip/event_header.h"
#include "sip/peer.h"
#include "sip/replaces.h"
#include "sip/uri.h"

namespace linnet::sip {

// The call that an INVITE wants to take the place of (RFC 3891), or to join (RFC 3911). It may be with another peer:
// whether this one may is for the node to say. It answers the new call, and hangs up the replaced one.
struct Replaced {
  CallId call{};
  bool join = false;   // both go on, mixed
  bool early = false;  // it has no answer yet: our own INVITE
};

// An INVITE that made a new call. Identity is judged by the node (or by set_peer_identity); answer with
// ring/accept/reject. `sdp` is empty when the caller wants our offer (it then goes into accept()).
struct IncomingCall {
  CallId call{};
  PeerId peer;
  Uri from;
  std::string display_name;
  Uri to;
  std::string contact;     // its URI as text, empty when absent
  std::string call_group;  // Linnet-Call-Group, empty when absent
  std::string sdp;
  std::string conference;            // Linnet-Conference, empty when absent
  bool focus = false;                // Contact said `isfocus`: a conference calls (RFC 4579 section 5.2)
  std::optional<Replaced> replaced;  // only under Config::replaces
  std::string subject;               // Subject (RFC 3261 section 20.36), unfolded; empty when absent
};

// The first 180, and every provisional response that brings a session description. That may be the answer already
// (reliable, RFC 3262) or its preview.
struct Ringing {
  CallId call{};
  int code = 180;
  std::string sdp;
};
// 200 to our INVITE; our ACK is on its way. If our INVITE had no offer, `sdp` is theirs and the ACK waits for
// answer_reinvite().
struct Answered {
  CallId call{};
  std::string sdp;
  bool focus = false;  // what was called is a conference
};
struct Established {  // the ACK for our 200 came; `sdp` only if our 200 carried the offer
  CallId call{};
  std::string sdp;
};
// A final response of 300-699 to our INVITE, or 408 when none came (Timer B).
struct Rejected {
  CallId call{};
  int code = 0;
  std::string reason;
};
// The INVITE was cancelled, by the caller or by our own cancel(). elsewhere: Reason said cause=200 (RFC 3326).
struct Cancelled {
  CallId call{};
  bool elsewhere = false;
  std::string reason;
};
// BYE from either side, or our own reject().
struct Ended {
  CallId call{};
  bool by_us = false;
  std::string reason;  // text of the Reason header, may be empty
};
// Their offer in a re-INVITE, an UPDATE, a PRACK or a reliable provisional response: answer with answer_reinvite() or
// reject_reinvite(). Empty in a re-INVITE that wants our offer: the answer then comes as ReinviteAnswered.
struct ReinviteOffer {
  CallId call{};
  std::string sdp;
};
struct ReinviteAnswered {  // the answer to an offer of ours that was not in our INVITE
  CallId call{};
  std::string sdp;
};
struct ReinviteRejected {  // the call goes on as it was; 491 is reported after several tries
  CallId call{};
  int code = 0;
  std::string reason;
};
struct OptionsAnswered {
  PeerId peer;
  int code = 0;  // 408 when nothing came
  std::string user_agent;
};
// An INFO inside the call (RFC 6086), answered with 200 already.
struct InfoReceived {
  CallId call{};
  std::string package;  // empty: of the old kind
  std::string content_type;
  std::string body;
};
struct InfoAnswered {
  CallId call{};
  int code = 0;  // 408 when nothing came
};
// The peer of a call that stands became a conference, or is one no more: its Contact in a re-INVITE, an UPDATE or an
// answer to ours says so (RFC 4579 section 5.2). Comes before what that message is reported as.
struct FocusChanged {
  CallId call{};
  bool focus = false;
};

// A SUBSCRIBE for a package of Config::event_packages. Answer with accept_subscription() or reject_subscription().
struct SubscriptionRequested {
  SubscriptionId subscription{};
  CallId call{};  // inside of which it came; kNoCall: outside of any
  PeerId peer;
  Uri from;
  Uri target;  // Request-URI: what they want to know of
  std::string package;
  std::vector<std::string> accepts;  // of the package's types, those they take; none is empty
  std::uint32_t expires = 0;         // seconds; 0: the state once
};
// They asked again, and have their 200: send them the full state with notify() at once (section 4.2.1.4).
struct SubscriptionRefreshed {
  SubscriptionId subscription{};
  CallId call{};
  std::uint32_t expires = 0;
};
// A NOTIFY for a subscription of ours, answered with 200 already. After `terminated` comes SubscriptionEnded.
struct NotifyReceived {
  SubscriptionId subscription{};
  CallId call{};
  PeerId peer;
  SubscriptionState state{};
  std::string package;
  std::string content_type;
  std::string body;  // may be empty
};
// A REFER (RFC 3515): the peer asks us to send somebody a request. Under Config::refers alone. Answer with
// accept_subscription() or reject_subscription() (603), and tell with report_refer() what comes of it.
struct ReferReceived {
  SubscriptionId subscription{};
  CallId call{};
  PeerId peer;
  Uri from;
  Uri target;  // Request-URI: of a focus, the conference
  Uri refer_to;
  std::string method;                  // "INVITE" where the URI says none; "BYE": take them out (RFC 4579 section 5.5)
  std::optional<DialogName> replaces;  // for InviteParams::replaces
  std::optional<Uri> referred_by;
  bool progress = true;  // false: report_refer() is not wanted (RFC 4488), acceptance ends it
};
struct ReferAnswered {  // to our REFER; 202 says that they will try
  SubscriptionId subscription{};
  CallId call{};
  int code = 0;  // 408 when nothing came
};
struct ReferProgress {  // what came of our REFER so far; from 200 on the last word
  SubscriptionId subscription{};
  CallId call{};
  int code = 0;
  std::string reason;
};
// Of ours or of theirs, whoever ended it; those of REFER, too.
struct SubscriptionEnded {
  SubscriptionId subscription{};
  CallId call{};
  PeerId peer;
  bool by_us = false;  // end_subscription(), reject_subscription()
  int code = 0;        // of the response that ended it; 408 when nothing came; 0: no response did
  // Of Subscription-State (section 4.1.3): deactivated, probation, rejected, timeout, giveup, noresource, invariant. Or
  // "call ended", "peer lost", "no NOTIFY", "norefersub".
  std::string reason;
  std::optional<std::uint32_t> retry_after;  // seconds
};
// The call died without a SIP answer: the peer is lost, the ACK never came, the answer was unusable.
struct Failed {
  CallId call{};
  std::string why;
};

using Event = std::variant<IncomingCall, Ringing, Answered, Established, Rejected, Cancelled, Ended, ReinviteOffer,
                           ReinviteAnswered, ReinviteRejected, OptionsAnswered, InfoReceived, InfoAnswered,
                           FocusChanged, SubscriptionRequested, SubscriptionRefreshed, NotifyReceived, ReferReceived,
                           ReferAnswered, ReferProgress, SubscriptionEnded, Failed>;

}  // namespace linnet::sip
