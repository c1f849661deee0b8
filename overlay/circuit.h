// Circuits: the relay of calls (protocol.md section 4). 8 bytes [11][5][id, 48 random bits] stand in front of bytes
// that are already sealed; the supernode forwards them as they are. A circuit joins two authenticated sessions and can
// name no other target.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "overlay/control_message.h"
#include "overlay/forward.h"
#include "overlay/sessions.h"

namespace linnet::overlay {

struct CircuitLimits {
  std::size_t total = 10'000;
  std::size_t per_session = 32;
  std::uint64_t bits_per_second = 128'000;
  Duration idle = std::chrono::seconds(60);
  Duration opening = std::chrono::seconds(5);
};

// Where a packet goes; its bytes stay as they are.
struct Forward {
  Endpoint to;
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
  struct Counters {
    std::uint64_t forwarded = 0, capped = 0, unknown = 0, foreign = 0;
  };

  explicit CircuitTable(CircuitLimits limits) : limits_(limits) {}

  // Half of a circuit: it forwards nothing until the called end accepts. Fault::full, Fault::refused (both ends the
  // same).
  Result<std::uint64_t> open(Time now, Rng& rng, const End& caller, const End& called, const control::PairNonce& nonce);
  // The called session confirms with the nonce. Returns the caller's session.
  Result<SessionId> accept(Time now, std::uint64_t id, SessionId called, const control::PairNonce& nonce);

  std::optional<Forward> forward(Time now, const Endpoint& from, std::uint64_t id, std::size_t bytes);

  // An end's session moved to another address.
  void moved(SessionId session, const Endpoint& endpoint);
  std::vector<Closed> close_session(SessionId session);
  std::vector<Closed> expire(Time now);

  std::size_t held_by(SessionId session) const;
  std::size_t size() const { return circuits_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  struct Circuit {
    End ends[2];  // caller, called
    control::PairNonce nonce;
    bool accepted = false;
    Time used{};
    double tokens = 0;  // bytes
    Time filled{};
  };

  bool pay(Time now, Circuit& circuit, std::size_t bytes) const;
  std::vector<std::uint64_t> sorted_ids() const;
  Closed remove(std::uint64_t id);

  CircuitLimits limits_;
  Counters counters_;
  std::unordered_map<std::uint64_t, Circuit> circuits_;
  std::unordered_map<SessionId, std::size_t> per_session_;
};

}  // namespace linnet::overlay
