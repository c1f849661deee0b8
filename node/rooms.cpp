#include "node/rooms.h"

namespace linnet::node {

void share_endpoints(Rooms& rooms, Time now, overlay::SessionId id) {
  if (rooms.links.find(id) == nullptr) return;
  rooms.traversal.show({now, rooms.rng, rooms.peer, rooms.config.peer.listen}, id);
}

void save_people(Rooms& rooms) {
  auto changes = rooms.contacts.take_changes();
  if (!changes.empty()) rooms.out.push(event::SavePeople{std::move(changes)});
}

}  // namespace linnet::node
