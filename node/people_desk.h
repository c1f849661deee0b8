// What a person asks about other people: adds, compares, blocks, forgets. Some of it needs a lookup first.
#pragma once

#include "node/rooms.h"

namespace linnet::node::people_desk {

// Nothing when the answer comes later, as event PeopleDone.
std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Add& add);
std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Verify& verify);
std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Block& block);
std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Forget& forget);
std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::AnswerRequest& answer);

// The lookup that one of them needed.
void on_found(Rooms& rooms, const asker::Desk& asked, const overlay::Found& found);

}  // namespace linnet::node::people_desk
