// One ICE agent for one pair of devices (RFC 8445, trickled per RFC 8838, consent per RFC 7675), sans-IO. It sends and
// hears STUN alone; what frames and voice travel on is the way that it names.
//
// The owner gives each socket and each circuit a number (Base), adds the candidates that it knows, hands over the
// datagrams for which owns() is true, and sends what comes out. The other side's credentials and candidates come by a
// sealed channel.
//
// Policy::once nominates as the RFC wants, toward foreign agents. Policy::move is for our own nodes: the controlling
// side says USE-CANDIDATE whenever a better pair is valid, the other follows the newest, and the next best valid pairs
// are kept alive as spares.
//
// TCP candidates (RFC 6544) are for foreign agents: the owner connects where event Connect says, closes where Close
// does, hands over the bytes of each connection and writes what comes out for its other end, which is framed; data it
// frames itself (write_frame). A connection that does not take what is written is for the owner to close.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/fifo.h"
#include "nat/ice_checks.h"
#include "nat/ice_streams.h"

namespace linnet::nat::ice {

enum class Policy : std::uint8_t { once, move };

struct AgentConfig {
  Role role = Role::controlled;
  Policy policy = Policy::move;
  Duration pace = std::chrono::milliseconds(50);  // Ta
  // The least, of a check on a way of unknown length. Toward foreign agents never below 500 ms (section 14.3).
  Duration rto = std::chrono::milliseconds(200);
  // Policy::once: after the first valid pair, for better ones. Twice as long for a relayed one.
  Duration patience = std::chrono::milliseconds(500);
  // No failure is declared before this (RFC 8863).
  Duration least_try = std::chrono::milliseconds(39'500);
};

// How to send to the other side.
struct Way {
  Base base = 0;
  Endpoint remote;
  bool relayed = false;

