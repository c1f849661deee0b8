// A node brought up in order: lock, key, store, ports, names of bootstrap nodes, node, control socket. Each step's
// failure is one sentence, and nothing after it has happened.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "node/io/settings/config.h"
#include "node/io/settings/home.h"
#include "node/io/store/key_file.h"

namespace linnet::io {

class Daemon {
 public:
  struct Started {
    crypto::Address uri;
    crypto::Address key_name;
    std::vector<Endpoint> listen;
    bool new_identity = false;
    std::vector<std::string> unresolved;  // bootstrap names without an address
  };

  // Reads the settings once more: for SIGHUP.
  using Reread = std::function<Outcome<Settings>()>;

  // `user` names a new identity when there is none. `ask` is called when the key file is locked.
  static Outcome<std::unique_ptr<Daemon>> start(const Home& home, const Settings& settings, const std::string& user,
                                                const AskPassphrase& ask, Reread reread = nullptr);
  ~Daemon();

  const Started& started() const;
  // Until SIGTERM, SIGINT or a `down` request; calls are drained. SIGHUP reads the settings again.
  void run();

 private:
  struct Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::io
