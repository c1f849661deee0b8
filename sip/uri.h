// SIP and SIPS URIs (RFC 3261 section 19.1, 25.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace linnet::sip {

// The parts of a URI as they stand in the text that was parsed, escapes included; the text must outlive the view.
struct UriView {
  std::string_view scheme;    // "sip", "sips", or any other scheme, whose rest is in `opaque`
  std::string_view userinfo;  // user[:password] without the '@'; empty when absent
  std::string_view host;      // with brackets when an IPv6 reference
  std::uint16_t port = 0;     // 0 when absent
  std::string_view params;    // "transport=tcp;lr", without the leading ';'
  std::string_view headers;   // behind '?'
  std::string_view opaque;    // everything behind "scheme:" when it is neither sip nor sips
  bool is_sip() const { return opaque.empty() && !host.empty(); }
  std::string_view user() const { return userinfo.substr(0, userinfo.find(':')); }
};

// The whole of `text` is one absolute URI. Fault::malformed otherwise. A scheme other than sip and sips parses with
// `opaque` set, since it may stand in To and Contact, and gets 416 as a Request-URI.
Result<UriView> parse_uri(std::string_view text);
bool parse_uri(std::string_view text, UriView& out);  // the same for the hot path; false is Fault::malformed

// "user@host" with the host and the user part in lower case and escapes undone (%00 stays: it must not end a name);
// the host alone when there is no user. What a peer's record is matched against. Other schemes give their text as it
// is.
std::string canonical_address(const UriView& uri);

// A URI that owns its text.
struct Uri {
  std::string scheme = "sip";
  std::string user;  // escaped as on the wire
  std::string host;
  std::uint16_t port = 0;
  std::string params;

  // "sip:user@host;params", or "user@host" alone. Only sip and sips.
  static std::optional<Uri> parse(std::string_view text);
  static Uri from(const UriView& view);
  std::string to_string() const;
  std::string address() const;  // canonical_address()

  bool operator==(const Uri&) const = default;
};

// Escapes everything that may not stand in the user part (RFC 3261 section 25.1, user-unreserved).
std::string escape_user(std::string_view user);

}  // namespace linnet::sip
