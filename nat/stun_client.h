// Requests that wait for their answers: STUN's client transactions over UDP (RFC 8489, section 6). What the answers
// mean, and whether they are authentic, the owner says.
#pragma once

#include <map>

#include "base/machine.h"
#include "nat/stun_message.h"
#include "nat/stun_retransmit.h"

namespace linnet::nat::stun {

class Client {
 public:
  static constexpr std::size_t kMaxRequests = 64;
  static constexpr std::size_t kMaxServers = 32;  // of which the round trip is remembered
  static constexpr Duration kRoundTripKept = std::chrono::minutes(10);

  struct Answered {
    TransactionId id{};
    Endpoint asked;
    std::optional<Duration> rtt;  // when it was sent once only
  };

  // Fault::full; refused: a request of that id waits. Without a plan: RFC 8489's, with the server's round trip if
  // known.
  Status start(Time now, const Endpoint& to, const TransactionId& id, Bytes request,
               std::optional<RetransmitPlan> plan = std::nullopt);
  // The request that this success or error response answers. It waits no more. One that cannot be understood answers
  // nothing: the request is given up (section 6.3.3).
  std::optional<Answered> handle(Time now, const Message& message);
  bool cancel(const TransactionId& id) { return requests_.erase(id) != 0; }

  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<Transmit> poll_transmit();
  // Nobody answered.
  std::optional<TransactionId> poll_given_up();
  std::size_t size() const { return requests_.size(); }

 private:
  struct Request {
    Endpoint to;
    Bytes bytes;
    Retransmission when;
  };
  struct Server {
    RoundTrip trip;
    Time at{};
  };
  void remember(Time now, const Endpoint& server, Duration rtt);

  std::map<TransactionId, Request> requests_;
  std::map<Endpoint, Server> servers_;
  Fifo<Transmit> out_;
  Fifo<TransactionId> given_up_;
};

}  // namespace linnet::nat::stun
