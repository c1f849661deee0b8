// `linnet call` and `linnet answer`: the receiver in a person's hand, until the call is over.
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int call(const Context& context, const verb::Call& options);
int answer(const Context& context, const verb::Answer& options);

}  // namespace linnet::cli
