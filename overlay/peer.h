// A complete overlay node without telephony: sessions, DHT, homes and anchor, forwarding and circuits, supernode role.
// The simulator runs ten thousand of these; node::Node builds a telephone on one.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/machine.h"
#include "base/rng.h"
#include "crypto/identity.h"
#include "dht/dht.h"
#include "overlay/forwarding.h"
#include "overlay/host_cache.h"
#include "overlay/neighbour.h"
#include "overlay/peer_event.h"

namespace linnet::overlay {

// Finding neighbours: `serve` also serves our own links while no supernode is there, `listen` never serves.
enum class LanMode : std::uint8_t { off, listen, serve };

struct PeerConfig {
  crypto::NetworkId network;
  std::optional<crypto::Secret> psk;
  dht::Codec* codec = nullptr;   // of the DHT's round trips; null: the shipped one. Outlives the peer
  Role role = Role::leaf;        // --relay on: supernode; off: leaf
  bool promotable = false;       // --relay auto: a leaf that may be promoted (Peer::set_fit)
  std::vector<Endpoint> listen;  // what the driver bound; a supernode describes itself by the first routable one, or
                                 // by one that a router opened for it (Peer::set_outside)
  std::uint16_t port = 0;        // of the sockets that every link reaches, for those who hear us there
  LanMode lan = LanMode::off;
  std::vector<Endpoint> bootstrap;   // bare addresses: Noise XX
  std::uint64_t first_sequence = 1;  // record sequences start here: the driver stored a higher one than any used before
  std::vector<dht::Floor> floors;    // what FloorRaised told before
  bool report_floors = false;        // the driver stores them
  bool tcp = false;                  // the driver has TCP, and TLS: tried when UDP brings no answer
  bool proxy = false;                // the driver has a proxy for streams
  std::uint16_t second_port = 0;     // of a supernode with one address, beside that of `listen`: for partner.h; 0: none
  std::size_t homes = 3;
  std::size_t max_leaves = 10'000;
  std::size_t leaves_wanted = 80;  // of a supernode: with more it calls a standby (standby_line.h)
  std::size_t max_circuits = 10'000;
  std::uint64_t circuit_bits_per_second = 128'000;  // and the others: CircuitLimits
  std::uint64_t peer_bits_per_second = 0;
  std::uint64_t prefix_bits_per_second = 0;
  std::optional<std::uint64_t> month_bytes;
  RelayedMonth relayed;  // what Relayed told last
  Duration lookup_timeout = std::chrono::seconds(5);
  Duration connect_timeout = std::chrono::seconds(10);
  std::chrono::seconds record_life{3600};  // published anew after a third of it
  std::size_t replicas = 6;                // of a supernode: copies that it makes of a record (dht::Config), at least 1
  std::size_t salted_replicas = 3;         // and at its salted root; 0: none
};

struct SupernodeInfo {
  Endpoint endpoint;  // with the transport on which its session goes
  Endpoint way;       // where its session goes: another port where the transport is one of convention (ways.h)
  crypto::SessionKey session;
  bool home = false;
  bool anchor = false;
  bool attached = false;
  std::optional<Duration> rtt;
  std::optional<Endpoint> observed;  // our endpoint as it sees it
  bool full = false;                 // it answers, and has no place for us
};

// What a link has tried and come to.
struct LinkReport {
  std::optional<Path> current;
  std::vector<Path> proven;
  std::vector<CircuitTry> circuits;  // asked for by us
};

// What a node would be as a supernode, as whoever drives it has measured and proven.
struct Fit {
  Endpoint place;            // where others reach it
  std::uint32_t leaves = 0;  // so many it could serve; 0: it is not fit

  bool operator==(const Fit&) const = default;
};

// How a node that may be promoted stands (PeerConfig::promotable).
struct StandbyReport {
  bool offered = false;              // it is fit, and says so
  std::size_t at = 0;                // to so many supernodes, which answer for it
  std::optional<Time> called;        // by one of them, the latest
  std::optional<Time> serves_since;  // promoted, and not demoted since
  bool handing_over = false;         // about to be a leaf again
  std::optional<Time> rests_until;   // after a demotion: before it is not offered again
};

// Under the name of another account, which certified this device: a room's, whose keeper it is.
struct AlsoKnown {
  crypto::DeviceCertificate certificate;
  std::chrono::seconds life{600};  // of its records: who goes without a word is not looked for longer

