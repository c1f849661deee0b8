// `linnet doctor`: what is well, what is not, and the command that mends it.
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int doctor(const Context& context, const verb::Doctor& options);

}  // namespace linnet::cli
