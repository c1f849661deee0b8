// A QR code for the terminal: two modules to a character, dark on light whatever the terminal's colours are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace linnet::cli {

// Lines of block characters with a quiet zone; nothing when the text does not fit into a QR code.
std::optional<std::string> qr(std::string_view text);

}  // namespace linnet::cli
