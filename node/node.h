// Linnet without I/O: the overlay peer, SIP, media and people joined. node/io drives it on a machine, sim/ in a virtual
// world.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/machine.h"
#include "base/rng.h"
#include "crypto/identity.h"
#include "nat/binding_life.h"
#include "node/conference_view.h"
#include "node/config.h"
#include "node/event.h"
#include "node/nat_facts.h"
#include "node/traversal.h"

namespace linnet::node {

struct NodeStatus {
  overlay::State state{};
  overlay::Role role{};
  crypto::Address uri;
  crypto::Address key_name;
  std::vector<Endpoint> listen;
  std::vector<overlay::SupernodeInfo> supernodes;
  std::optional<std::chrono::seconds> clock_ahead;  // of the supernodes' clocks; nothing before one has spoken
  std::size_t clock_voices = 0;                     // how many have
  unsigned udp_probes = 0;                          // Peer::udp_probes
  unsigned udp_answers = 0;
  std::optional<overlay::RelayStatus> relay;  // of a supernode
  NatType nat = NatType::unknown;
  std::optional<Probed> network;                   // the last run that looked at the NAT
  std::optional<nat::BindingLife::Found> binding;  // what is known of the life of our NAT's mappings
  Duration keepalive{};                            // how often supernodes hear of us at the least
  std::vector<OpenPort> mapped;
  std::optional<overlay::StandbyReport> standby;  // of a node that may be promoted
  std::optional<Endpoint> place;                  // of a supernode: where it tells others that it is
  std::string place_why;                          // and why there
  std::string why;                                // it is not online; empty: it is
  std::optional<Duration> joined_in;              // from start() until the node was first online
  std::vector<CallView> calls;                    // conferences among them, each as one
  std::vector<ConferenceView> conferences;
  std::vector<RoomView> rooms;  // with an address, that this device keeps
};

class Node {
 public:
  using Event = node::Event;

  // Suite and rng outlive the node. Memory is what earlier runs stored.
  Node(NodeConfig config, const crypto::Suite& suite, Rng& rng, crypto::Identity identity, overlay::HostCache cache,
       Memory memory);
  ~Node();

  void start(Time now, Wall wall);
  void handle_wall(Time now, Wall wall);  // about once a second
  void handle_datagram(Time now, const Datagram& datagram);
  // Before handle_datagram: what only passes through here (overlay::Peer::forward).
  std::optional<overlay::Forward> forward(Time now, const Endpoint& from, MutableBytes packet);
  // From the driver: who announces itself on our links, and our addresses when they changed.
  void handle_neighbour(Time now, const overlay::Neighbour& neighbour);
  void neighbour_lost(Time now, const overlay::Neighbour& neighbour);
  void handle_addresses(Time now, std::vector<Endpoint> listen);
  // All that routers have open for us now. Those through which somebody came in are told to others.
  void handle_mappings(Time now, std::vector<OpenPort> open);
  // Under `relay = auto`: what this node would be as a supernode (node/fitness.h). Nothing: not fit, or no more.
  void set_fit(Time now, std::optional<overlay::Fit> fit);
  // Serves others from now on, fit or not: its owner wants that. set_fit() with nothing ends it.
  void serve(Time now);
  // Whether it may answer for its own links while it finds no supernode (overlay::LanMode).
  void serve_own_links(Time now, bool may);
  // Nobody is called without need (overlay::Peer::spare_strangers).
  void spare_strangers(bool spare);
  // A supernode opened a second port after its start, or closed it: all sockets there are, in the order of
  // Endpoint::socket.
  void set_one_address(Time now, std::vector<Endpoint> sockets, const std::optional<OneAddress>& one_address);
  // Asks that supernode to bring `nonce` to our TCP port (nat/dial_back.h).
  void ask_dial(Time now, const Endpoint& supernode, const overlay::control::DialNonce& nonce, std::uint16_t port);
  // What the TURN server of the settings gives us now. Who is heard through it has the socket overlay::kByTurn.
  void set_turn(Time now, std::optional<TurnPlace> place);
  // Where the driver takes streams of people in calls, though this is no supernode (node/streams.h).
  void set_streams(std::vector<Endpoint> taken);
  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<Transmit> poll_transmit();
  std::optional<Event> poll_event();

  // After event OpenFan: how many sockets there are (none: it cannot be), what leaves by them, and what comes in. True:
  // the socket is to be kept beside the others, under a number from kFirstAdopted on (node/sockets.h), and
  // handle_datagram() called with what came.
  void fan_opened(Time now, std::size_t sockets);
  std::optional<FanShot> poll_fan();
  bool fan_heard(Time now, std::size_t socket, const Datagram& datagram);

  // After event ProbeNat, or when a person asks: whom to ask what our NAT does, and what came of it.
  std::vector<Endpoint> stun_servers() const;
  void probed(Time now, Probed found);
  void binding_found(Time now, const nat::BindingLife::Found& found);

  // The driver relayed so much by TURN: it counts into the month (NodeStatus::relay), as what circuits carry.
  void relayed_beside(Time now, std::uint64_t bytes);

  // The driver stored what SaveSequence asked for.
  void sequence_stored(Time now, std::uint64_t below);

  void command(Time now, CommandId id, const Command& command);
  // What may change while it runs (reconfigure.cpp): how calls are made and answered from now on.
  void reconfigure(const NodeConfig& config);
  void set_bootstrap(std::vector<Endpoint> endpoints);

  // Sound of a call between AudioStart and AudioStop: 48 kHz mono, any number of samples, at the device's pace.
  void capture(Time now, CallId call, std::span<const std::int16_t> samples);
  // What the capture() before, of so many samples, cost on the driver's clock.
  void capture_took(CallId call, Duration cost, std::size_t samples);
  // Returns the index of the first sample at or after play_start (media/session.h): a recorder starts there.
  std::size_t play(Time now, CallId call, std::span<std::int16_t> samples);

  // What the person hears in this call is being recorded: in a conference all others see that.
  void set_recording(Time now, CallId call, bool on);
  // After event MeasureMixer, and when it changed: what this machine is good for in conferences.
  void set_conference_means(Time now, const ConferenceMeans& means);
  // How many frames of conferences were mixed, ever. When handle_timeout() mixed some, conference_took() is to be told
  // once their packets have been sent: how long ago handle_timeout() began. By that the mixer sheds work before members
  // hear holes (node/conference_deadline.h); where it is never told, it sheds none.
  std::uint64_t conference_frames() const;
  void conference_took(Time now, Duration took);
  // When the next frame is to be mixed; kNever while we mix for nobody.
  Time conference_due() const;

  NodeStatus status(Time now) const;
  std::optional<CallView> call(Time now, CallId id) const;
  // Of the room with that address, if it was founded by this account: nobody else knows them.
  std::optional<std::vector<KeeperView>> keepers(const std::string& room) const;
  // What was found between us and the other end of a link.
  std::optional<PathView> link_paths(overlay::SessionId link) const;
  const overlay::HostCache& host_cache() const;
  const overlay::Peer& peer() const;
  const Memory& memory() const;
  std::vector<StoredRoom> kept_rooms() const;
  const crypto::Identity& identity() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::node
