// name-addr and addr-spec, as From, To, Contact and Referred-By hold them (RFC 3261 section 20.10).
#pragma once

#include <string>
#include <string_view>

#include "sip/uri.h"

namespace linnet::sip {

struct NameAddrView {
  std::string_view display;   // tokens, or the inside of the quotes with escapes; see unquoted()
  std::string_view uri_text;  // without <>
  UriView uri;
  std::string_view params;  // behind the URI, from the first ';' on; of a bare URI all of them
  std::string_view tag;     // empty when absent
  bool in_angles = false;   // the URI stood in <>, as Route and Record-Route must have it
};

// Takes one element off the front, up to a comma or the end. Between bare URI and parameters stands a ';': without <> a
// URI holds no comma, question mark or semicolon.
Result<NameAddrView> take_name_addr(std::string_view& s);
bool take_name_addr(std::string_view& s, NameAddrView& out);  // the same for the hot path; false is Fault::malformed
// The whole value is one element.
Result<NameAddrView> parse_name_addr(std::string_view s);

// Undoes quoted-pairs; control characters become '?', for the text is shown to people.
std::string unquoted(std::string_view inside);
// `"text"` with quoted-pairs where needed; control characters are left out.
std::string quoted(std::string_view text);

// "\"Display\" <uri>;tag=t"
std::string name_addr(std::string_view display, std::string_view uri, std::string_view tag = {});

}  // namespace linnet::sip
