// `linnet audio`: the devices of this machine. Only `status` asks the daemon; the others open the devices themselves.
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int audio_list(const Context& context);
int audio_set(const Context& context, const verb::AudioSet& options);
int audio_test(const Context& context, const verb::AudioTest& options);
int audio_status(const Context& context);

}  // namespace linnet::cli
