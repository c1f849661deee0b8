// In words: why a link is by the way that it is, and what came of each supernode that was asked to pass it on. What
// `call --explain`, doctor, status and the sentences about who does not answer have in common.
#pragma once

#include <string>

#include "node/path_watch.h"
#include "node/rooms.h"

namespace linnet::node {

// Of a relayed path: by whom besides `via`, and whose NAT keeps the two apart. Of a stream: that no UDP gets through.
// Empty: there is nothing to say.
std::string why_by(const Rooms& rooms, overlay::SessionId link, const PathWatch& path);

// "stands", "no answer", "full", ...; where our own supernode carries it there, "stands across 198.51.100.9:4400".
std::string result_of(const overlay::CircuitTry& circuit);
// As one of the ways to somebody who does not answer: "relay 198.51.100.2:4400 full".
std::string as_a_way(const overlay::CircuitTry& circuit);

}  // namespace linnet::node
