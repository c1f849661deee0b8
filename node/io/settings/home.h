// Where a node keeps its things. With --home everything lies in one folder; without, in the XDG folders.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "node/io/files.h"

namespace linnet::io {

struct Home {
  std::filesystem::path data;                  // identity.key, store.db, hosts.db
  std::filesystem::path runtime;               // control.sock
  std::filesystem::path state;                 // linnet.log
  std::vector<std::filesystem::path> configs;  // weakest first; those that do not exist are skipped

  std::filesystem::path identity() const { return data / "identity.key"; }
  std::filesystem::path store() const { return data / "store.db"; }
  std::filesystem::path hosts() const { return data / "hosts.db"; }
  std::filesystem::path sound() const { return data / "audio.json"; }
  std::filesystem::path control() const { return runtime / "control.sock"; }
  std::filesystem::path log() const { return state / "linnet.log"; }
  std::filesystem::path config() const { return configs.back(); }
};

// `folder` is --home or LINNET_HOME; empty means the XDG folders: config ~/.config/linnet, data ~/.local/share/linnet,
// log
// ~/.local/state/linnet, socket $XDG_RUNTIME_DIR/linnet or ~/.linnet/run. Trouble when HOME is not set either.
Outcome<Home> find_home(const std::string& folder);
// Makes the folders, and refuses those that are open to other users.
Done make_home(const Home& home);

// Held for the life of a daemon, gone with it however it dies. The lock is on the data folder itself: no file to go
// stale.
class HomeLock {
 public:
  // Nothing when another process holds it.
  static Outcome<std::optional<HomeLock>> take(const Home& home);

 private:
  explicit HomeLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace linnet::io
