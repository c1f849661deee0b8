// The digests that protocols of others ask for: STUN and TURN (RFC 8489, RFC 8656), SIP digest. Ours use `Suite`.
#pragma once

#include <initializer_list>

#include "base/bytes.h"
#include "base/result.h"

namespace linnet::crypto {

using Md5 = ByteArray<16>;
using Sha1 = ByteArray<20>;
using Sha256 = ByteArray<32>;

// All over the concatenation of the parts.
// RFC 1321. Fault::unsupported where the system's cryptography forbids it (FIPS mode).
Result<Md5> md5(std::initializer_list<ByteView> parts);
Sha256 sha256(std::initializer_list<ByteView> parts);
// RFC 2104, with keys of any length.
Sha1 hmac_sha1(ByteView key, std::initializer_list<ByteView> parts);
Sha256 hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);

}  // namespace linnet::crypto
