// FORWARD: how a packet reaches a leaf before a circuit stands (protocol.md section 4). First byte 11, second byte the
// kind.
//
// clang-format off
//   to_leaf  source -> supernode   mac1 16, leaf tag 8, return token 8, inner; mac1 is keyed by the leaf's SK, over what follows it
//   down     supernode -> leaf     source tag 8, inner
//   up       leaf -> supernode     source tag 8, inner
//   back     supernode -> source   return token 8, inner
//   circuit  either way            circuit id 6, inner; see circuit.h
// clang-format on
//
// The inner packet of the first four is one of the session layer's (first byte 4..8): no nesting, no voice. That of a
// circuit is frames (8), voice (128..191) or a check of ICE (STUN, 0..3; RFC 7983): handshakes are over when it is
// opened, and would come from whatever source their sender makes up.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/machine.h"
#include "base/rng.h"
#include "crypto/guard.h"

namespace linnet::overlay {

inline constexpr std::uint8_t kForwardType = 11;
inline constexpr std::size_t kToLeafHeader = 34;
inline constexpr std::size_t kTaggedHeader = 10;
inline constexpr std::size_t kCircuitHeader = 8;

enum class ForwardKind : std::uint8_t { to_leaf = 1, down = 2, up = 3, back = 4, circuit = 5 };

struct ToLeaf {
  crypto::Mac mac1{};
  std::uint64_t tag = 0;
  std::uint64_t token = 0;
  ByteView covered;  // what mac1 covers
  MutableBytes inner;
};
struct Tagged {
  ForwardKind kind = ForwardKind::down;
  std::uint64_t id = 0;
  MutableBytes inner;
};
using ForwardPacket = std::variant<ToLeaf, Tagged>;  // a circuit packet is Tagged too

// Views into `packet`.
Result<ForwardPacket> read_forward(MutableBytes packet);
Result<Tagged> read_circuit(MutableBytes packet);

inline bool voice_packet(ByteView inner) { return !inner.empty() && inner[0] >= 128 && inner[0] <= 191; }

Bytes write_to_leaf(const crypto::Mac1& mac1, std::uint64_t tag, std::uint64_t token, ByteView inner);
Bytes write_tagged(ForwardKind kind, std::uint64_t id, ByteView inner);

// The supernode's table of those who asked for one leaf: a random tag stands for the true source, so the leaf learns no
// address. Bounded: when full, the source that was silent longest goes. One prefix has a quarter of the places, so that
// one host with many tokens does not drive the others out. Who went on after the leaf's answer has shown that he
// receives it: he makes room only after a silence, however many newcomers there are.
class SourceTable {
 public:
  static constexpr std::size_t kCapacity = 64;
  static constexpr std::size_t kPerPrefix = kCapacity / 4;
  // Longer than a session's keepalive, so that a link may live on FORWARD alone while it waits for a circuit.
  static constexpr Duration kIdle = std::chrono::seconds(60);
  // Bytes sent to a source that has a session with the supernode never exceed this many times the bytes received from
  // it; to others, whose address may be forged, never what came.
  static constexpr std::uint64_t kAmplification = 3;

  static constexpr Duration kQuiet = std::chrono::seconds(30);
  // Strangers that may begin with one leaf; beyond it only those that have a session with the supernode.
  static constexpr double kStrangersPerSecond = 50;

  // Tag of this source for a packet of this first byte; one is made when it is new. 0: there is no room.
  std::uint64_t tag_for(Time now, Rng& rng, const Endpoint& source, std::uint64_t token, std::size_t received,
                        std::uint8_t type = 0, bool proven = false);
  bool knows(const Endpoint& source, std::uint64_t token) const;
  // Takes one of the places for strangers.
  bool stranger(Time now);

  struct Target {
    Endpoint source;
    std::uint64_t token = 0;
  };
  // Where the leaf's answer goes. Fault::not_found for a tag never given or expired, Fault::refused over the
  // amplification limit.
  Result<Target> answer(Time now, std::uint64_t tag, std::size_t bytes);
  std::size_t size() const { return sources_.size(); }

 private:
  struct Source {
    std::uint64_t tag;
    std::uint64_t token;
    Endpoint endpoint;
    Time heard;
    std::uint64_t received;
    std::uint64_t sent;
    bool stays = false;
    bool proven = false;
  };

  bool make_room(Time now, const IpAddress& newcomer);

  std::vector<Source> sources_;
  float strangers_ = 2 * kStrangersPerSecond;
  Time strangers_at_{};
};

}  // namespace linnet::overlay
