// This node's key file, unlocked by its person.
#pragma once

#include <utility>

#include "cli/context.h"
#include "node/io/store/key_file.h"

namespace linnet::cli {

using LoadedKey = std::pair<io::KeyFile, crypto::Identity>;

// Asks for the passphrase when the file is locked.
io::Outcome<LoadedKey> load_key(const Context& context, const std::string& passphrase_file);
// Prints address, key name and fingerprint.
void print_identity(const Context& context, const crypto::Identity& identity);

}  // namespace linnet::cli
