#include "nat/port_prediction.h"

#include <cstdlib>

namespace linnet::nat {
namespace {

constexpr int kMostBetween = 8;  // steps from one of our flows to the next: the others are somebody else's
constexpr int kPorts = 65'536 - PortPlan::kLowest;

// In the range of a NAT, whose end is followed by its beginning.
std::uint16_t wrapped(int port) {
  const int off = ((port - PortPlan::kLowest) % kPorts + kPorts) % kPorts;
  return static_cast<std::uint16_t>(PortPlan::kLowest + off);
}

}  // namespace

std::optional<PortGuess> guess_ports(std::span<const std::uint16_t> ports) {
  if (ports.size() < 3) return std::nullopt;
  int least = 0;
  for (std::size_t i = 1; i < ports.size(); ++i) {
    const int step = ports[i] - ports[i - 1];
    if (step == 0 || (least != 0 && (step > 0) != (least > 0))) return std::nullopt;
    if (least == 0 || std::abs(step) < std::abs(least)) least = step;
  }
  if (std::abs(least) > PortGuess::kMaxStep) return std::nullopt;
  for (std::size_t i = 1; i < ports.size(); ++i) {
    const int step = ports[i] - ports[i - 1];
    if (step % least != 0 || step / least > kMostBetween) return std::nullopt;
  }
  return PortGuess{wrapped(ports.back() + least), least};
}

std::optional<std::uint16_t> PortPlan::guessed() {
  while (guess_ && guesses_ < kGuessed) {
    const auto port = wrapped(guess_->next + static_cast<int>(guesses_++) * guess_->step);
    if (!tried_[port]) return port;
  }
  return std::nullopt;
}

std::uint16_t PortPlan::next(Rng& rng) {
  if (drawn_ >= static_cast<std::size_t>(kPorts)) {  // all of them: from the beginning
    tried_.reset();
    drawn_ = 0;
  }
  auto port = guessed();
  while (!port) {
    const auto drawn = static_cast<std::uint16_t>(kLowest + rng.below(kPorts));
    if (!tried_[drawn]) port = drawn;
  }
  tried_.set(*port);
  ++drawn_;
  return *port;
}

}  // namespace linnet::nat
