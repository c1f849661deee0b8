// `linnet relay`: what a volunteer does with a node that relays for others.
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

// `mode`: to be from now on; nothing: as it is.
int relay_status(const Context& context, std::optional<io::RelayMode> mode);
int relay_credentials(const Context& context, const verb::RelayCredentials& options);

}  // namespace linnet::cli
