// The ICE agent of one link, joined to its session: circuits and, once our endpoints may be known, addresses go in as
// candidates; what the agent finds is offered to the session, which proves each way by its own challenge before frames
// and voice go there. The end that began the link controls.
#pragma once

#include <vector>

#include "nat/ice_agent.h"
#include "node/port_search.h"
#include "overlay/peer.h"

namespace linnet::node {

// A port of ours that a router passes on to us.
struct MappedPort {
  Endpoint internal;
  Endpoint external;

  bool operator==(const MappedPort&) const = default;
};

// What an agent needs of the others.
struct TraversalRooms {
  Time now{};
  Rng& rng;
  overlay::Peer& peer;
  const std::vector<Endpoint>& listen;
};

// What the TURN server of our settings has given us.
struct TurnPlace {
  std::vector<Endpoint> relayed;  // one of each family at most
  Endpoint server;

  bool operator==(const TurnPlace&) const = default;
};

// What all agents of a node know of where it is.
struct Whereabouts {
  std::optional<TurnPlace> turn;
  std::vector<MappedPort> mapped;
  std::vector<Endpoint> outdated;  // seen by supernodes before our addresses changed
  NatKind kind = NatKind::unknown;
};

// From one of the sockets of a search; the first is 0.
struct FanShot {
  std::size_t socket = 0;
  Transmit datagram;
};

class LinkAgent {
 public:
  static constexpr nat::ice::Base kFirstCircuit = 0x10000;  // below: sockets, as Endpoint names them
  static constexpr std::size_t kServers = 3;                // asked where they see us
  static constexpr double kRestarts = 8;                    // that the other end may ask for at once
  static constexpr Duration kRestartEvery = std::chrono::seconds(10);

  LinkAgent(const TraversalRooms& rooms, overlay::SessionId link, bool initiator);

  // The other end may learn where we are.
  void show(const TraversalRooms& rooms, const Whereabouts& where);
  bool shown() const { return shown_; }
  void add_circuit(const TraversalRooms& rooms, const overlay::Path& path);
  void lose_circuit(const overlay::Path& path);
  // Supernodes or routers told something new.
  void learn(const TraversalRooms& rooms, const Whereabouts& where);
  // Our addresses are others now.
  void restart(const TraversalRooms& rooms, const Whereabouts& where);
  void on_message(const TraversalRooms& rooms, const Whereabouts& where, const CandidatesMessage& message);
  void on_moved(Time now, const overlay::Path& from, const overlay::Path& to);
  // Voice stopped.
  void suspect(Time now) { agent_.suspect(now); }

  bool owns(const nat::stun::Message& message) const { return agent_.owns(message); }
  void handle(const TraversalRooms& rooms, const Endpoint& from, const nat::stun::Message& message);
  void handle_on_circuit(Time now, const overlay::Path& path, const nat::stun::Message& message);
  void handle_timeout(const TraversalRooms& rooms);
  Time next_timeout() const;
  // Carries on what the agent decided; true when anything came of it.
  bool settle(const TraversalRooms& rooms, const Whereabouts& where, Fifo<Transmit>& out);

  // Few questions from now on, or as many as ever.
  void set_scant(Time now, bool scant) { agent_.set_scant(now, scant); }
  // Voice of the other end came this way.
  void heard(Time now, const overlay::Path& by);
  // A call has its voice on this link.
  void talk(bool talking) { talking_ = talking; }
  // A supernode sees the other end there.
  void on_seen(const TraversalRooms& rooms, const overlay::LinkSeen& seen);
  // Looks for a port of a symmetric NAT where that may help; true when anything came of it.
  bool look_for_ports(const TraversalRooms& rooms, const Whereabouts& where, SearchBudget& budget,
                      Fifo<FanShot>& of_fan, Fifo<Transmit>& out);
  PortSearch& search() { return search_; }
  // Sockets that searches left, and this link may use.
  const std::vector<std::uint8_t>& adopted() const { return adopted_; }

  const nat::ice::Agent& agent() const { return agent_; }
  overlay::Path path_of(const nat::ice::Way& way) const;
  NatKind their_kind() const { return their_kind_; }
  bool they_show() const { return they_show_; }

 private:
  struct Circuit {
    nat::ice::Base base = 0;
    overlay::Path path;
    bool up = false;
  };

  void begin(const TraversalRooms& rooms, const Whereabouts& where, std::uint64_t generation);
  void add_addresses(const TraversalRooms& rooms, const Whereabouts& where);
  bool may_restart(Time now);
  void on_event(const TraversalRooms& rooms, const nat::ice::Event& event);
  void choose(const TraversalRooms& rooms, const nat::ice::Way& way);
  void hear_of_relay(const TraversalRooms& rooms, const Endpoint& relayed);
  void keep_to_it(const TraversalRooms& rooms);
  void say(const TraversalRooms& rooms, NatKind kind);
  void transmit(const TraversalRooms& rooms, nat::ice::Outgoing out, Fifo<Transmit>& to);
  Circuit* circuit(std::uint64_t id);
  const Circuit* circuit_for_search() const;
  SearchFacts facts(const TraversalRooms& rooms, const Whereabouts& where) const;

  overlay::SessionId link_{};
  bool initiator_ = false;
  nat::ice::Agent agent_;
  bool shown_ = false;
  bool they_show_ = false;
  std::uint64_t generation_ = 0;
  bool to_say_ = false;
  NatKind their_kind_ = NatKind::unknown;
  NatKind said_kind_ = NatKind::unknown;
  nat::ice::Credentials theirs_;
  std::vector<Circuit> circuits_;
  std::vector<nat::ice::Candidate> new_;  // not said yet
  double restarts_ = kRestarts;
  Time restarts_at_{};
  Time keep_at_ = kNever;  // the session is elsewhere than the agent wants: asked again then
  Duration keep_after_{};
  bool talking_ = false;
  PortSearch search_;
  std::optional<SearchAsk> asked_;  // by the other end, not looked at yet
  std::vector<std::uint8_t> adopted_;
};

}  // namespace linnet::node
