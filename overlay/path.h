// A way to a peer. Frames and voice travel on the same paths (protocol.md section 4).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "base/endpoint.h"

namespace linnet::overlay {

enum class PathKind : std::uint8_t {
  direct,   // endpoint is the peer's own
  forward,  // through a supernode before a circuit stands: endpoint is the supernode's, id a leaf tag, source tag or
            // return token
  circuit,  // through a supernode that joins two authenticated sessions: endpoint is the supernode's, id the circuit's
  turn,     // through a TURN server of one end or of both: endpoint is the relayed address of the other end, or where
            // our own server hears it (its socket is kByTurn then)
};

// Endpoint::socket of who is reached through the TURN server that our settings name. Beside the numbers of sockets.
inline constexpr std::uint8_t kByTurn = 127;

struct Path {
  PathKind kind = PathKind::direct;
  Endpoint endpoint;
  std::uint64_t id = 0;
  // forward only: true at the leaf that answers, false at the source that asks.
  bool answering = false;

  auto operator<=>(const Path&) const = default;
};

// What a call's path has room for beside its voice.
enum class Room : std::uint8_t {
  both,    // the voice a second time
  narrow,  // a limit was met
  scant,   // and it is so low that questions are asked as seldom as they may
};

// A supernode listens for UDP and TCP at one address and port.
inline Endpoint over(Transport transport, Endpoint endpoint) {
  endpoint.transport = transport;
  return endpoint;
}
// Its packets go to the endpoint as they are, without a header for who passes them on.
inline bool bare(const Path& path) { return path.kind == PathKind::direct || path.kind == PathKind::turn; }
// Packets on this path are a byte stream on their first leg.
inline bool on_stream(const Path& path) { return path.endpoint.transport != Transport::udp; }
// Both ends of the handshake have the stream between them; TLS is none of its business, as somebody on the way may have
// taken it off. Through a supernode each leg is as it is.
inline Transport transport_of(const Path& path) {
  return path.kind == PathKind::direct && on_stream(path) ? Transport::tcp : Transport::udp;
}

}  // namespace linnet::overlay

template <>
struct std::hash<linnet::overlay::Path> {
  std::size_t operator()(const linnet::overlay::Path& path) const noexcept {
    const std::uint64_t rest = path.id * 4 + static_cast<std::uint64_t>(path.kind) * 2 + (path.answering ? 1 : 0);
    const std::uint64_t mixed = (rest ^ (rest >> 29)) * 0x9e3779b97f4a7c15U;
    return std::hash<linnet::Endpoint>{}(path.endpoint) ^ static_cast<std::size_t>(mixed);
  }
};
