// The rooms that a call walks through, introduced to each other by Node. Everything here belongs to Node.
#pragma once

#include "node/askers.h"
#include "node/contacts.h"
#include "node/links.h"
#include "node/nat_watch.h"
#include "node/outbox.h"
#include "node/room_book.h"
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
  const NatWatch& nat;
  RoomBook& book;
};

// This device may learn our endpoints, so that the link may move to a direct path, and what our NAT does with them.
void share_endpoints(Rooms& rooms, Time now, overlay::SessionId link);
// Addresses of the other end that its link has checked, and whether they answered.
std::vector<path_message::Tried> tried_from_here(const Rooms& rooms, overlay::SessionId link);
// Why the link is relayed, in both ends' NATs; empty: nobody knows, or a direct path may still come.
std::string why_relayed(const Rooms& rooms, overlay::SessionId link);
// What a call on this link met, and what then is all that the link has room for.
overlay::Room note_room(Rooms& rooms, Time now, overlay::SessionId link, sip::CallId call, std::optional<int> ceiling,
                        double lateness_ms);
// The call is over, or goes on by another link.
void forget_room(Rooms& rooms, Time now, overlay::SessionId link, sip::CallId call);
// What our NAT does, to everybody who has our endpoints and was not told so yet.
void tell_network(Rooms& rooms, Time now);
// What a device that has our endpoints says of its network, or asks of ours. False: it was something else.
bool hear_network(Rooms& rooms, Time now, const overlay::LinkMessage& message);
// What the contacts say changed goes to the driver, which stores it before anything that rests on it leaves.
void save_people(Rooms& rooms);

}  // namespace linnet::node
