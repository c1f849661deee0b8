// The parser of sofia-sip, for the side-by-side figure. Built only where libsofia-sip-ua-dev is.
#pragma once

#include <string>

namespace linnet::bench {

// Parses `text` into a message object of sofia-sip, has it checked, and throws it away.
bool sofia_parses(const std::string& text);

}  // namespace linnet::bench
