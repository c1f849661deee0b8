// The rooms that a call walks through, introduced to each other by Node. Everything here belongs to Node.
#pragma once

#include "node/contacts.h"
#include "node/links.h"
#include "node/outbox.h"
#include "sip/core.h"

namespace linnet::node {

struct Rooms {
  const NodeConfig& config;
  const crypto::Identity& identity;
  Rng& rng;
  overlay::Peer& peer;
  sip::Core& sip;
  Contacts& contacts;
  Links& links;
  Outbox& out;
};

// Our endpoints go to this device, so that the link may move to a direct path.
void share_endpoints(Rooms& rooms, Time now, overlay::SessionId link);
// The first answered call makes a contact. The driver stores it.
void make_contact(Rooms& rooms, const crypto::Address& address, const crypto::AccountKey& account);

}  // namespace linnet::node
