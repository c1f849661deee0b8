// UTF-8 as far as names need it.
#pragma once

#include <string_view>

namespace linnet::crypto {

// True when `text` is well-formed UTF-8 (RFC 3629) in which every character can be seen: no controls, white space,
// direction marks or characters of no width, by which two names could look alike.
bool is_visible_utf8(std::string_view text);
// Well-formed alone.
bool is_utf8(std::string_view text);

}  // namespace linnet::crypto
