// `who`: a name looked up for a person who only wants to know. Answered by events WhoResult and Done.
#pragma once

#include "node/rooms.h"

namespace linnet::node {

void ask_who(Rooms& rooms, Time now, CommandId command, const std::string& name);
void answer_who(Rooms& rooms, const asker::Who& asker, const overlay::Found& found);

}  // namespace linnet::node
