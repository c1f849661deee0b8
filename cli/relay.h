// `linnet relay`: what a volunteer does with a node that relays for others.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

// What the daemon says of its role. `mode`: to be from now on; nothing: as it is.
io::Outcome<nlohmann::ordered_json> relay_view(const Context& context, std::optional<io::RelayMode> mode);
int relay_status(const Context& context, std::optional<io::RelayMode> mode);
int relay_credentials(const Context& context, const verb::RelayCredentials& options);

}  // namespace linnet::cli