  bool operator==(const AlsoKnown& other) const { return certificate.signature == other.certificate.signature; }
};

// Where a supernode is to be found, and by which key it is known.
struct SupernodeAddress {
  Endpoint endpoint;
  crypto::SessionKey session;
};

class Peer {
 public:
  using Event = PeerEvent;

  // Suite, rng and identity outlive the peer.
  Peer(PeerConfig config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity, HostCache cache);
  ~Peer();

  // `wall`: our own clock.
  void start(Time now, Wall wall);
  void handle_wall(Time now, Wall wall);
  void handle_datagram(Time now, const Datagram& datagram);
  // Before handle_datagram: a packet of a circuit that stands here goes on from where it lies. Allocates nothing.
  // Nothing: it is for handle_datagram.
  std::optional<Forward> forward(Time now, const Endpoint& from, MutableBytes packet);
  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<Transmit> poll_transmit();
  std::optional<Event> poll_event();
  bool has_events() const;

  // From the driver: who announces itself on our links, and our addresses when they changed.
  void handle_neighbour(Time now, const Neighbour& neighbour);
  void neighbour_lost(Time now, const Neighbour& neighbour);
  // It answered us, with the key that it announces.
  bool met(const LanText& neighbour) const;
  void handle_addresses(Time now, std::vector<Endpoint> listen);
  // What we have to announce on our links; nothing: nothing.
  std::optional<LanText> lan_text() const;
  // A router leads this endpoint to us, as was proven: a supernode without a global IPv4 address of its own is known by
  // it from now on. Nothing: there is none any more.
  void set_outside(Time now, std::optional<Endpoint> outside);
  // One that may be promoted: what it would be as a supernode. Nothing: it is not fit (any more); who was promoted
  // gives the role up, handing over first. RoleChanged tells.
  void set_fit(Time now, std::optional<Fit> fit);
  // Nothing: it may not be promoted.
  std::optional<StandbyReport> standby() const;
  // Of a node that may be promoted: serves others from now on, whether it was found fit and one is needed or not.
  // set_fit() with nothing ends it, and the role of a supernode by its settings as well.
  void serve(Time now);
  // Whether it may serve its own links while it finds no supernode (LanMode::serve, listen); its owner's word. Not
  // where PeerConfig::lan is off.
  void serve_own_links(Time now, bool may);
  // While set nobody is asked without need whether it is there (feelers.h): a supernode that was never called by us can
  // show that anybody comes in here.
  void spare_strangers(bool spare);
  // A supernode with one address opened it a second port (PeerConfig::second_port) after its start.
  void set_second_port(Time now, std::uint16_t port);
  // Asks the supernode that is there to dial our TCP port (control::DialAsk); a session is made for it where none
  // stands.
  void ask_dial(Time now, const Endpoint& supernode, const control::DialAsk& ask);
  // The driver stored the last SequenceUsed: the sequences below may be used from now on.
  void sequence_stored(Time now, std::uint64_t below);
  // The identity was certified anew: everybody who is told who we are is told again, by new records.
  void identity_changed(Time now);
  // Who looks that name up is told, until withdraw(), that we are there, and by which key name
  // (dht::RecordBody::keeper).
  void publish_also(Time now, const crypto::Address& address, const AlsoKnown& as);
  void withdraw(Time now, const crypto::Address& address);
  // Supernodes that somebody told us of (an invitation): asked now, and again while nobody else answers.
  void join_through(Time now, const std::vector<SupernodeAddress>& supernodes);

