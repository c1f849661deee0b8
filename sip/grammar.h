// The rules for header values of RFC 3261 section 25.1, one for each header, and those of its extensions that this
// program knows. parse() holds the fields that a transaction or a dialog uses to them at the door; the others are
// held to them by whoever uses them (RFC 3261 section 8.2: what is not needed is not judged).
#pragma once

#include <string_view>

#include "sip/header.h"

namespace linnet::sip {

// The whole value of one field, trimmed, folding inside. A list header holds a list.
bool follows_grammar(HeaderId id, std::string_view value);

// *( token ) by comma; the whole of `s`.
bool is_token_list(std::string_view s, bool may_be_empty);
// callid = word [ "@" word ]
bool is_call_id(std::string_view s);
// media-type; `type` gets "type/subtype" as it stands.
bool take_media_type(std::string_view s, std::string_view& type);

// RAck (RFC 3262 section 7.2).
struct RAck {
  std::uint32_t response = 0;  // RSeq of the provisional response
  std::uint32_t cseq = 0;
  Method method = Method::unknown;
};
bool parse_rack(std::string_view s, RAck& out);

}  // namespace linnet::sip
