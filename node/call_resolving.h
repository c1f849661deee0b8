// The name is being looked up. A contact is looked up under the key name, so that who squats on the name cannot break
// it; who claims the name is asked only when the person we know is nowhere.
#pragma once

#include <algorithm>

#include "node/call_facts.h"

namespace linnet::node {

struct Resolving {
  enum class Asked : std::uint8_t { by_name, by_key_name, claimants, keeper };

  overlay::FindId find{};  // the newest one counts
  Asked asked = Asked::by_name;
  Time until = kNever;
  Time again = kNever;    // found, but at supernodes that are not known here yet: looked up once more
  Time give_up = kNever;  // no further try after this

  static Next begin(Rooms& rooms, Time now, Facts& facts);
  // What was remembered leads nowhere: looked up afresh, once.
  static Next afresh(Rooms& rooms, Time now, Facts& facts);

  // Of a room's call, whose keeper could not let us in: the next one is looked for. Nothing: this is the end of it.
  static Next next_keeper(Rooms& rooms, Time now, Facts& facts, const Ended& why);

  Next on(Rooms& rooms, Time now, Facts& facts, const overlay::Found& found);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Hangup);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Tick);
  Time next_timeout() const { return std::min(until, again); }

 private:
  Status ask(Rooms& rooms, Time now, const Facts& facts, bool cold);
  void await(Rooms& rooms, Time now, const Facts& facts, overlay::FindId id);
  Next ask_claimants(Rooms& rooms, Time now, Facts& facts, const overlay::Found& found);
  Next on_room(Rooms& rooms, Time now, Facts& facts, const Person& room);
  Next on_keeper(Rooms& rooms, Time now, Facts& facts, const overlay::Found& found);
};

}  // namespace linnet::node
