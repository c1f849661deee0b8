// What a supernode does for others: answers for leaves, walks lookups for them, forwards and relays. All of it bounded.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/flat_map.h"
#include "overlay/bridges.h"
#include "overlay/circuit.h"
#include "overlay/context.h"
#include "overlay/hello.h"
#include "overlay/leaf_registry.h"
#include "overlay/standby_line.h"

namespace linnet::overlay {

class SupernodeRole {
 public:
  static constexpr std::size_t kVisitors = 256;  // clients that are not attached: callers, other supernodes
  // Of all clients, those of one /24 or /48 of global addresses: an eighth. Who is neither attached nor in a circuit
  // and says nothing goes after two minutes, or when there is no room.
  static constexpr std::size_t kPrefixShare = 8;
  static constexpr Duration kIdleClient = std::chrono::minutes(2);
  static constexpr Duration kFairTime = std::chrono::seconds(5);
  static constexpr std::size_t kWalksForNodes = 32;     // beyond it the own table answers
  static constexpr std::size_t kWalksForClients = 192;  // of Dht's 256; the rest are this node's own
  static constexpr std::size_t kWalksOfPrefix = 64;
  // A certificate out of its time: so long its owner may stay and learn the time, then it is judged; again much later.
  static constexpr Duration kProbation = std::chrono::minutes(1);
  static constexpr Duration kNextProbation = std::chrono::minutes(10);
  static constexpr std::size_t kProbations = 256;  // an eighth of them for one prefix
  static constexpr unsigned kPendingPerClient = 16;
  static constexpr double kQuestionsPerSecond = 50;
  static constexpr double kForwardsPerPrefix = 500;  // a second
  // Handshakes among them. A leaf cannot tell sources behind its supernode apart by address; here they can be.
  static constexpr double kOpeningsPerPrefix = 20;
  // Those that go on to another supernode: there all whom we carry have the one share above.
  static constexpr double kBridgedOpeningsPerPrefix = kOpeningsPerPrefix / kPrefixShare;

  // A standby is called while fewer are known, ourselves included; and for so long after a newcomer was turned away.
  static constexpr std::size_t kFewSupernodes = 8;
  static constexpr Duration kOfferAgain = std::chrono::minutes(1);
  static constexpr std::size_t kTakeLeaves = 8;  // so many of the nearest take leaves off it
  static constexpr Duration kTurnedAway = std::chrono::minutes(1);
  static constexpr std::size_t kSweepsToTell = 360;  // until all leaves were told that it is crowded: half an hour
  static constexpr std::size_t kStepsToEnd = 16;     // over which leaves are told that the role ends
  static constexpr std::size_t kAlternatives = 8;    // that a leaf is told of when the role ends

  struct Counters {
    std::uint64_t forwarded = 0, unknown_tag = 0, bad_mac = 0, limited = 0, refused = 0;
  };

  SupernodeRole(const PeerConfig& config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity,
                Endpoint self);

  // A client's handshake is complete. Fault::full when there is no room.
  Status on_client(const Context& c, SessionId session, const ClientHello& hello);
  bool owns(SessionId session) const { return clients_.contains(session); }
  void on_message(const Context& c, SessionId session, const control::Message& message);
  void on_session_down(const Context& c, SessionId session);
  void on_moved(SessionId session, const Endpoint& endpoint);
  // The session's address answered.
  void on_proven(const Context& c, SessionId session);
  // Connections that clients asked for, to be opened by the driver.
  std::optional<DialWanted> poll_dial() {
    if (dials_.empty()) return std::nullopt;
    return dials_.take();
  }
  // True when the event answered a client's question.
  bool on_dht_event(const Context& c, const dht::Event& event);
  // Every client is told; leaves go to their other homes at once.
  void leave(const Context& c);
  // But those that have circuits, for the time being.
  void leave_but_circuits(const Context& c);
  void handle_timeout(const Context& c);
  Time next_timeout() const;

