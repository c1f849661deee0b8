#include "node/call_connecting.h"

#include <utility>

#include "node/call.h"
#include "node/not_answering.h"

namespace linnet::node {
namespace {

// The overlay bounds a connect itself; this only ends a call whose connect was forgotten.
constexpr Duration kConnectSlack = std::chrono::seconds(2);

}  // namespace

Next Connecting::begin(Rooms& rooms, Time now, Facts& facts, crypto::Address found_as, Person person) {
  Connecting out;
  out.legs = Legs(rooms, now, facts, std::move(found_as), std::move(person));
  out.until = now + rooms.config.peer.connect_timeout + kConnectSlack;
  if (auto next = out.over(rooms, now); next.to) return ended(rooms, now, facts, std::move(next));
  return {std::move(out)};
}

// Nobody there, by a record that was remembered: the person may have moved, or somebody else may have the name now.
Next Connecting::ended(Rooms& rooms, Time now, Facts& facts, Next end) {
  const auto* why = std::get_if<Ended>(&*end.to);
  const bool nobody = why != nullptr && why->result == CallResult::unreachable;
  if (nobody && facts.remembered && !facts.room) return Resolving::afresh(rooms, now, facts);
  return end;
}

Next Connecting::advance(Rooms& rooms, Time now, Facts& facts) {
  if (auto next = over(rooms, now); next.to) return ended(rooms, now, facts, std::move(next));
  if (!legs.invited()) return {};
  Inviting out;
  out.legs = std::move(legs);
  out.until = now + rooms.config.ring_timeout;
  return {std::move(out)};
}

Next Connecting::on(Rooms& rooms, Time now, Facts& facts, input::Tick) {
  if (now < until) return {};
  Ended nobody{CallResult::unreachable, not_answering(rooms, facts.peer, {})};
  return ended(rooms, now, facts, Next(std::move(nobody)));
}

}  // namespace linnet::node
