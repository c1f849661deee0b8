// The rooms that a call walks through, introduced to each other by Node. Everything here belongs to Node.
#pragma once

#include "node/askers.h"
#include "node/contacts.h"
#include "node/links.h"
#include "node/outbox.h"
#include "node/traversal.h"
#include "sip/core.h"

namespace linnet::node {

struct Rooms {
  const NodeConfig& config;
  const crypto::Suite& suite;
  const crypto::Identity& identity;
  Rng& rng;
  overlay::Peer& peer;
  Traversal& traversal;
  sip::Core& sip;
  Contacts& contacts;
  Links& links;
  Askers& askers;  // of lookups
  Outbox& out;
  Wall wall{};
};

// This device may learn our endpoints, so that the link may move to a direct path.
void share_endpoints(Rooms& rooms, Time now, overlay::SessionId link);
// What the contacts say changed goes to the driver, which stores it before anything that rests on it leaves.
void save_people(Rooms& rooms);

}  // namespace linnet::node
