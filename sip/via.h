// Via (RFC 3261 section 20.42) and CSeq (section 20.16).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "sip/header.h"

namespace linnet::sip {

// Branches that begin so are unique among all transactions (section 8.1.1.7); others are matched as RFC 2543 did.
inline constexpr std::string_view kMagicCookie = "z9hG4bK";

struct ViaView {
  std::string_view transport;  // "LINNET", "UDP", ...
  std::string_view host;
  std::uint16_t port = 0;
  std::string_view branch;    // empty when absent
  std::string_view received;  // empty when absent
  bool unique_branch() const { return branch.size() > kMagicCookie.size() && branch.starts_with(kMagicCookie); }
};

// Takes one element off the front, up to a comma or the end; false when it is none.
bool take_via(std::string_view& s, ViaView& out);

struct CSeq {
  std::uint32_t number = 0;  // below 2^31 (section 8.1.1.5)
  Method method = Method::unknown;
  std::string_view method_text;
};
Result<CSeq> parse_cseq(std::string_view s);

}  // namespace linnet::sip
