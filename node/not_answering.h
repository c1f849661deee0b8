// What a person reads who called somebody that is known and cannot be reached.
#pragma once

#include "node/call_facts.h"

namespace linnet::node {

// The ways to a device that the overlay took: "192.0.2.1:4400 timed out" of a supernode's person, "no answer through
// 198.51.100.2:4400" of each home of a leaf.
std::vector<std::string> ways_tried(const overlay::FoundDevice& device);

// "bob is known but not answering: no answer through 198.51.100.2:4400; no answer through 198.51.101.2:4400.", and on a
// line of its own when they were last seen.
std::string not_answering(const Rooms& rooms, const crypto::Address& peer, const std::vector<std::string>& tried);

}  // namespace linnet::node
