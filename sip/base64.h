// RFC 4648 base64 with padding, for key material in SDP.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace linnet::sip {

std::string to_base64(ByteView bytes);
// Missing padding is tolerated (some senders leave it out); anything else outside the alphabet is not.
std::optional<Bytes> from_base64(std::string_view text);

}  // namespace linnet::sip
