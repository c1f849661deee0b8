// The commands that ask once and print.
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int down(const Context& context);
int status(const Context& context, const verb::Status& options);
int hangup(const Context& context, const verb::Hangup& options);
int hold(const Context& context, const verb::Hold& options);
int mute(const Context& context, const verb::Mute& options);
int dtmf(const Context& context, const verb::Dtmf& options);
int who(const Context& context, const verb::Who& options);
int log(const Context& context, const verb::Log& options);

// Without a daemon.
int id_show(const Context& context, const verb::IdShow& options);
int id_backup(const Context& context, const verb::IdBackup& options);
int id_restore(const Context& context, const verb::IdRestore& options);
int id_revoke(const Context& context, const verb::IdRevoke& options);
int id_new(const Context& context, const verb::IdNew& options);
int config_check(const Context& context, const verb::ConfigCheck& options);

}  // namespace linnet::cli
