#include "node/link_room.h"

#include <algorithm>

namespace linnet::node {

using overlay::Room;

void LinkRoom::note(sip::CallId call, std::optional<int> ceiling) {
  const auto room = !ceiling ? Room::both : *ceiling < kScant ? Room::scant : Room::narrow;
  const auto at = std::find_if(calls_.begin(), calls_.end(), [&](const auto& entry) { return entry.first == call; });
  if (at == calls_.end()) {
    calls_.emplace_back(call, room);
  } else {
    at->second = room;
  }
}

void LinkRoom::forget(sip::CallId call) {
  std::erase_if(calls_, [&](const auto& entry) { return entry.first == call; });
}

Room LinkRoom::room() const {
  Room out = Room::both;
  for (const auto& [call, room] : calls_) out = std::max(out, room);
  return out;
}

}  // namespace linnet::node