  // It could serve more leaves now, or fewer: those that it has stay.
  void set_most_leaves(std::size_t most);
  // The end of the role, in the order of these. From the first on there are no new clients, leaves and circuits.
  void retire();
  void tell_leaves(const Context& c);  // some of them; to be called again
  bool told_leaves() const { return to_tell_.empty(); }
  void tell_circuits_end(const Context& c);
  void end(const Context& c, Attachments& attachments);

  // FORWARD and circuits: the packet as it goes on, or nothing.
  std::optional<Transmit> pass_down(const Context& c, const Endpoint& from, const ToLeaf& packet);
  std::optional<Transmit> pass_back(const Context& c, const Endpoint& from, const Tagged& packet);
  // A packet of a circuit, where it lies (CircuitTable::forward).
  std::optional<Forward> forward(Time now, const Endpoint& from, MutableBytes packet) {
    return circuits_.forward(now, from, packet);
  }

  // Across two supernodes (bridges.h): what the attachments are wanted for, and what far supernodes say. False: it was
  // not about that.
  void settle_bridges(const Context& c, Attachments& attachments);
  bool on_far(const Context& c, Attachments& attachments, const Supernode& from, const control::Message& message);
  void on_far_down(const Context& c, SessionId session);
  // A FORWARD packet of such a client, or an answer to it, goes on as it is.
  std::optional<Transmit> bridge_on(const Context& c, const Endpoint& from, const ToLeaf& packet, ByteView whole);
  std::optional<Transmit> bridge_back(const Context& c, const Endpoint& from, const Tagged& packet, ByteView whole);

  // A partner supernode's requests to send for it (partner.h), which the owner judges and answers.
  static constexpr std::size_t kMostWanted = 64;
  std::optional<PartnerWanted> poll_partner_wanted();
  void answer_partner(const Context& c, SessionId from, std::uint64_t number, bool sent);
  // A client that is heard from there has shown that it hears us there.
  bool proves(const Sessions& sessions, const IpAddress& ip) const;

  dht::Dht& dht() { return dht_; }
  const dht::Dht& dht() const { return dht_; }
  const LeafRegistry& leaves() const { return leaves_; }
  const CircuitTable& circuits() const { return circuits_; }
  void relayed_beside(Time now, Wall wall, std::uint64_t bytes) {
    count_month(now, wall);
    circuits_.count_beside(bytes);
  }
  const Counters& counters() const { return counters_; }
  std::size_t client_count() const { return clients_.size(); }
  std::size_t standby_count() const { return line_.size(); }
  std::size_t memory_bytes() const {
    return clients_.memory_bytes() + clients_.size() * sizeof(Client) + leaves_.size() * (sizeof(Leaf) + 200) +
           circuits_.memory_bytes() + line_.memory_bytes();
  }

 private:
  struct Client {
    crypto::DeviceKey device;
    IpAddress from;
    float tokens = 2 * kQuestionsPerSecond;
    Time filled{};
    Time used{};
    unsigned pending = 0;
    bool attach_waits = false;  // until its address is proven
    bool supernode = false;     // by its descriptor
    bool standby = false;
    std::unique_ptr<dht::Id> place;  // of one that wants to attach
  };
  struct Pending {
    SessionId session{};
    std::uint64_t request = 0;
    dht::Id target;
    IpAddress from;
  };

  struct Probation {
    SessionId session{};
    crypto::DeviceCertificate certificate;
    IpAddress from;
    Time began{};
    bool over = false;
  };

