// Finds the ways of calls: one ICE agent for each link (node/link_agent.h), and what a node knows of its NAT.
#pragma once

#include <map>
#include <string>
#include <utility>

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
  void on_down(overlay::SessionId link);
  void on_circuit(const TraversalRooms& rooms, const overlay::LinkCircuit& circuit);
  void on_message(const TraversalRooms& rooms, const overlay::LinkMessage& message);
  void on_stun(const TraversalRooms& rooms, const overlay::LinkStun& stun);
  void on_moved(Time now, const overlay::LinkPath& moved);
  void on_silence(Time now, overlay::SessionId link);
  void on_seen(const TraversalRooms& rooms, const overlay::LinkSeen& seen);
  void supernodes_changed(const TraversalRooms& rooms);
  // From the driver.
  void addresses_changed(const TraversalRooms& rooms);
  // All there are now.
  void on_mappings(const TraversalRooms& rooms, std::vector<MappedPort> mapped);
  // Nothing: the TURN server gives us no address (any more).
  void on_turn(const TraversalRooms& rooms, std::optional<TurnPlace> place);
  const std::optional<TurnPlace>& turn() const { return where_.turn; }

  // The line has no room for many questions; voice that proved to be the peer's stands for an answer then.
  void set_scant(Time now, overlay::SessionId link, bool scant);
  void heard(Time now, overlay::SessionId link, const overlay::Path& by);
  // A call has its voice on this link, or no more.
  void talk(overlay::SessionId link, bool talking);

  // Searches behind a symmetric NAT (node/port_search.h) send from sockets of their own, a fan of them: what the driver
  // is to do, what it has done, what leaves by them.
  enum class FanWish : std::uint8_t { open, close };
  std::optional<FanWish> poll_fan_wish() { return std::exchange(fan_wish_, std::nullopt); }
  void fan_opened(const TraversalRooms& rooms, std::size_t sockets);
  // True: the other end has found this socket. It becomes one of ours, by a number from kFirstAdopted on, and what came
  // goes the usual way.
  bool fan_heard(const TraversalRooms& rooms, std::size_t socket, const nat::stun::Message& message);
  std::optional<FanShot> poll_fan();
  // An adopted socket that nobody needs any more.
  std::optional<std::uint8_t> poll_unneeded();

  // From now on the other end may learn our endpoints.
  void show(const TraversalRooms& rooms, overlay::SessionId link);
  // True when this STUN message, which came straight from an address, is one of our agents'. Where a link is not shown,
  // nobody answers.
  bool take(const TraversalRooms& rooms, const Endpoint& from, const nat::stun::Message& message);
  void handle_timeout(const TraversalRooms& rooms);
  Time next_timeout() const;
  // Carries on what the agents decided; true when anything came of it.
  bool settle(const TraversalRooms& rooms);
  bool settle(const TraversalRooms& rooms, overlay::SessionId link);  // of that one alone
  std::optional<Transmit> poll_transmit();

  NatKind kind() const { return where_.kind; }
  // Why the link is relayed; empty: nobody knows yet.
  std::string why_relayed(overlay::SessionId link) const;
  std::optional<PathView> view(overlay::SessionId link) const;

 private:
  LinkAgent* find(overlay::SessionId link);
  bool settle(const TraversalRooms& rooms, overlay::SessionId link, LinkAgent& agent);
  void look_at_nat(const TraversalRooms& rooms);
  void close_fan();

  std::map<overlay::SessionId, LinkAgent> links_;
  Whereabouts where_;
  Fifo<Transmit> out_;
  SearchBudget budget_;
  std::optional<overlay::SessionId> fan_;  // whose it is
  std::optional<FanWish> fan_wish_;
  Fifo<FanShot> fan_out_;
  Fifo<std::uint8_t> unneeded_;
};

std::string_view to_string(NatKind kind);

}  // namespace linnet::node
