// At least one device rings; all of them may still answer.
#pragma once

#include "node/call_reaching.h"

namespace linnet::node {

struct Ringing : Reaching {
  using Reaching::on;

  Next on(Rooms& rooms, Time now, Facts& facts, input::Tick);
  Next advance(Rooms& rooms, Time now, Facts& facts);
};

}  // namespace linnet::node
