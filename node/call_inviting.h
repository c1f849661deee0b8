// At least one INVITE is out; no device rings yet.
#pragma once

#include "node/call_reaching.h"

namespace linnet::node {

struct Inviting : Reaching {
  using Reaching::on;

  Next on(Rooms& rooms, Time now, Facts& facts, input::Tick);
  Next advance(Rooms& rooms, Time now, Facts& facts);
};

}  // namespace linnet::node
