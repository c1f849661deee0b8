// Why a node is not online, for a person.
#pragma once

#include "node/node.h"

namespace linnet::node {

// One sentence or two; empty when it is online.
std::string why_not_online(const NodeStatus& status, const dht::NetworkClock& clock);

}  // namespace linnet::node
