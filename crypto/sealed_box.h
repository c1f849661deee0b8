// Sealing under a key derived from a name, and anonymous one-shot sealing to a session key.
#pragma once

#include "base/rng.h"
#include "crypto/address.h"
#include "crypto/suite.h"

namespace linnet::crypto {

// The key under which the inside of a record is sealed: who does not know the name cannot read it.
// hash256("linnet-1 record" || canonical address). The nonce is the record's sequence, which never repeats under one DK; DK is mixed in.
Secret record_key(const Address& address, const DeviceKey& device);

}  // namespace linnet::crypto
