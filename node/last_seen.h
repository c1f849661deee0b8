// When a contact was last heard from: kept while links stand, and told when they cannot be reached.
#pragma once

#include <string>

#include "node/rooms.h"

namespace linnet::node {

// A link came up.
void note_heard(Rooms& rooms, Link& link);
// About once a second: what the links heard meanwhile. Stored now and then, and when a link ends.
void note_heard(Rooms& rooms, Time now);
void note_heard(Rooms& rooms, const Link& link, overlay::DownReason why);

// "\n  Last seen 14 min ago.", empty when nothing is known of that.
std::string last_seen(const Contact* contact, Wall now);
// "bob is known but not online: no device of theirs can be found now.", when they were last seen, and whether our own
// clock may be why.
std::string not_online(const Rooms& rooms, const std::string& who, const Contact* contact);

}  // namespace linnet::node
