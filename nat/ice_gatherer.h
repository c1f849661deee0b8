// Learns server-reflexive candidates by STUN (RFC 8445, section 5.1.1.2). Requests start one pace apart; the deadline
// ends gathering whatever has not answered, and an answer that comes later still counts.
#pragma once

#include <optional>
#include <vector>

#include "base/rng.h"
#include "nat/ice_candidate.h"
#include "nat/stun_message.h"
#include "nat/stun_retransmit.h"

namespace linnet::nat::ice {

// A datagram and what sends it.
struct Outgoing {
  Base base = 0;
  Endpoint to;
  Bytes bytes;
};

class Gatherer {
 public:
  static constexpr std::size_t kMaxRequests = 16;
  static constexpr Duration kDeadline = std::chrono::milliseconds(500);

  struct Learned {
    Base base = 0;
    Endpoint mapped;
    Endpoint server;
  };

  // False when the table is full.
  bool ask(Time now, Rng& rng, Base base, const Endpoint& server, Duration pace);
  bool owns(const stun::TransactionId& id) const;
  std::optional<Learned> handle(const stun::Message& message);
  void handle_timeout(Time now, std::vector<Outgoing>& out);
  Time next_timeout() const;
  Time deadline() const { return deadline_; }
  // Nothing waits, or the deadline has passed.
  bool done(Time now) const { return waiting_.empty() || now >= deadline_; }

 private:
  struct Request {
    stun::TransactionId id{};
    Base base = 0;
    Endpoint server;
    stun::Retransmission when;
  };

  std::vector<Request> waiting_;
  Time next_start_ = Time::min();
  Time deadline_ = Time::min();
};

}  // namespace linnet::nat::ice
