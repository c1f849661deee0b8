// Whether this node serves others: never, always, or when it is fit and one is needed.
#pragma once

#include <cstdint>

namespace linnet::io {

enum class RelayMode : std::uint8_t { off, on, automatic };

}  // namespace linnet::io
