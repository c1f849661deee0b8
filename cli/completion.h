// `linnet completion`: scripts for the shells, made of the grammar, and the names they complete.
#pragma once

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

// "bash", "zsh" or "fish"; empty for another shell.
std::string completion_script(const std::string& shell);

int completion(const Context& context, const verb::Completion& options);

}  // namespace linnet::cli
