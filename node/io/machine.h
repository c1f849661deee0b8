// What this machine has to give, for who thinks of running a supernode on it.
#pragma once

#include <string>

namespace linnet::io {

struct MachineFacts {
  unsigned cores = 0;
  double memory_gb = 0;
  std::string port_80, port_443;  // TCP: "free", "taken", "not allowed"
};

MachineFacts look_at_machine();

}  // namespace linnet::io
