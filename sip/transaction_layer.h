// The tables of transactions: which message belongs to which (RFC 3261 section 17.1.3, 17.2.3), what goes out again and
// when. The user agent above sees each message once. Every table is hashed, and bounded in all and per peer; the next
// deadline is the first of an ordered set.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/machine.h"
#include "base/rng.h"
#include "sip/core.h"
#include "sip/message.h"

namespace linnet::sip {

enum class TransactionId : std::uint64_t {};
inline constexpr TransactionId kNoTransaction{0};

// Dialogs that one INVITE of ours may make, early ones and answers counted.
inline constexpr std::size_t kMaxForks = 8;

// What a request of ours was sent for.
enum class Purpose : std::uint8_t {
  invite,
  reinvite,
  cancel,
  bye,
  options,
  prack,
  update,
  info,
  subscribe,
  notify,
  refer
};

// Whose request it is: of a call, or of a subscription.
struct Owner {
  CallId call{};
  SubscriptionId subscription{};
  Owner(CallId c) : call(c) {}                  // NOLINT: one stands for the other
  Owner(SubscriptionId s) : subscription(s) {}  // NOLINT
};

// The ACK for a 2xx: it goes out again with each copy of that 2xx (section 13.2.2.4).
struct AnswerAck {
  std::string tag;  // of To
  Bytes bytes;
};

struct ClientTransaction {
  TransactionId id{};
  PeerId peer;
  Purpose purpose{};
  CallId call{};
  SubscriptionId subscription{};
  std::string key;
  Message request;
  Bytes bytes;
  Bytes ack;  // of a final response other than 2xx
  std::variant<InviteClient, NonInviteClient> machine;
  std::vector<AnswerAck> answers = {};
  Time due = kNever;
};

struct ServerTransaction {
  TransactionId id{};
  PeerId peer;
  CallId call{};  // of an INVITE
  std::string key;
  std::uint32_t cseq = 0;
  Message answer;  // the fields that every response to it has; the tag of To is not set
  Bytes last_response;
  std::variant<InviteServer, NonInviteServer> machine;
  Time due = kNever;
};

// A client transaction has no answer and is over.
struct NoAnswer {
  TransactionId id{};
  Purpose purpose{};
  CallId call{};
  SubscriptionId subscription{};
  PeerId peer;
};

// The fields a response copies from its request (section 8.2.6.2), in the order they came.
Message response_to(const MessageView& request);

class TransactionLayer {
 public:
  TransactionLayer(const Config& config, Rng& rng);

  // Sends a request in a new transaction; puts the Via in front. A CANCEL takes the branch of the INVITE it cancels.
  Result<TransactionId> request(Time now, const PeerId& peer, Purpose purpose, Owner owner, Message message,
                                bool reliable, std::string_view branch = {});
  std::string new_branch();
  std::string via(std::string_view branch) const;

  // The request opens a server transaction. Fault::full when there is no room.
  Result<TransactionId> accept_request(Time now, const PeerId& peer, const MessageView& request, bool reliable);
  // Sends a response inside a server transaction. `message` is complete.
  void respond(Time now, TransactionId id, const Message& message);
  // Outside any transaction: the ACK for a 2xx, a refusal that keeps no state.
  void send(const PeerId& peer, Bytes bytes);
  void send_again(const PeerId& peer, const Bytes& bytes);  // the same, counted as a retransmission

  // A response came: nothing when it belongs to no transaction, nullptr when that has dealt with it, else the
  // transaction that the user agent shall see; the pointer lives until the next input.
  std::optional<const ClientTransaction*> on_response(Time now, const PeerId& peer, const MessageView& response);
  // Sends the ACK for a 2xx with that tag, and keeps it for copies of the 2xx. False: too many answers.
  bool acknowledge(TransactionId invite, std::string_view tag, Bytes ack);
  // True if the request is one seen before (it was answered again). An ACK that ends an INVITE transaction is, too.
  bool on_request(Time now, const PeerId& peer, const MessageView& request);
  // The INVITE's transaction that a CANCEL names.
  TransactionId cancelled_by(const PeerId& peer, const MessageView& cancel) const;

  ServerTransaction* server(TransactionId id);
  const ClientTransaction* client(TransactionId id) const;
  void drop_client(TransactionId id);

  // A new path to the peer: INVITE, CANCEL, BYE, SUBSCRIBE and NOTIFY without a final answer go out once
  // more.
  void repeat(const PeerId& peer);

  std::vector<NoAnswer> on_timeout(Time now);
  Time next_timeout() const { return due_.empty() ? kNever : due_.begin()->first; }
  void forget(const PeerId& peer);

  std::optional<Outgoing> poll() { return outgoing_.pop(); }
  std::size_t size() const { return clients_.size() + servers_.size() - ended_.size(); }
  bool has_room(const PeerId& peer);
  // Counted since the last call.
  std::uint64_t take_retransmissions() { return std::exchange(retransmissions_, 0); }
  std::uint64_t take_refused() { return std::exchange(refused_, 0); }

 private:
  template <class Transaction>
  void add(std::unordered_map<TransactionId, Transaction>& table, Transaction t);
  template <class Transaction>
  bool remove(std::unordered_map<TransactionId, Transaction>& table, TransactionId id);
  // After every step of a machine: its new deadline, and its end.
  template <class Transaction>
  void note(Transaction& t);
  // Removes what has terminated. Put off to the next call, since the user agent may still hold a pointer.
  void reap();
  void fire(Time now, ClientTransaction& t, std::vector<NoAnswer>& out);
  void fire(Time now, ServerTransaction& t);

  const Config& config_;
  Rng& rng_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<TransactionId, ClientTransaction> clients_;
  std::unordered_map<TransactionId, ServerTransaction> servers_;
  std::unordered_map<std::string, TransactionId> index_;
  std::unordered_map<PeerId, std::vector<TransactionId>> per_peer_;
  std::set<std::pair<Time, TransactionId>> due_;
  std::vector<TransactionId> ended_;
  BoundedQueue<Outgoing> outgoing_;
  std::uint64_t retransmissions_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace linnet::sip
