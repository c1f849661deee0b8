// Which ports a NAT will give next (RFC 5128, section 3.4.2): from the ports that it gave to a few flows one after
// another.
#pragma once

#include <bitset>
#include <optional>
#include <span>

#include "base/rng.h"

namespace linnet::nat {

// Each new flow gets a port that is `step` on from the one before.
struct PortGuess {
  static constexpr int kMaxStep = 64;  // either way, never 0

  std::uint16_t next = 0;  // of the flow after those that were seen
  int step = 1;

  bool operator==(const PortGuess&) const = default;
};

// `ports` in the order in which their flows began, each a flow of its own. Nothing: fewer than three, or they are
// scattered. Flows of others in between make a step a multiple of the least.
std::optional<PortGuess> guess_ports(std::span<const std::uint16_t> ports);

// The ports to try at such a NAT, none twice: first where the guess says, then all others by lot.
class PortPlan {
 public:
  static constexpr std::size_t kGuessed = 64;
  static constexpr std::uint16_t kLowest = 1024;  // no NAT gives one below to a flow from above

  explicit PortPlan(std::optional<PortGuess> guess) : guess_(guess) {}

  std::uint16_t next(Rng& rng);

 private:
  std::optional<std::uint16_t> guessed();

  std::optional<PortGuess> guess_;
  std::size_t guesses_ = 0;
  std::size_t drawn_ = 0;
  std::bitset<65'536> tried_;
};

}  // namespace linnet::nat