  bool may_stay(const Context& c, SessionId session, const IpAddress& from, const ClientHello& hello);
  void judge_late(const Context& c);
  void count_month(Time now, Wall wall) { circuits_.handle_wall(now, wall, dht_.network_clock().by_median()); }
  void say(const Context& c, SessionId session, const control::Message& message);
  bool pay(const Context& c, Client& client) const;
  bool make_room(const Context& c, const IpAddress& newcomer);
  Client* client_of(SessionId session) const {
    const auto* at = clients_.find(session);
    return at == nullptr ? nullptr : at->get();
  }
  bool idle(SessionId session, const Client& client) const;
  // In the order in which they came.
  template <class Which>
  std::vector<SessionId> clients_where(Which which) const {
    std::vector<SessionId> out;
    clients_.each([&](SessionId session, const auto& client) {
      if (which(session, *client)) out.push_back(session);
    });
    std::sort(out.begin(), out.end());
    return out;
  }
  void drop_idle(const Context& c);
  void drop(const Context& c, SessionId session);
  bool may_walk(const Client& client) const;
  void count(std::map<ByteArray<7>, std::size_t>& in, const IpAddress& from, int by);
  void on_attach(const Context& c, SessionId session, Client& client);
  void offer_again(Time now);
  void on_standby(Time now, SessionId session, const Client& client);
  void look_for_another(const Context& c);
  void call_standby(const Context& c, bool few, bool many);
  void tell_crowded(const Context& c);
  void on_find_nodes(const Context& c, SessionId session, Client& client, const control::FindNodes& message);
  void on_find_records(const Context& c, SessionId session, Client& client, const control::FindRecords& message);
  void on_publish(const Context& c, SessionId session, Client& client, const control::Publish& message);
  void on_circuit_open(const Context& c, SessionId session, const control::CircuitOpen& message);
  void on_partner(const Context& c, SessionId session, const Client& client, const control::PartnerSend& order);
  void on_bridged(const Context& c, SessionId session, const control::CircuitOpen& message);
  void on_forward_open(const Context& c, SessionId session, const control::ForwardOpen& message);
  Bridges& make_bridges() {
    if (!bridges_) bridges_ = std::make_unique<Bridges>();
    return *bridges_;
  }
  std::optional<Bridges::Client> bridge_client(const Context& c, SessionId session) const;
  bool may_forward(const Context& c, const Endpoint& from, ByteView inner, crypto::PrefixLimiter& openings);
  void on_circuit_accept(const Context& c, SessionId session, const control::CircuitAccept& message);
  void on_circuit_show(const Context& c, SessionId session, const control::CircuitShow& message);
  void on_dial_ask(const Context& c, SessionId session, const Client& client, const control::DialAsk& message);
  void tell_closed(const Context& c, const std::vector<CircuitTable::Closed>& closed);
  std::vector<dht::Contact> with_self(const dht::Id& target, std::vector<dht::Contact> nodes) const;
  void wait(dht::LookupId lookup, SessionId session, Client& client, std::uint64_t request, const dht::Id& target);
  std::optional<Pending> take_pending(dht::LookupId lookup);

  dht::Dht dht_;
  LeafRegistry leaves_;
  CircuitTable circuits_;
  std::unique_ptr<Bridges> bridges_;  // since one was asked for
  DialDesk desk_;
  Fifo<DialWanted> dials_;
  std::vector<SessionId> bridges_left_;  // clients that went
  crypto::PrefixLimiter limiter_;
  crypto::PrefixLimiter openings_;
  crypto::PrefixLimiter bridged_openings_;
  FlatMap<SessionId, std::unique_ptr<Client>> clients_;
  std::map<ByteArray<7>, std::size_t> of_prefix_;  // clients at global addresses
  std::map<ByteArray<7>, std::size_t> walks_of_prefix_;
  FlatMap<dht::LookupId, Pending> pending_;
  std::vector<Probation> probations_;  // oldest first
  Fifo<PartnerWanted> partner_wanted_;
  StandbyLine line_;
  Time offer_again_at_{};
  Time turned_away_ = Time::min();  // a newcomer, for want of a place
  SessionId told_crowded_{};        // the latest of the leaves that were told
  bool retiring_ = false;
  std::vector<SessionId> to_tell_;  // leaves, that the role ends
  std::size_t tell_at_once_ = 0;
  Time sweep_at_ = kNever;
  Time clients_at_{};  // when a sweep next looks for idle ones: it reads all that is known of each
  Counters counters_;
};

}  // namespace linnet::overlay
