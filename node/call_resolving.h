// The name is being looked up. A contact is looked up under the key name, so that who squats on the name cannot break
// it; who claims the name is asked only when the person we know is nowhere.
#pragma once

#include "node/call_facts.h"

namespace linnet::node {

struct Resolving {
  enum class Asked : std::uint8_t { by_name, by_key_name, claimants };

  overlay::FindId find{};
  Asked asked = Asked::by_name;
  Time until = kNever;

  static Next begin(Rooms& rooms, Time now, Facts& facts);

  Next on(Rooms& rooms, Time now, Facts& facts, const overlay::Found& found);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Hangup);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Tick);
  Time next_timeout() const { return until; }

 private:
  Next ask_claimants(Rooms& rooms, Time now, Facts& facts, const overlay::Found& found);
};

}  // namespace linnet::node
