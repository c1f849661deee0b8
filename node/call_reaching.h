// What Connecting, Inviting and Ringing share: legs to the person's devices, any of which may still answer.
#pragma once

#include "node/legs.h"

namespace linnet::node {

struct Reaching {
  Legs legs;
  Time until = kNever;

  // News of one leg. The state then says where that leads: advance().
  void take(Rooms& rooms, Time now, Facts& facts, const overlay::LinkUp& up);
  void take(Rooms& rooms, Time now, Facts&, const overlay::LinkDown& down) { legs.on(rooms, now, down); }
  void take(Rooms&, Time now, Facts& facts, const sip::Ringing& ringing);
  void take(Rooms&, Time, Facts& facts, const sip::Rejected& rejected) { legs.on(facts, rejected); }
  void take(Rooms&, Time, Facts&, const sip::Failed& failed) { legs.on(failed); }
  void take(Rooms&, Time, Facts&, const sip::Ended& ended) { legs.on(ended); }
  void take(Rooms&, Time, Facts&, const sip::Cancelled& cancelled) { legs.on(cancelled); }

  Next on(Rooms& rooms, Time now, Facts& facts, const sip::Answered& answered);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Hangup);
  Time next_timeout() const { return until; }

 protected:
  // The end that the legs have come to, if they have.
  Next over(Rooms& rooms, Time now);
};

}  // namespace linnet::node
