// The sealed round trip: transactions with retransmission on this side, admission and answers on the other.
//
// A request is sent up to three times, at 0, 1 and 2 times the contact's expected timeout, and given up at 4 times.
// What it waits for is bounded, and an answer is believed only from where the question went.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/deadline_heap.h"
#include "base/flat_map.h"
#include "base/machine.h"
#include "dht/codec.h"

namespace linnet::dht {

// What a question was for; the owner's business.
struct Purpose {
  enum class Kind : std::uint8_t { ping, query, further, store, store_at_once, hand_on, let_go };
  Kind kind = Kind::ping;
  std::uint64_t task = 0;
  std::uint32_t slot = 0;
  std::uint64_t skip = 0;
};

// Somebody asks: answer it with Rpc::answer.
struct Incoming {
  Request request;
  Endpoint from;
  bool proven = false;   // showed that it receives at `from`
  std::size_t room = 0;  // an answer's payload may have so many bytes
  TransactionId id = 0;
  Codec::State state;
};
struct Answered {
  Contact from;
  Purpose purpose;
  Answer answer;
  std::optional<Duration> rtt;  // absent when it was sent more than once (Karn)
};
struct Late {
  Purpose purpose;
};
struct Failed {
  Contact to;
  Purpose purpose;
  Time sent{};
};
using RpcEvent = std::variant<Incoming, Answered, Late, Failed>;

class Rpc {
 public:
  static constexpr std::size_t kMaxPending = 2048;

  Rpc(const Config& config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity, Counters& counters);

  // Fault::full when too many questions are under way. `timeout` is the contact's expected one; the cookie proves our
  // address and allows a request that is not padded.
  Status ask(Time now, const Contact& to, const Request& request, const Purpose& purpose, Duration timeout,
             const std::optional<crypto::Mac>& cookie);
  // The answer is cut to the room that the question left.
  void answer(Time now, Incoming incoming, Answer answer);

  std::optional<RpcEvent> handle_datagram(Time now, const Datagram& datagram);
  // Call until it returns nothing.
  std::optional<RpcEvent> handle_timeout(Time now);
  Time next_timeout() const { return deadlines_.empty() ? kNever : deadlines_.top().at; }
  std::optional<Transmit> poll_transmit() { return transmits_.pop(); }

  std::size_t pending() const { return transactions_.size(); }
  std::size_t memory_bytes() const;

 private:
  struct Transaction {
    Contact to;
    Purpose purpose;
    Codec::State state;
    Bytes frame;
    Time sent{};
    Duration timeout{};
    std::uint8_t sends = 1;
    std::uint8_t cookies = 0;
    DeadlineHeap::Slot heap_slot = DeadlineHeap::kNone;  // of deadlines_
  };
  using Transactions = FlatMap<TransactionId, std::unique_ptr<Transaction>>;

  std::optional<RpcEvent> handle_request(Time now, const Datagram& datagram);
  std::optional<RpcEvent> handle_answer(Time now, const Datagram& datagram);
  std::optional<RpcEvent> handle_cookie(Time now, Transaction& t, ByteView frame);
  // Whether to spend a key agreement on this request; sends a cookie or counts a refusal when not.
  bool admit(Time now, const Endpoint& from, const RequestView& request, bool proven);
  std::unique_ptr<Transaction> finish(TransactionId id);
  void send(const Endpoint& to, Bytes bytes);
  std::size_t padding(Kind kind, bool proven) const;

  Rng* rng_;
  const crypto::Identity* identity_;
  Counters* counters_;
  Sealer sealer_;
  std::unique_ptr<Codec> own_codec_;  // when none was handed in
  Codec* codec_;
  crypto::Mac1 mac1_;
  crypto::CookieJar jar_;
  crypto::PrefixLimiter proven_;  // each prefix that showed its address
  double strangers_per_second_;
  double strangers_left_;
  Time strangers_at_{};
  Transactions transactions_;
  DeadlineHeap deadlines_;
  BoundedQueue<Transmit> transmits_;
};

}  // namespace linnet::dht
