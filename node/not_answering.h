// What a person reads who called somebody that is known and cannot be reached.
#pragma once

#include "node/call_facts.h"

namespace linnet::node {

// The ways to a device that were taken, and what came of each: "LAN not seen", "203.0.113.9:40112 timed out" of each of
// its own addresses that we were told (of a supernode's person: of the record's), "no answer through
// 198.51.100.2:4400", "relay 198.51.100.2:4400 full" of each home of a leaf.
std::vector<std::string> ways_tried(const Rooms& rooms, const overlay::FoundDevice& device,
                                    const overlay::LinkDown& down);

// "bob is known but not answering: no answer through 198.51.100.2:4400; no answer through 198.51.101.2:4400.", and on a
// line of its own when they were last seen.
std::string not_answering(const Rooms& rooms, const crypto::Address& peer, const std::vector<std::string>& tried);

}  // namespace linnet::node
