// `linnet conf`: conferences from the command line. One that is begun or joined is followed like a call (cli/call.h).
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int conf_new(const Context& context, const verb::ConfNew& options);
int conf_join(const Context& context, const verb::ConfJoin& options);
int conf_list(const Context& context);
int conf_invite(const Context& context, const verb::ConfInvite& options);
int conf_leave(const Context& context, const verb::ConfLeave& options);
int conf_mute(const Context& context, const verb::ConfMute& options);
int conf_kick(const Context& context, const verb::ConfKick& options);
int conf_forget(const Context& context, const verb::ConfForget& options);
int conf_keepers(const Context& context, const verb::ConfKeepers& options);
int conf_dismiss(const Context& context, const verb::ConfDismiss& options);
int conf_lock(const Context& context, const verb::ConfLock& options);

}  // namespace linnet::cli
