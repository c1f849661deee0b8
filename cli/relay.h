// `linnet relay`: what a volunteer does with a node that relays for others.
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int relay_credentials(const Context& context, const verb::RelayCredentials& options);

}  // namespace linnet::cli
