// Somebody rings us. Nothing of ours but the ringing itself goes out before the person answers: no address, no voice.
#pragma once

#include <optional>

#include "node/call_facts.h"
#include "sip/offer_answer.h"

namespace linnet::node {

struct Incoming {
  Line line;
  std::optional<sip::AudioOffer> offer;  // empty: the caller wants ours
  std::optional<sip::AudioOffer> ours;   // it is in our 200 and waits for the answer in the ACK
  Time until = kNever;

  Next on(Rooms& rooms, Time now, Facts& facts, input::Answer answer);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::Established& established);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Hangup);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Tick);
  Next on(Rooms& rooms, Time now, Facts& facts, const input::NameChecked& checked);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::Cancelled& cancelled);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::Failed& failed);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::Ended& ended);
  Next on(Rooms& rooms, Time now, Facts& facts, const overlay::LinkDown& down);
  Time next_timeout() const { return ours ? kNever : until; }
};

}  // namespace linnet::node
