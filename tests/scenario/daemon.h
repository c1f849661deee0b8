// A real daemon with a home and a port of its own. Started as a person starts it; killed with the test.
#pragma once

#include <functional>

#include "tests/io/home_folder.h"
#include "tests/scenario/process.h"

namespace linnet::scenario {

class Daemon {
 public:
  explicit Daemon(std::string address) : address_(std::move(address)) {}
  ~Daemon();

  // `id new` if there is no identity yet, then `up --listen 127.0.0.1:0`.
  testing::AssertionResult up(std::vector<std::string> flags = {});
  Ran run(std::vector<std::string> arguments) const;
  // `linnet --home DIR` and the arguments, for a Process of one's own.
  std::vector<std::string> line(std::vector<std::string> arguments) const;
  Json status() const;
  // Follows `status --watch --json` until the predicate holds.
  testing::AssertionResult until(const std::function<bool(const Json&)>& holds, int limit_ms = 30'000) const;
  testing::AssertionResult online() const;
  // One answer of the control socket.
  Json ask(const std::string& request) const;
  void kill_nine();
  // Of the daemon, from its next start on.
  void environment(Environment environment) { environment_ = std::move(environment); }
  int pid() const { return pid_; }

  const io::HomeFolder& home() const { return home_; }
  const std::string& address() const { return address_; }
  std::string endpoint() const { return status()["listen"][0].get<std::string>(); }

 private:
  std::string address_;
  io::HomeFolder home_;
  Environment environment_;
  int pid_ = 0;
};

}  // namespace linnet::scenario
