// A room is an account of its own: its key is derived from its founder's, so nothing new is to be kept secret, and it
// certifies the devices of those who keep it (docs/decisions/041).
#pragma once

#include "crypto/identity.h"

namespace linnet::crypto {

// The room's account pair. Its seed: BLAKE2b-256 keyed with the founder's account seed (RFC 7693 section 2.9), over
// "linnet-1 room" || canonical address. certify() with it says that a device may say who is in the room.
SigningPair room_account(const Suite& suite, const SigningPair& founder, const Address& room);

}  // namespace linnet::crypto
