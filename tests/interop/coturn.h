// Debian's TURN server (package coturn) on the loopback, on ports that nobody has.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/io/home_folder.h"
#include "tests/scenario/process.h"

namespace linnet::interop {

class Coturn {
 public:
  static constexpr const char* kProgram = "/usr/bin/turnserver";
  static bool here() { return std::filesystem::exists(kProgram); }

  // User "phone", password "long and secret". Returns when it takes connections.
  testing::AssertionResult up(const std::vector<std::string>& more = {});
  // On the loopback, for streams and for datagrams.
  static std::uint16_t free_port();
  std::uint16_t port() const { return port_; }
  std::uint16_t tls_port() const { return tls_port_; }

 private:
  bool try_once(const std::vector<std::string>& more);

  io::HomeFolder folder_;
  std::unique_ptr<scenario::Process> process_;
  std::uint16_t port_ = 0, tls_port_ = 0;
};

}  // namespace linnet::interop
