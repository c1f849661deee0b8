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

struct Ringing {  // 180; 183 carries `sdp` rarely
  CallId call{};
};
struct Answered {  // 200 to our INVITE; our ACK is on its way
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
struct ReinviteOffer {  // answer with answer_reinvite() or reject_reinvite()
  CallId call{};
  std::string sdp;
};
struct ReinviteAnswered {
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
// The call died without a SIP answer: the peer is lost, the ACK never came, the answer was unusable.
struct Failed {
  CallId call{};
  std::string why;
};

using Event = std::variant<IncomingCall, Ringing, Answered, Established, Rejected, Cancelled, Ended, ReinviteOffer,
                           ReinviteAnswered, ReinviteRejected, OptionsAnswered, Failed>;

}  // namespace linnet::sip
