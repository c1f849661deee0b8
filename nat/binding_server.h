// Answers Binding requests (RFC 8489, section 12), without state and without authentication, and those of NAT behaviour
// discovery (RFC 5780) where there is a second address, ours or that of a partner who sends for us.
//
// Who answers strangers can be made to answer a victim, so an answer holds little: XOR-MAPPED-ADDRESS (12 bytes, 24 for
// IPv6), FINGERPRINT (8) where the request had it, and RESPONSE-ORIGIN and OTHER-ADDRESS (24 together, 48) where RFC
// 5780 is served. A bare request of 20 bytes gets 32 or 44, 56 or 92 of a server with a second address. A refusal has
// no words: it is at most 12 bytes longer than its request. RESPONSE-PORT is heeded without a second address as well
// (dial_back.h), by an answer that is no longer than the request. PADDING is understood and never returned. The owner
// limits by the source's prefix.
//
// Where the second address is a partner's (docs/decisions/021) RFC 5780 is spoken to requests alone that are no shorter
// than the longest answer, and what leaves by the partner is never longer than its request.
#pragma once

#include <optional>

#include "base/machine.h"
#include "nat/stun_message.h"

namespace linnet::nat {

struct BindingServerConfig {
  // Differs from `primary` in address and in port. Both are addresses as the world sees them.
  Endpoint primary;
  std::optional<Endpoint> other;
  // False: requests shorter than their answer get none. Ordinary clients send those.
  bool answers_short = true;
};

struct BindingAnswer {
  Endpoint from;  // one of the four combinations of primary's and other's address and port
  Endpoint to;
  Bytes bytes;
};

class BindingServer {
 public:
  // Of an answer with all of RFC 5780, with FINGERPRINT or without.
  static std::size_t full_size(bool v4, bool fingerprint);
  // What a partner sends to `client`, in bytes: without OTHER-ADDRESS, so that it is shorter than what asked for it.
  static Bytes for_partner(const Endpoint& origin, const Endpoint& client, const stun::TransactionId& id,
                           bool fingerprint);
  // "It could not be sent": 500 to who asked.
  static Bytes not_sent(const stun::TransactionId& id, bool fingerprint);

  explicit BindingServer(const BindingServerConfig& config) : config_(config) {}

  // `at`: where the request came in, as the world sees it. Nothing when no answer is due.
  std::optional<BindingAnswer> answer(const Endpoint& at, const Endpoint& from, const stun::Message& request) const;

 private:
  Endpoint opposite(const Endpoint& at, bool address, bool port) const;
  std::optional<BindingAnswer> refuse(const Endpoint& at, const Endpoint& from, const stun::Message& request,
                                      stun::ErrorCode code, std::span<const stun::Attr> unknown) const;

  BindingServerConfig config_;
};

}  // namespace linnet::nat