  // Looks the name up through this node's supernodes (or its own DHT). `cold` bypasses the record cache.
  Result<FindId> find(Time now, const crypto::Address& address, std::optional<crypto::AccountKey> pinned, bool cold);
  // A link to one device that was found; an existing one is reused unless `cold` (LinkUp comes either way).
  Result<SessionId> connect(Time now, const crypto::Address& address, const FoundDevice& device, bool cold);
  Status send(Time now, SessionId link, Channel channel, Bytes message);
  // On the best proven path; dropped when there is none. Voice stays outside the session: it is SRTP.
  void send_voice(Time now, SessionId link, ByteView packet);
  // Protect mode. The peer's voice does not come as it should: asks it to send two ways at once for so long. Urgent,
  // when none comes: ours goes two ways as well, and paths that do not answer are lost soon.
  void ask_both(Time now, SessionId link, Duration lease, bool urgent);
  // Our own sending is limited by what the path carries: twice as much would harm, whatever the peer asks for.
  void set_room(Time now, SessionId link, Room room);
  // Our voice goes two ways now.
  bool goes_both(Time now, SessionId link) const;
  // From now on the link takes packets that come straight from an address: the peer may learn where we are. Never
  // before the person answered a stranger.
  void show_endpoints(Time now, SessionId link);
  // Challenges this way to the peer. `use`: the frames, and the voice, go there as soon as it is proven and while it
  // answers; of the end that began the link, the other follows.
  void offer_path(Time now, SessionId link, const Path& path, bool use);
  void drop_path(Time now, SessionId link, const Path& path);
  // The peer names this endpoint as a relayed one: what goes that way is a path of kind turn.
  void note_relay(SessionId link, const Endpoint& endpoint);
  // By a circuit of this link, beside its frames; dropped when the link has none of that number.
  void send_on_circuit(Time now, SessionId link, const Path& circuit, ByteView bytes);
  // Lets the supernode of this circuit tell the other end where it sees us (LinkSeen there). Only of a link that is
  // shown.
  void show_on_circuit(Time now, SessionId link, const Path& circuit);
  // Asks on every path of the link that is proven: LinkAnswered for each that answers.
  void ping(Time now, SessionId link);
  std::optional<LinkReport> report(SessionId link) const;
  // Where a device is heard on our own links, by its session key; empty: not there. Nothing: nobody listens there.
  std::optional<std::vector<Endpoint>> on_lan(const crypto::SessionKey& key) const;
  std::size_t neighbour_count() const;  // heard on our own links
  // A call stands on this link: drop_caches leaves it alone, however quiet it is, and its circuits are looked after.
  void keep(Time now, SessionId link, bool kept);
  void close(Time now, SessionId link);
  // How often supernodes are to hear of us (the usual 25 s where it was never said), clamped to
  // control::kLeastKeepalive and kMostKeepalive; links to people at the least as often as usual.
  void set_keepalive(Time now, Duration every);
  // Says good-bye to links and homes. Records are withdrawn, which is said again until it is confirmed, for a second at
  // most: until left(), datagrams and the clock go in and transmits come out as before.
  void leave(Time now);
  bool left() const;
  // Addresses to join through from now on: names are looked up again while a node is alone.
  void set_bootstrap(std::vector<Endpoint> endpoints);
  void drop_caches(Time now);  // --cold: cached records and idle links

  // What time it is for records and certificates (dht/network_clock.h).
  Wall wall(Time now) const;
  const dht::NetworkClock& network_clock() const;

  State state() const;
  Role role() const;  // a supernode that hands over is one still
  // Where a supernode tells others that it is. Nothing: it is a leaf, or serves its own links alone.
  std::optional<Endpoint> place() const;
  bool serving_links() const;  // as a supernode of our own links, for want of any other
  std::optional<Path> path(SessionId link) const;
  // A session stands at this endpoint: its connection, if it is one, is in use.
  bool stands_on(const Endpoint& endpoint) const;
  // We wait for an answer from there: a connection may be made for it.
  bool tries(const Endpoint& endpoint) const;
  // Of the supernodes that we have a session with: how many datagrams were tried there, and how many answered.
  unsigned udp_probes() const;
  unsigned udp_answers() const;
  std::optional<Duration> rtt(SessionId link) const;
  std::optional<Time> last_heard(SessionId link) const;
  std::vector<SupernodeInfo> supernodes() const;
  std::vector<Observed> observed() const;
  const HostCache& host_cache() const;
  const dht::Dht* dht() const;  // null in a leaf
  std::size_t leaf_count() const;
  std::size_t circuit_count() const;
  std::optional<RelayStatus> relay_status() const;  // of a supernode
  // Of a supernode: so much was relayed otherwise (TURN), and counts into the month.
  void relayed_beside(Time now, std::uint64_t bytes);
  // NAT behaviour discovery by two supernodes (partner.h), with `second_port`: the partner's address and second port.
  std::optional<Endpoint> partner() const;
  // Has the partner answer that client. False: there is none, or it has enough to do. PartnerFailed: nothing was sent.
  bool ask_partner(Time now, const control::PartnerSend& order);
  // To a PartnerWanted.
  void answer_partner(Time now, SessionId from, std::uint64_t number, bool sent);
  // Somebody has a session here and has proven that he is at this address.
  bool proves(const IpAddress& ip) const;
  std::size_t memory_bytes() const;

  struct Counters {
    std::uint64_t datagrams_in = 0, datagrams_out = 0, bytes_in = 0, bytes_out = 0, malformed = 0, dropped = 0,
                  forwarded = 0;
    std::uint64_t not_shown = 0;  // records of ours that a home did not find
    std::uint64_t came_in = 0;    // clients that began a session with us by datagrams
  };
  const Counters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::overlay
