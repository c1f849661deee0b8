#include "node/call_inviting.h"

#include <utility>

#include "node/call.h"

namespace linnet::node {

Next Inviting::advance(Rooms& rooms, Time now, Facts&) {
  if (auto next = over(rooms, now); next.to) return next;
  if (!legs.rang()) return {};
  Ringing out;
  out.legs = std::move(legs);
  out.until = until;
  return {std::move(out)};
}

Next Inviting::on(Rooms& rooms, Time now, Facts& facts, input::Tick) {
  if (now < until) return {};
  legs.cancel(rooms, now, kNoAnswer);
  return {Ended{CallResult::no_answer, facts.peer.text() + " did not answer."}};
}

}  // namespace linnet::node
