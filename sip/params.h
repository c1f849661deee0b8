// generic-param lists: *( SEMI token [ EQUAL ( token / host / quoted-string ) ] ) (RFC 3261 section 25.1).
#pragma once

#include <string_view>

#include "sip/chars.h"

namespace linnet::sip {

// A value as it stands; of a quoted string the inside. Addresses may lack brackets (RFC 5118 section 4.5).
inline bool take_param_value(std::string_view& s, std::string_view& value) {
  if (!s.empty() && s.front() == '"') {
    const auto quoted = chars::take_quoted(s);
    if (quoted) value = *quoted;
    return quoted.has_value();
  }
  value = chars::take(s, chars::kParamHost);
  return !value.empty();
}

// A value handed to a sink that stood as a token: in front of it stands its '=', not a quote.
inline bool is_token_value(std::string_view value) { return chars::is_token(value) && value.data()[-1] != '"'; }

// Takes the list off the front of `s` and hands each parameter to `sink(name, value)`. False when it is malformed; `s`
// then stands anywhere. Trailing white space is taken too.
template <class Sink>
bool take_params(std::string_view& s, Sink&& sink) {
  while (chars::take_separator(s, ';')) {
    const auto name = chars::take(s, chars::kToken);
    if (name.empty()) return false;
    std::string_view value;
    if (chars::take_separator(s, '=') && !take_param_value(s, value)) return false;
    sink(name, value);
  }
  return true;
}

// True if the list has that feature tag (RFC 3840 section 9): alone, or with a value that does not begin by denying it.
inline bool has_feature(std::string_view params, std::string_view tag) {
  bool found = false;
  take_params(params, [&](std::string_view name, std::string_view value) {
    if (chars::iequal(name, tag)) found = !chars::iequal(value, "FALSE") && !value.starts_with('!');
  });
  return found;
}

}  // namespace linnet::sip
