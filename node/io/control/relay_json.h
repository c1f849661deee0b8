// `linnet relay status`: what this node does for others, and what it is asked for before it does, as JSON. As in
// view_json.h an unknown value is null and no key is left out.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "node/io/driver.h"

namespace linnet::io {

// What a supernode relays and refuses; null in a leaf.
nlohmann::ordered_json relayed_json(const std::optional<overlay::RelayStatus>& relay);
nlohmann::ordered_json relay_json(const Driver& driver);

}  // namespace linnet::io
