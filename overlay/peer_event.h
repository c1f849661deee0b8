// What a peer tells its owner.
#pragma once

#include <variant>
#include <vector>

#include "crypto/identity.h"
#include "dht/floors.h"
#include "overlay/control_message.h"
#include "overlay/dial_desk.h"
#include "overlay/forwarding.h"
#include "overlay/sessions.h"

namespace linnet::overlay {

enum class Role : std::uint8_t { leaf, supernode };
enum class State : std::uint8_t { starting, alone, online };  // online: records stored and findable

enum class FindId : std::uint64_t {};

struct StateChanged {
  State state{};
};
// Records of the address found (verified, opened, in time), best per device. Empty: nobody has that name.
struct FoundDevice {
  dht::SignedRecord record;
  dht::RecordBody body;
};
struct Found {
  FindId find{};
  crypto::Address address;
  std::vector<FoundDevice> devices;
  Status status;           // timed_out, full, or unreachable (not_found is an empty list with a good status)
  std::size_t rounds = 0;  // longest chain of answers among the paths; 0 when answered from a cache or a local store
};
// Who is at the other end of a link, proven: DK certified by AK, SK signed by DK through the record, the name from the
// record.
struct Remote {
  crypto::Address address;  // the name it came under (its record's); for a link we opened, the one we looked up
  crypto::Address key_name;
  crypto::AccountKey account;
  crypto::DeviceKey device;
  crypto::SessionKey session;
  std::uint32_t epoch = 0;  // revocation epoch of the device's certificate
};
// A sealed link to another person's device.
struct LinkUp {
  SessionId link{};
  bool initiator = false;
  Remote remote;
  Path path;
};
// A supernode of the other end by which it was to be reached: packets passed on, then a circuit, and what came of it.
struct CircuitTry {
  enum class Result : std::uint8_t {
    idle,         // of the circuit nothing was asked (yet); packets were passed on there
    silent,       // nothing came back, while the supernode itself answers
    unreachable,  // no session with the supernode stands
    stands,
    over,    // it stood, and was closed
    nobody,  // the supernode does not serve the other end (any more)
    full,
    month,  // it has passed on what it may in this month
  };
  Endpoint at;
  std::optional<Endpoint> across;  // our own supernode, that carries it there (bridges.h)
  Result result = Result::idle;

  bool stands() const { return result == Result::stands; }
};
struct LinkDown {
  SessionId link{};
  DownReason reason{};
  std::vector<CircuitTry> circuits = {};
};
struct LinkMessage {
  SessionId link{};
  Channel channel{};
  Bytes bytes;
};
struct LinkPath {
  SessionId link{};
  Path from;
  Path to;
};
// Voice (first byte 128..191) that came on a proven path of this link.
struct LinkVoice {
  SessionId link{};
  Bytes bytes;
  Path by;
};
// A circuit of this link: it may be used (`up`), or stands no longer. It is known by its number; the supernode may be
// reached another way meanwhile.
struct LinkCircuit {
  SessionId link{};
  Path path;
  bool up = false;
};
// The supernode of this circuit says where it sees the other end, who let it.
struct LinkSeen {
  SessionId link{};
  Path circuit;
  Endpoint at;
};
// Voice that was coming has stopped, while ours goes out.
struct LinkSilent {
  SessionId link{};
};
// STUN (first byte 0..3) that came by a circuit of this link.
struct LinkStun {
  SessionId link{};
  Path path;
  Bytes bytes;
};
// Where one of our supernodes sees us. The socket is that by which our session with it goes.
struct Observed {
  Endpoint seen;
  Endpoint by;
};
// A path of this link was asked and answered (Peer::ping, or the keepalive).
struct LinkAnswered {
  SessionId link{};
  Path path;
  Duration rtt{};
};
// The driver stores that every sequence below `below` may have been used, and says so with Peer::sequence_stored(): no
// record is made before.
struct SequenceUsed {
  std::uint64_t below = 0;
};
// A supernode: the newest record of a device that it keeps. Stored, so that no older one is taken after a restart.
struct FloorRaised {
  dht::Floor floor;
};
// A supernode: what its circuits carried this month, said about once a minute while they carry; stored for the next
// run.
struct Relayed {
  RelayedMonth month;
};
// By the median of supernodes' clocks it is another time than was thought: Peer::wall().
struct ClockMoved {};
// Promoted: it stands among the supernodes, and its record names itself. Demoted: what it did for others is handed over
// (Peer::set_fit).
struct RoleChanged {
  Role role{};
};
// Another supernode, with a session that has proven its address, wants us to send for it (partner.h).
struct PartnerWanted {
  SessionId from{};
  IpAddress asker;
  control::PartnerSend order;
};
// Our partner did not send this.
struct PartnerFailed {
  control::PartnerSend order;
};
struct PartnerChanged {};  // Peer::partner()
struct SupernodesChanged {};
struct HostCacheChanged {};
// A supernode is known to others at another endpoint from now on (Peer::place()).
struct PlaceChanged {};
using PeerEvent =
    std::variant<StateChanged, Found, LinkUp, LinkDown, LinkMessage, LinkPath, LinkVoice, LinkCircuit, LinkStun,
                 LinkSilent, LinkSeen, LinkAnswered, SequenceUsed, FloorRaised, Relayed, ClockMoved, SupernodesChanged,
                 HostCacheChanged, DialWanted, PlaceChanged, PartnerWanted, PartnerFailed, PartnerChanged, RoleChanged>;

}  // namespace linnet::overlay
