// Refer-To (RFC 3515): whom to send what request.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sip/replaces.h"
#include "sip/uri.h"

namespace linnet::sip {

struct ReferTo {
  Uri who;                             // without the method
  std::string method = "INVITE";       // BYE takes a member out of a conference (RFC 4579 section 5.5)
  std::optional<DialogName> replaces;  // as `who` has it: the call goes in its place (RFC 5589)
};

// Other header fields of the URI are passed over. Fault::unsupported: not a SIP URI.
Result<ReferTo> parse_refer_to(std::string_view value);
std::string refer_to_value(const ReferTo& refer_to);

}  // namespace linnet::sip
