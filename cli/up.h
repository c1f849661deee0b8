// `linnet up`: the daemon, in the background or in the foreground.
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int up(const Context& context, const verb::Up& options);

}  // namespace linnet::cli
