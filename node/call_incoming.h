// Somebody rings us. Nothing of ours but the ringing itself goes out before the person answers: no address, no voice.
#pragma once

#include "node/call_facts.h"
#include "sip/offer_answer.h"

namespace linnet::node {

struct Incoming {
  Line line;
  sip::AudioOffer offer;
  Time until = kNever;

  Next on(Rooms& rooms, Time now, Facts& facts, input::Answer);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Hangup);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Tick);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::Cancelled& cancelled);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::Failed& failed);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::Ended& ended);
  Next on(Rooms& rooms, Time now, Facts& facts, const overlay::LinkDown& down);
  Time next_timeout() const { return until; }
};

}  // namespace linnet::node
