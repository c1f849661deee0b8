// One call: an INVITE session (RFC 3261 sections 13-15) as a variant of states, so that an impossible state cannot be
// written down. Data only; the user agent moves it from one state to the next.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "sip/dialog.h"
#include "sip/peer.h"
#include "sip/transaction_layer.h"

namespace linnet::sip {

// What carries a new offer inside a dialog.
enum class Carrier : std::uint8_t { invite, update };

// Nothing is being changed.
struct Settled {};
// Our re-INVITE or UPDATE is on its way.
struct Offering {
  TransactionId request{};
  Carrier by{};
  std::string sdp;  // empty: a re-INVITE that asks for their offer, an UPDATE that changes our Contact alone
  int tries = 1;
};
// It met theirs (491); it goes out again at `retry` (RFC 3261 section 14.1, RFC 3311 section 5.3).
struct Backing {
  Carrier by{};
  std::string sdp;
  Time retry = kNever;
  int tries = 0;
};
// Where our answer to their offer goes.
enum class AnswerIn : std::uint8_t { reinvite_ok, update_ok, prack_ok, prack, ack };
// Their offer waits for our answer.
struct Deciding {
  AnswerIn answer_in{};
  TransactionId request{};   // theirs; our INVITE for an answer in an ACK
  std::uint32_t number = 0;  // RSeq for a PRACK, CSeq for an ACK
  bool offerless = false;    // a re-INVITE that wants our offer instead
  Backing later;             // ours, if it had to back off for this one
};
using Exchange = std::variant<Settled, Offering, Backing, Deciding>;

// A dialog and the exchange of offers in it (RFC 3264, RFC 6337).
struct Leg {
  Dialog dialog;
  Exchange exchange;
  bool agreed = false;     // the first exchange is complete: from here on either end may offer
  std::string answer;      // SDP that a reliable provisional response brought
  std::uint32_t rseq = 0;  // the last reliable provisional response taken in it
};

// Our INVITE has no final answer yet.
struct Calling {
  TransactionId invite{};
  std::string branch;
  bool offerless = false;
  bool provisional = false;  // before it no CANCEL may go out (section 9.1)
  bool cancelling = false;   // cancel() was called
  bool cancel_sent = false;
  std::string cancel_reason;
  Time give_up = kNever;  // 64*T1 after the CANCEL
  bool rang = false;
  std::vector<Leg> forks;  // early dialogs, at most kMaxForks
};

// A provisional response that was asked for while another waited for its PRACK.
struct Provisional {
  int code = 0;
  std::string sdp;
};

// Their INVITE waits for our answer.
struct Alerting {
  TransactionId invite{};
  bool offerless = false;
  bool can_100rel = false;
  bool must_100rel = false;
  std::uint32_t rseq = 0;                // of our last reliable provisional response
  std::optional<Provisional> next;       // the newest wins
  std::optional<std::string> accepting;  // accept() came before the PRACK that the 200 must wait for
};

struct Talking {};

// Our 200 waits for its ACK (section 13.3.1.4).
struct Unacked {
  Bytes ok;
  std::uint32_t seq = 0;
  bool first = false;  // of the INVITE that made the call
  bool offer = false;  // it holds our offer: the ACK holds the answer
  Duration interval{};
  Time resend = kNever;
  Time give_up = kNever;
  bool bye_after = false;  // bye() came before the ACK, which section 15 makes wait
  std::string bye_reason;
};

// Our provisional response waits for its PRACK (RFC 3262 section 3). Once a 2xx is out it only waits.
struct Unpracked {
  std::uint32_t rseq = 0;
  std::uint32_t cseq = 0;
  Bytes bytes;
  bool has_sdp = false;
  Duration interval{};
  Time resend = kNever;
  Time give_up = kNever;
};

struct InviteSession {
  CallId id{};
  PeerId peer;
  bool we_called = false;  // owner of the Call-ID, for the delays of section 14.1
  std::string contact;     // value of our Contact, without its feature parameters
  bool focus = false;      // it says that we are a focus (RFC 4579)
  bool far_focus = false;  // so does the peer's
  std::string recv_info;   // info packages the peer takes (RFC 6086), as its Recv-Info says
  Leg leg;                 // of the call; while we call, what an answer will be joined with
  std::variant<Calling, Alerting, Talking> state;
  std::optional<Unacked> unacked;
  std::optional<Unpracked> unpracked;

  Time next_timeout() const;
  std::string our_contact() const { return focus ? contact + ";isfocus" : contact; }
  bool talking() const { return std::holds_alternative<Talking>(state); }
  // The dialog with that tag of the peer, early ones included; nullptr when there is none.
  Leg* leg_with(std::string_view remote_tag);
  // The dialog whose exchange is `E` and fits; nullptr when there is none.
  template <class E, class Fits>
  Leg* leg_in(Fits fits) {
    const auto is = [&](Leg& l) {
      const auto* e = std::get_if<E>(&l.exchange);
      return e != nullptr && fits(*e);
    };
    if (is(leg)) return &leg;
    auto* calling = std::get_if<Calling>(&state);
    if (calling == nullptr) return nullptr;
    const auto it = std::find_if(calling->forks.begin(), calling->forks.end(), is);
    return it == calling->forks.end() ? nullptr : &*it;
  }

  // For CallTable.
  std::vector<std::string> keys;  // under which its dialogs stand there
  Time due = kNever;
  bool touched = false;
};

}  // namespace linnet::sip
