#include "node/call_ringing.h"

#include "node/call.h"

namespace linnet::node {

Next Ringing::advance(Rooms& rooms, Time now, Facts&) { return over(rooms, now); }

Next Ringing::on(Rooms& rooms, Time now, Facts& facts, input::Tick) {
  if (now < until) return {};
  legs.cancel(rooms, now, kNoAnswer);
  return {Ended{CallResult::no_answer, facts.peer.text() + " did not answer."}};
}

}  // namespace linnet::node
