// What a person reads who asks for somebody while nobody else is there.
#pragma once

#include <string_view>

namespace linnet::node {

inline constexpr std::string_view kAlone =
    "You are alone: no other node on this LAN or in the host cache. Join: linnet accept CODE";

}  // namespace linnet::node
