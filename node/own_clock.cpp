#include "node/own_clock.h"

#include <cstdlib>

namespace linnet::node {
namespace {

std::string span(std::int64_t seconds) {
  struct Unit {
    std::int64_t length;
    const char* name;
  };
  static constexpr Unit kUnits[] = {{86'400, "day"}, {3600, "hour"}, {60, "minute"}};
  const auto* unit = &kUnits[0];
  while (unit->length > 60 && seconds < unit->length) ++unit;
  const auto n = seconds / unit->length;
  return std::to_string(n) + " " + unit->name + (n == 1 ? "" : "s");
}

}  // namespace

std::string wrong_clock(const Rooms& rooms) {
  const auto why = wrong_clock(rooms.peer.network_clock());
  return why.empty() ? why : "\n  " + why;
}

std::string wrong_clock(const dht::NetworkClock& clock) {
  const auto ahead = clock.ahead();
  if (!ahead || clock.by_median() || std::chrono::abs(*ahead) <= dht::NetworkClock::kJump) return {};
  const auto voices = clock.voices();
  return "This machine's clock is " + span(std::chrono::abs(*ahead).count()) +
         (ahead->count() > 0 ? " ahead of " : " behind ") + std::to_string(voices) +
         (voices == 1 ? " supernode's" : " supernodes'") +
         ", and with fewer than three of them people are found by it. Set it: timedatectl set-ntp true";
}

}  // namespace linnet::node
