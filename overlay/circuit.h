// Circuits: the relay of calls (protocol.md section 4). 8 bytes [11][5][id, 48 random bits] stand in front of bytes
// that are already sealed; the supernode forwards them as they are. A circuit joins two authenticated sessions and can
// name no other target.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/flat_map.h"
#include "overlay/control_message.h"
#include "overlay/forward.h"
#include "overlay/forwarding.h"
#include "overlay/meter.h"
#include "overlay/sessions.h"

namespace linnet::overlay {

struct CircuitLimits {
  std::size_t total = 10'000;
  std::size_t per_session = 32;
  std::uint64_t bits_per_second = 128'000;  // of a circuit, each way
  // What one session sends into all its circuits, and what comes from one /24 or /48 of global addresses. 0: eight and
  // 128 times what a circuit may.
  std::uint64_t peer_bits_per_second = 0;
  std::uint64_t prefix_bits_per_second = 0;
  std::optional<std::uint64_t> month_bytes;  // passed on in one calendar month (UTC)
  Duration idle = std::chrono::seconds(60);
  Duration opening = std::chrono::seconds(5);
};

class CircuitTable {
 public:
  struct End {
    SessionId session{};
    Endpoint endpoint;
  };
  struct Closed {
    control::PairNonce nonce{};
    SessionId sessions[2]{};
  };
  using Counters = CircuitCounters;
  static constexpr Duration kOwnClockHolds = std::chrono::hours(24);

  explicit CircuitTable(CircuitLimits limits, RelayedMonth month = {});

  // Half of a circuit: it forwards nothing until the called end accepts. Fault::full, Fault::too_big (the month is
  // used up), Fault::refused (both ends the same).
  Result<std::uint64_t> open(Time now, Rng& rng, const End& caller, const End& called, const control::PairNonce& nonce);
  // A piece of a circuit that stands at another supernode, the far end here, under the number that it has there. The
  // limits are those of any other. Faults as of open(); Fault::mismatch: the number is taken.
  Status join(Time now, std::uint64_t id, const End& caller, const End& far, const control::PairNonce& nonce);
  bool stands(std::uint64_t id) const { return circuits_.contains(id); }
  void close(std::uint64_t id);
  // Who asked for a circuit wants it no longer. The session at its other end; nothing: he has none with this nonce.
  std::optional<SessionId> close(SessionId caller, const control::PairNonce& nonce);
  // The called session confirms with the nonce. Returns the caller's session.
  Result<SessionId> accept(Time now, std::uint64_t id, SessionId called, const control::PairNonce& nonce);

  // Where this end of a circuit is seen, and whom to tell: the session at the other end. Nothing: no circuit of it that
  // stands.
  struct Showing {
    SessionId to{};
    Endpoint seen;
  };
  std::optional<Showing> show(std::uint64_t id, SessionId end) const;

  // The hot path: allocates nothing. Nothing: no packet of a circuit that stands here.
  std::optional<Forward> forward(Time now, const Endpoint& from, MutableBytes packet);

  // An end's session moved to another address. Looks at its circuits alone, as close_session() does.
  void moved(SessionId session, const Endpoint& endpoint);
  std::vector<Closed> all() const;  // that stand, as if they were closed
  std::vector<Closed> close_session(SessionId session);
  std::vector<Closed> expire(Time now);
  // A later month begins its count anew. An earlier one is gone back to, with the count, when the network's time says
  // so (`by_median`), or when our own clock, which may have started without a battery, says so for a day.
  void handle_wall(Time now, Wall wall, bool by_median);
  const RelayedMonth& month() const { return month_; }
  // Something else that this machine relays, under the same monthly limit.
  void count_beside(std::uint64_t bytes) { month_.bytes += bytes; }

  std::size_t held_by(SessionId session) const;
  std::size_t size() const { return circuits_.size(); }
  const Counters& counters() const { return counters_; }
  const CircuitLimits& limits() const { return limits_; }
  std::size_t memory_bytes() const;

 private:
  struct Circuit;
  struct Peer {
    Meter meter;
    Circuit* circuits = nullptr;  // the last one that it got, never none; the others by Side::before
  };
  // One of the two who share what a circuit may carry; who sends, pays.
  struct Side {
    End end;
    Meter rate;
    Peer* peer = nullptr;
    SharedMeter* prefix = nullptr;  // none for addresses that are not global
    Circuit* before = nullptr;      // of the same peer
  };
  struct Circuit {
    Side sides[2];  // caller, called
    control::PairNonce nonce;
    bool accepted = false;
    std::uint64_t id = 0;
    Time used{};

    Side& side_of(SessionId session) { return sides[sides[0].end.session == session ? 0 : 1]; }
  };

  Status may_open(SessionId caller, SessionId called);
  Circuit& add(Time now, std::uint64_t id, const End& caller, const End& called, const control::PairNonce& nonce);
  bool pay(Time now, Side& side, std::size_t bytes);
  void place(Time now, Circuit& circuit, Side& side, const End& end);
  void leave_peer(Circuit& circuit, Side& side);
  void take_prefix(Time now, Side& side);
  void release_prefix(Side& side);
  std::vector<std::uint64_t> sorted_ids() const;
  std::vector<std::uint64_t> sorted_ids_of(SessionId session) const;
  Closed remove(std::uint64_t id);

  CircuitLimits limits_;
  double circuit_rate_, peer_rate_, prefix_rate_;  // bytes a second
  RelayedMonth month_;
  RelayedMonth left_;                  // the month before the last step ahead
  std::optional<Time> earlier_since_;  // the clock names an earlier month
  Counters counters_;
  FlatMap<std::uint64_t, std::unique_ptr<Circuit>> circuits_;
  std::unordered_map<SessionId, Peer> peers_;
  std::map<ByteArray<7>, SharedMeter> prefixes_;
};

}  // namespace linnet::overlay
