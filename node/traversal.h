// Finds the ways of calls: one ICE agent for each link (node/link_agent.h), and what a node knows of its NAT.
#pragma once

#include <map>
#include <string>

#include "node/link_agent.h"

namespace linnet::node {

// What an agent has found, for people and tools: doctor, `call --explain`.
struct PathView {
  struct Pair {
    nat::ice::Candidate local;
    nat::ice::Candidate remote;
    nat::ice::State state{};
    bool selected = false;
    std::optional<Duration> rtt;
  };
  std::vector<nat::ice::Candidate> local;
  std::vector<nat::ice::Candidate> remote;
  std::vector<Pair> pairs;
  NatKind mine = NatKind::unknown;
  NatKind theirs = NatKind::unknown;
};

class Traversal {
 public:
  static constexpr std::size_t kMaxMapped = 8;

  // From the overlay.
  void on_up(const TraversalRooms& rooms, const overlay::LinkUp& up);
  void on_down(overlay::SessionId link) { links_.erase(link); }
  void on_circuit(const TraversalRooms& rooms, const overlay::LinkCircuit& circuit);
  void on_message(const TraversalRooms& rooms, const overlay::LinkMessage& message);
  void on_stun(const TraversalRooms& rooms, const overlay::LinkStun& stun);
  void on_moved(Time now, const overlay::LinkPath& moved);
  void on_silence(Time now, overlay::SessionId link);
  void supernodes_changed(const TraversalRooms& rooms);
  // From the driver.
  void addresses_changed(const TraversalRooms& rooms);
  // All there are now.
  void on_mappings(const TraversalRooms& rooms, std::vector<MappedPort> mapped);

  // From now on the other end may learn our endpoints.
  void show(const TraversalRooms& rooms, overlay::SessionId link);
  // True when this STUN message, which came straight from an address, is one of our agents'. Where a link is not shown,
  // nobody answers.
  bool take(const TraversalRooms& rooms, const Endpoint& from, const nat::stun::Message& message);
  void handle_timeout(const TraversalRooms& rooms);
  Time next_timeout() const;
  // Carries on what the agents decided; true when anything came of it.
  bool settle(const TraversalRooms& rooms);
  std::optional<Transmit> poll_transmit();

  NatKind kind() const { return where_.kind; }
  // Why the link is relayed; empty: nobody knows yet.
  std::string why_relayed(overlay::SessionId link) const;
  std::optional<PathView> view(overlay::SessionId link) const;

 private:
  LinkAgent* find(overlay::SessionId link);
  void look_at_nat(const TraversalRooms& rooms);

  std::map<overlay::SessionId, LinkAgent> links_;
  Whereabouts where_;
  Fifo<Transmit> out_;
};

std::string_view to_string(NatKind kind);

}  // namespace linnet::node
