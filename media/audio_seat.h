// A place at a mixer: one member of a conference, as long as he is in it.
#pragma once

#include <cstdint>

namespace linnet::media {

enum class Seat : std::uint32_t {};

}  // namespace linnet::media
