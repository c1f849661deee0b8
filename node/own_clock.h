// What a person should know whose clock is wrong while too few supernodes are heard to go by theirs.
#pragma once

#include <string>

#include "node/rooms.h"

namespace linnet::node {

// "This machine's clock is 3 days behind that of 1 supernode, and records are judged by it. Set it: timedatectl
// set-ntp true"; empty when the clock is right within a minute, or is not what records are judged by.
std::string wrong_clock(const dht::NetworkClock& clock);
// The same on a line of its own behind another.
std::string wrong_clock(const Rooms& rooms);

}  // namespace linnet::node
