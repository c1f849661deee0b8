// What nodes say to each other on the control channel of a session: msgpack maps, field 0 is the type
// (docs/protocol/overlay.md). A client asks its supernode; the two ends of a link agree on circuits.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"
#include "dht/contact.h"
#include "dht/share.h"

namespace linnet::overlay::control {

inline constexpr std::size_t kMaxContacts = 16;
inline constexpr std::size_t kMaxRecords = 16;
inline constexpr std::size_t kMaxShares = 8;  // of one lookup

using DialNonce = ByteArray<12>;  // a transaction id of STUN, drawn by who wants to be dialled
using PairNonce = ByteArray<16>;  // names a circuit to be, known to its two ends and its supernode

// Client to supernode, and the answers.
struct Attach {
  std::optional<dht::Id> place;  // the leaf's user key: a full supernode names others near it
  // How often it will be heard: as its NAT wants it. Said again when that changes. Nothing: as usual.
  std::optional<std::chrono::seconds> keepalive;
  // The leaf could be a supernode, for so many leaves (standby_line.h). Said again when that changes. 0: it could not.
  std::uint32_t standby = 0;
};
inline constexpr std::chrono::seconds kLeastKeepalive{10}, kMostKeepalive{60};  // anything else reads as one of these
struct Attached {
  std::uint64_t tag = 0;  // names the leaf in FORWARD
  Endpoint observed;      // where the supernode sees the leaf
};
struct AttachRefused {
  std::vector<dht::Contact> alternatives;
};
struct Detach {};
struct FindNodes {
  std::uint64_t request = 0;
  dht::Id target;
};
struct Nodes {
  std::uint64_t request = 0;
  std::vector<dht::Contact> contacts;
  std::optional<Wall> time;  // the supernode's own clock
};
struct FindRecords {
  std::uint64_t request = 0;
  crypto::UserKey user;
  std::optional<crypto::AccountKey> pinned;
  dht::Share share = {};  // others are asked the same: whom to ask first
};
struct Records {
  std::uint64_t request = 0;
  bool busy = false;  // not looked up: the supernode had no room
  std::vector<Bytes> records;
  std::uint64_t rounds = 0;  // the longest chain of answers that led to them
};
struct Publish {
  std::uint64_t request = 0;
  Bytes record;
};
struct Published {
  std::uint64_t request = 0;
  std::uint64_t copies = 0;  // 0: refused
};
struct CircuitOpen {
  PairNonce nonce{};
  std::uint64_t tag = 0;
  std::optional<crypto::SessionKey> at;  // of another supernode's leaf: that one is asked on (bridges.h)
};
// FORWARD packets with this tag and return token are for a leaf of that other supernode.
struct ForwardOpen {
  crypto::SessionKey at;
  std::uint64_t tag = 0;
  std::uint64_t token = 0;
};
struct CircuitAsk {
  PairNonce nonce{};
  std::uint64_t circuit = 0;
};
struct CircuitAccept {
  PairNonce nonce{};
  std::uint64_t circuit = 0;
};
struct CircuitReady {
  PairNonce nonce{};
  std::uint64_t circuit = 0;
};
// Why a circuit stands no longer, or never did.
enum class CircuitEnd : std::uint8_t {
  over = 0,    // an end went, or was silent
  nobody = 1,  // no leaf has that tag
  full = 2,    // of circuits, in all or of one of the two sessions
  month = 3,   // the supernode has passed on what it may in this month
};
struct CircuitClosed {
  PairNonce nonce{};
  CircuitEnd why = CircuitEnd::over;  // one that is not known reads as over
};
// The other end of this circuit may be told where the supernode sees us; and where it sees the other end, who said so.
struct CircuitShow {
  std::uint64_t circuit = 0;
};
struct CircuitSeen {
  std::uint64_t circuit = 0;
  Endpoint at;
};

// One TCP connection to this port of ours, at the address that our session has proven; the nonce comes by it
// (dial_desk.h). There is no other answer: who does not own the port learns nothing.
struct DialAsk {
  DialNonce nonce{};
  std::uint16_t port = 0;
};

// Supernode to a leaf that attached as a standby: be one now.
struct Serve {};
// Supernode to its leaf: it gives the role up, and answers for the leaf until that is served elsewhere, for some
// seconds at most.
struct Handover {
  std::vector<dht::Contact> alternatives;
};

// Supernode to its leaf: it has more than wanted, and others came. Whoever has it for an anchor takes another.
struct Crowded {};

// Between supernodes with one address each: NAT behaviour discovery, where one answers from the second address of the
// other (partner.h).
struct PartnerAsk {};  // may we name you?
struct PartnerOffer {
  std::uint16_t second_port = 0;  // beside the one that the descriptor names
};
// A Binding request asked us for an answer from your address. Sent is one datagram to who asked, of at most `room`
// bytes, and `client` is all that it says.
struct PartnerSend {
  std::uint64_t number = 0;
  Endpoint client;
  ByteArray<12> transaction{};
  std::uint16_t room = 0;
  bool second_port = false;
  bool fingerprint = false;
};
struct PartnerSent {
  std::uint64_t number = 0;
  bool sent = false;
};

// Between the two ends of a link.
struct CircuitOffer {
  PairNonce nonce{};
  crypto::SessionKey supernode;
};

using Message = std::variant<Attach, Attached, AttachRefused, Detach, FindNodes, Nodes, FindRecords, Records, Publish,
                             Published, CircuitOpen, CircuitAsk, CircuitAccept, CircuitReady, CircuitClosed,
                             CircuitOffer, CircuitShow, CircuitSeen, ForwardOpen, DialAsk, PartnerAsk, PartnerOffer,
                             PartnerSend, PartnerSent, Serve, Handover, Crowded>;

Bytes write(const Message& message);
// Form and limits only; contacts and records are verified by who uses them.
Result<Message> read(ByteView bytes);

}  // namespace linnet::overlay::control
