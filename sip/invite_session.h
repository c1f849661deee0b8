// One call: an INVITE session (RFC 3261 sections 13-15) as a variant of states, so that an impossible state cannot be
// written down. Data only; the user agent moves it from one state to the next.
#pragma once

#include <string>
#include <variant>

#include "base/time.h"
#include "sip/dialog.h"
#include "sip/peer.h"
#include "sip/transaction_layer.h"

namespace linnet::sip {

// Our INVITE has no final answer yet.
struct Calling {
  TransactionId invite{};
  std::string branch;
  bool provisional = false;  // before it no CANCEL may go out (section 9.1)
  bool cancelling = false;   // cancel() was called
  bool cancel_sent = false;
  std::string cancel_reason;
  Time give_up = kNever;  // 64*T1 after the CANCEL
  bool rang = false;
};

// Their INVITE waits for our answer.
struct Alerting {
  TransactionId invite{};
};

// Nothing is being changed.
struct Settled {};
// Our re-INVITE is on its way.
struct Offering {
  std::string sdp;
  int tries = 1;
};
// It met theirs (491); it goes out again at `retry` (section 14.1).
struct Backing {
  std::string sdp;
  Time retry = kNever;
  int tries = 0;
};
// Their re-INVITE waits for our answer.
struct Deciding {
  TransactionId invite{};
  Backing later;  // ours, if it had to back off for this one
};
// Our 200 waits for its ACK (section 13.3.1.4).
struct Unacked {
  Bytes ok;
  std::uint32_t seq = 0;
  bool first = false;  // of the INVITE that made the call
  Duration interval{};
  Time resend = kNever;
  Time give_up = kNever;
  Backing later;
  bool bye_after = false;  // bye() came before the ACK, which section 15 makes wait
  std::string bye_reason;
};

struct Talking {
  std::variant<Settled, Offering, Backing, Deciding, Unacked> exchange;
  // Our last ACK for a 2xx and the INVITE it was for: goes out again with each copy of that 2xx.
  Bytes ack;
  std::uint32_t acked_seq = 0;
};

struct InviteSession {
  CallId id{};
  PeerId peer;
  bool we_called = false;  // owner of the Call-ID, for the delays of section 14.1
  std::string contact;     // value of our Contact
  Dialog dialog;
  std::variant<Calling, Alerting, Talking> state;

  Time next_timeout() const;
};

}  // namespace linnet::sip
