// What a supernode's circuits tell its driver: where a packet goes on to, and how much was passed on.
#pragma once

#include <cstdint>
#include <optional>

#include "base/machine.h"

namespace linnet::overlay {

// Where a packet goes; its bytes stay where they are.
struct Forward {
  Endpoint to;
  Mark mark = Mark::best_effort;
  bool dropped = false;  // it is of a circuit here, and goes nowhere
};

// What was passed on in a month: counted over restarts.
struct RelayedMonth {
  int month = 0;  // since year 0
  std::uint64_t bytes = 0;
  bool operator==(const RelayedMonth&) const = default;
};
int month_of(Wall wall);

// Packets; `capped` are those over a limit, the others say which.
struct CircuitCounters {
  std::uint64_t forwarded = 0, bytes = 0, unknown = 0, foreign = 0;
  std::uint64_t capped = 0, over_circuit = 0, over_peer = 0, over_prefix = 0, over_month = 0;
  std::uint64_t refused_full = 0, refused_month = 0;  // circuits
};

struct RelayStatus {
  std::size_t leaves = 0;
  std::size_t circuits = 0;
  RelayedMonth month;
  std::optional<std::uint64_t> month_bytes;  // the limit
  CircuitCounters counters;
  std::optional<Endpoint> partner = std::nullopt;  // Peer::partner()
};

}  // namespace linnet::overlay
