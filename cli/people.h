// `linnet invite`, `accept` and `contact`.
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int invite(const Context& context, const verb::Invite& options);
int accept(const Context& context, const verb::Accept& options);
int contact_add(const Context& context, const verb::ContactAdd& options);
int contact_list(const Context& context, const verb::ContactList& options);
int contact_verify(const Context& context, const verb::ContactVerify& options);
int contact_block(const Context& context, const verb::ContactBlock& options);
int contact_forget(const Context& context, const verb::ContactForget& options);
int contact_request(const Context& context, const verb::ContactRequest& options);

}  // namespace linnet::cli
