#include "node/call_reaching.h"

#include <utility>

#include "node/call.h"

namespace linnet::node {

void Reaching::take(Rooms& rooms, Time now, Facts& facts, const overlay::LinkUp& up) {
  legs.on(rooms, now, facts, up);
  if (legs.invited() && !facts.linked) facts.linked = now;
}

void Reaching::take(Rooms&, Time now, Facts& facts, const sip::Ringing& ringing) {
  legs.on(ringing);
  if (legs.rang() && !facts.rang) facts.rang = now;
}

Next Reaching::on(Rooms& rooms, Time now, Facts& facts, const sip::Answered& answered) {
  auto winner = legs.on(answered);
  if (!winner) return {};
  legs.cancel(rooms, now, sip::Core::kElsewhere);
  auto voice = Voice::from_answer(rooms.config, rooms.rng, winner->offer, winner->answer);
  if (!voice) {
    (void)rooms.sip.bye(now, winner->line.call, "Not acceptable");
    return {Ended{CallResult::failed, "The answer of " + facts.peer.text() +
                                          " was not usable: " + std::string(to_string(voice.error())) + "."}};
  }
  return Talking::begin(rooms, now, facts, std::move(winner->line), std::move(*voice));
}

Next Reaching::on(Rooms& rooms, Time now, Facts&, input::Hangup) {
  legs.cancel(rooms, now, {});
  return {Ended{CallResult::cancelled, {}}};
}

Next Reaching::over(Rooms& rooms, Time now) {
  if (const auto* declined = legs.declined()) {
    // RFC 3261 section 16.7: a 6xx ends the other branches.
    auto verdict = *declined;
    legs.cancel(rooms, now, kDeclined);
    return {std::move(verdict)};
  }
  if (auto verdict = legs.verdict(rooms)) return {std::move(*verdict)};
  return {};
}

}  // namespace linnet::node
