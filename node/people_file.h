// The people a backup carries: contacts and pins, without invitations and requests. Fixed binary.
#pragma once

#include "node/config.h"

namespace linnet::node {

Bytes write_people(const Memory& memory);
// What to store in the restored device's store.
Result<std::vector<Change>> read_people(ByteView bytes);

}  // namespace linnet::node
