// `linnet demo`: the first minute. Five daemons on this machine, real calls, and a verdict on what was heard.
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int demo(const Context& context, const verb::Demo& options);

}  // namespace linnet::cli
