// FINGERPRINT (RFC 8489, section 14.7): CRC-32 of ITU V.42, exclusive-or 0x5354554e.
#pragma once

#include "base/bytes.h"

namespace linnet::nat::stun {

// Over all that stands before the attribute, with a length field that counts it.
std::uint32_t fingerprint(ByteView before);

}  // namespace linnet::nat::stun
