// Links to the person's devices are being made; no INVITE is out yet.
#pragma once

#include "node/call_reaching.h"

namespace linnet::node {

struct Connecting : Reaching {
  using Reaching::on;

  static Next begin(Rooms& rooms, Time now, Facts& facts, crypto::Address found_as, Person person);

  Next on(Rooms& rooms, Time now, Facts& facts, input::Tick);
  Next advance(Rooms& rooms, Time now, Facts& facts);

 private:
  static Next ended(Rooms& rooms, Time now, Facts& facts, Next end);
};

}  // namespace linnet::node