  bool operator==(const Way&) const = default;
};

namespace event {
struct LocalCandidate {  // tell the other side
  Candidate candidate;
};
struct GatheringDone {};
struct Valid {  // may be used from now on
  Way way;
  std::optional<Duration> rtt;
};
struct Selected {
  Way way;
};
struct Lost {  // no consent any more
  Way way;
};
struct Failed {};  // no pair is left: a restart, or nothing
struct Connect {   // from an active candidate of ours: connected() or closed() comes of it
  StreamName stream;
};
struct Close {  // nothing more is to be said of this connection, or of this attempt
  StreamName stream;
};
}  // namespace event
using Event = std::variant<event::LocalCandidate, event::GatheringDone, event::Valid, event::Selected, event::Lost,
                           event::Failed, event::Connect, event::Close>;

// What came on a connection beside STUN.
struct StreamPacket {
  StreamName stream;
  Bytes bytes;
};

class Agent {
 public:
  static constexpr Duration kConsent = std::chrono::seconds(30);
  static constexpr Duration kRefresh = std::chrono::seconds(5);        // of the selected pair, times 0.8 to 1.2
  static constexpr Duration kSpareRefresh = std::chrono::seconds(12);  // of spares
  static constexpr Duration kScantRefresh = std::chrono::seconds(20);  // of spares, where little is sent
  static constexpr std::size_t kSpares = 4;
  static constexpr Duration kRetry = std::chrono::seconds(30);  // Policy::move, while the path is relayed
  static constexpr Duration kScantRetry = 4 * kRetry;
  static constexpr std::size_t kRetried = 8;
  static constexpr int kMaxUnanswered = 5;  // checks on a pair that never answered
  static constexpr std::size_t kMaxEarly = 16;
  static constexpr Duration kStreamAnswer =
      std::chrono::milliseconds(39'500);                        // to one check (RFC 8489, section 6.2.2)
  static constexpr Duration kLosers = std::chrono::seconds(3);  // after a nomination; then they are closed
  static constexpr std::size_t kMaxPackets = 256;               // of StreamPackets that wait

  Agent(const AgentConfig& config, Rng& rng);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Candidates of this side; a link-local one with its scope, as the datagrams of its link have it. The preference
  // orders those of one type: 65,535 first.
  void add_host(Time now, Base base, const Endpoint& endpoint, std::uint16_t preference = 0xffff);
  // A socket that the other side is not told of: it is found by what it sends.
  void add_base(Time now, Base base, const Endpoint& endpoint);
  // Learned elsewhere, as in the session with a supernode, or by a port mapping.
  void add_reflexive(Time now, Base base, const Endpoint& mapped, const Endpoint& server);
  void add_mapped(Time now, Base base, const Endpoint& mapped);
  void add_relayed(Time now, Base base, const Endpoint& relayed, const Endpoint& server);
  // `circuit` is not 0 and is what both ends call it; `base` stands for it alone. Its datagrams come from, and go to,
  // circuit_endpoint().
  void add_circuit(Time now, Base base, std::uint64_t circuit, std::uint16_t preference = 0xffff);
  // TCP: what connects from this address to the other side, and a port that listens. Each has a base for itself alone.
  void add_active(Time now, Base base, const IpAddress& address, std::uint16_t preference = 0xffff);
  void add_passive(Time now, Base base, const Endpoint& listening, std::uint16_t preference = 0xffff);
  // Asks a STUN server from this base; what is learned is added.
  void gather(Time now, Base base, const Endpoint& server);
  // Nothing more is going to be added but what is being asked for.
  void end_of_local(Time now);

  const Credentials& credentials() const { return mine_; }
  // Fault::malformed.
  Status set_remote(Time now, const Credentials& theirs);
  // Fault::full. The candidate's own priority and foundation are the other side's.
  Status add_remote(Time now, const Candidate& candidate);
  void end_of_remote(Time now);
  // New credentials, no candidates; the selected way stays until another is (RFC 8445, section 9).
  void restart(Time now);

  // A request with our ufrag, or an answer to what we asked.
  bool owns(const stun::Message& message) const;
  void handle(Time now, Base base, const Endpoint& from, const stun::Message& message);
  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<Outgoing> poll_transmit();
  std::optional<Event> poll_event();

  // Of the connections: what Connect asked for stands; somebody connected to a passive candidate; one is over, or never
  // came to be; bytes, as they come.
  void connected(Time now, const StreamName& stream);
  void accepted(Time now, const StreamName& stream);
  void closed(Time now, const StreamName& stream);
  void receive(Time now, const StreamName& stream, ByteView bytes);
  // To be taken after each receive().
  std::optional<StreamPacket> poll_packet();

  // A check of no pair, to be sent wherever the other side may hear it (nat/birthday.h): it answers with one of its
  // own. Nothing before the other side's credentials are there.
  std::optional<Bytes> loose_check();
  // A request that the other side made for this agent, by its integrity.
  bool authentic(const stun::Message& request) const;

  // Voice stopped, say: asks on every valid pair at once, and moves to one that answers if the selected one does not.
  void suspect(Time now);

  // Policy::move alone: little is sent from now on. Two spares at most are asked, and none of the pairs on which the
  // other end proves itself by other means, as by voice that is authenticated.
  void set_scant(Time now, bool scant);
  void heard_otherwise(Time now, PairId id);

  Role role() const { return config_.role; }
  std::optional<Way> selected() const;
  // The selected one, or before that the best valid one.
  std::optional<Way> way() const;
  const CheckList& pairs() const { return list_; }
  const Candidates& local() const { return local_; }
  const Candidates& remote() const { return remote_; }
  const Streams& streams() const { return streams_; }

 private:
  struct Previous {  // the path of before a restart
    Credentials mine;
    Credentials theirs;
    Way way;
    Time heard{};
    Time refresh{};
  };
  struct Early {  // a check that came before the other side's credentials
    Base base = 0;
    Endpoint from;
    Check check;
  };

  void add_local(Time now, Candidate candidate, const std::optional<IpAddress>& server, bool tell = true);
  void add_tcp(Time now, Base base, const Endpoint& endpoint, TcpType tcp, std::uint16_t preference);
  void pair_local(std::size_t local);
  void pair_remote(std::size_t remote);
  std::uint64_t circuit_of(Base base) const;
  std::optional<std::size_t> local_for(Base base, const Endpoint& remote) const;

  void remember_early(Base base, const Endpoint& from, const Check& check);
  void on_request(Time now, Base base, const Endpoint& from, const stun::Message& request);
  bool settle_roles(const Check& check);
  void on_check(Time now, Base base, const Endpoint& from, const Check& check);
  Pair* pair_of_check(Base base, const Endpoint& from, const Check& check);
  std::optional<std::size_t> learn_remote(Candidate theirs);

  void on_answer(Time now, Base base, const Endpoint& from, const stun::Message& message);
  void on_success(Time now, const Waiting& waiting, const Endpoint& mapped);
  void on_error(const Waiting& waiting, stun::ErrorCode code);
  void on_given_up(const Waiting& waiting);

  void check_one(Time now);
  void send_check(Time now, Pair& pair, Purpose purpose);
  void refresh(Time now);
  void retry(Time now);
  void refresh_previous(Time now);
  void expire(Time now);
  void end_doubt(Time now);
  Duration jittered(Duration d);

  // ice_agent_streams.cpp
  Outgoing outgoing(Base base, const Endpoint& to, Bytes bytes) const;
  bool stream_is_open(Time now, Pair& pair);
  bool on_frame(Time now, const StreamName& name, ByteView frame);
  enum class Use : std::uint8_t { none, waits, stands };
  Use use_of(const Stream& stream) const;
  void close(const StreamName& name);
  void give_up(Time now, const StreamName& name);
  void forget(Time now, const StreamName& name);
  void sweep_streams(Time now);

  void nominate(Time now);
  bool nominating() const;
  bool outdated(const Pair& pair) const;
  Duration slowest() const;
  Time nominate_at() const;
  bool better(const Pair& a, const Pair& b) const;
  Pair* best_valid(Time heard_since = Time::min());
  void select(Time now, Pair& pair);
  void lose(Pair& pair);
  void fall_back(Time now, Time heard_since = Time::min());
  void change_role(Role role);
  void settle(Time now);
  Time fail_at() const;
  void see_failure(Time now);
  Way way_of(const Pair& pair) const;
  Duration rto_of(const Pair& pair) const;
  Duration usual_rto(const Pair& pair) const;

  AgentConfig config_;
  Rng& rng_;
  std::uint64_t tie_breaker_;
  Credentials mine_;
  std::optional<Credentials> theirs_;
  Candidates local_;
  Candidates remote_;
  CheckList list_{local_, remote_};
  Gatherer gatherer_;
  Checks checks_;
  Streams streams_;
  Fifo<StreamPacket> packets_;
  std::vector<Early> early_;
  std::optional<PairId> selected_;
  std::optional<Previous> previous_;
  Time next_check_ = Time::min();  // no check before that
  Time first_valid_ = kNever;
  Time retry_at_ = kNever;
  bool scant_ = false;
  Time doubt_since_ = kNever;
  Time doubt_until_ = kNever;
  Time started_ = kNever;
  Time losers_until_ = kNever;  // Policy::once, since the nomination
  bool concluded_ = false;      // they are closed
  bool local_done_ = false;
  bool gathered_ = false;
  bool remote_done_ = false;
  bool failed_ = false;
  std::vector<Outgoing> out_;
  Fifo<Event> events_;
};

}  // namespace linnet::nat::ice
