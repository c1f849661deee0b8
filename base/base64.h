// Base64 with padding (RFC 4648, section 4): key material in SDP, logins at proxies, short-lived passwords of TURN.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace linnet {

std::string to_base64(ByteView bytes);
// Missing padding is tolerated (some senders leave it out); anything else outside the alphabet is not.
std::optional<Bytes> from_base64(std::string_view text);

}  // namespace linnet
