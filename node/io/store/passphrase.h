// Where a passphrase comes from: a file, LINNET_PASSPHRASE, or the person at the terminal.
#pragma once

#include <string>

#include "node/io/trouble.h"

namespace linnet::io {

struct PassphraseFrom {
  std::string file;    // --passphrase-file: its first line; must be closed to others
  std::string prompt;  // "Passphrase of identity.key: "
  bool twice = false;  // a new one, typed a second time
};

// Trouble when there is none, saying how to give it.
Outcome<std::string> find_passphrase(const PassphraseFrom& from);

}  // namespace linnet::io
