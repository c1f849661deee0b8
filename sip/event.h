// What the user agent tells the node. Every call ends with exactly one of Rejected, Cancelled, Ended, Failed,
// whoever ended it; after that its CallId means nothing.
#pragma once

#include <string>
#include <variant>

#include "sip/peer.h"
#include "sip/uri.h"

namespace linnet::sip {

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
// The call died without a SIP answer: the peer is lost, the ACK never came, the answer was unusable.
struct Failed {
  CallId call{};
  std::string why;
};

using Event = std::variant<IncomingCall, Ringing, Answered, Established, Rejected, Cancelled, Ended, ReinviteOffer,
                           ReinviteAnswered, ReinviteRejected, OptionsAnswered, InfoReceived, InfoAnswered, Failed>;

}  // namespace linnet::sip
