// What a SIGHUP changes: the settings read again beside the running ones.
#pragma once

#include <string>
#include <vector>

#include "node/io/settings/config.h"

namespace linnet::io {

struct Changes {
  std::vector<std::string> now;      // "call.ring 60 -> 30", or the key alone for files and addresses: taken over
  std::vector<std::string> restart;  // the same, for what only a restart takes over

  bool any() const { return !now.empty() || !restart.empty(); }
  // "Reloaded: call.ring 60 -> 30. Needs a restart: listen ..." or "Reloaded: nothing has changed."
  std::string text() const;
};

Changes compare(const Settings& before, const Settings& after);

// The running settings with what may change while a node runs. What needs a restart keeps its running value.
Settings take_over(const Settings& running, const Settings& read);

// A key's value as text: every key of config_keys() has one. Empty for an unknown key.
std::string value_text(const Settings& settings, const std::string& key);

}  // namespace linnet::io
