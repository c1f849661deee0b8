#include "node/rooms.h"

namespace linnet::node {

void share_endpoints(Rooms& rooms, Time now, overlay::SessionId id) {
  auto* link = rooms.links.find(id);
  if (link == nullptr || link->shared) return;
  link->shared = true;
  rooms.peer.share_endpoints(now, id);
}

void make_contact(Rooms& rooms, const crypto::Address& address, const crypto::AccountKey& account) {
  if (rooms.contacts.first_contact(address, account)) rooms.out.push(event::SavePin{address, account});
}

}  // namespace linnet::node
