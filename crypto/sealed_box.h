// Sealing under a key derived from a name: who does not know the name cannot read it.
#pragma once

#include "crypto/address.h"
#include "crypto/suite.h"

namespace linnet::crypto {

// The key under which the inside of a record is sealed: hash256("linnet-1 record" || network id || DK || canonical address).
// The nonce is the record's sequence, which never repeats under one DK.
Secret record_key(const NetworkId& network, const Address& address, const DeviceKey& device);

}  // namespace linnet::crypto
