// One event subscription (RFC 6665), at either end. Data only; the user agent moves it from one phase to the next.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "sip/dialog.h"
#include "sip/peer.h"
#include "sip/transaction_layer.h"

namespace linnet::sip {

enum class SubscriptionEnd : std::uint8_t { subscriber, notifier };

enum class SubscriptionPhase : std::uint8_t {
  deciding,  // notifier: their request waits for what the node says
  waiting,   // subscriber: no NOTIFY came yet
  pending,
  active,
  ending,  // subscriber: we said that we want no more, and wait for the last NOTIFY
};

struct Subscription {
  SubscriptionId id{};
  PeerId peer;
  SubscriptionEnd end{};
  CallId call{};        // whose dialog it shares (RFC 4579 section 5.2); kNoCall: it has one of its own
  Dialog dialog;        // its own; empty inside a call
  std::string contact;  // its own, likewise
  std::string package;
  std::string event_id;
  std::vector<std::string> types;  // subscriber: what bodies it takes

  SubscriptionPhase phase{};
  TransactionId request{};        // theirs, while deciding
  std::uint32_t request_seq = 0;  // CSeq of the request that made it
  std::string request_tag;        // its From tag
  std::uint32_t expires = 0;      // seconds that were asked for; 0 asks for the state once
  bool silent = false;            // a REFER that wants no NOTIFY (RFC 4488)
  bool asked_again = false;       // a 423 made us ask for longer
  int notifies = 0;               // of ours without a final answer
  Time ends = kNever;
  Time refresh = kNever;  // subscriber: the next SUBSCRIBE goes out
  Time timer_n = kNever;  // subscriber: a NOTIFY must have come (section 4.1.2.4)

  Time next_timeout() const { return std::min({ends, refresh, timer_n}); }
  bool is_refer() const { return package == "refer"; }  // RFC 3515

  // For SubscriptionTable.
  Time due = kNever;
  bool touched = false;
};

}  // namespace linnet::sip
