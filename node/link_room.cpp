#include "node/link_room.h"

#include <algorithm>

namespace linnet::node {

using overlay::Room;

void LinkRoom::note(sip::CallId call, std::optional<int> ceiling, double lateness_ms) {
  auto at = std::find_if(calls_.begin(), calls_.end(), [&](const Entry& entry) { return entry.call == call; });
  if (at == calls_.end()) at = calls_.insert(calls_.end(), Entry{call});
  at->crowded = lateness_ms > (at->crowded ? kClear : kCrowded);
  const bool scant = at->crowded || (ceiling && *ceiling < kScant);
  at->room = scant ? Room::scant : ceiling ? Room::narrow : Room::both;
}

void LinkRoom::forget(sip::CallId call) {
  std::erase_if(calls_, [&](const Entry& entry) { return entry.call == call; });
}

Room LinkRoom::room() const {
  Room out = Room::both;
  for (const auto& entry : calls_) out = std::max(out, entry.room);
  return out;
}

}  // namespace linnet::node
