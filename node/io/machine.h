// What this machine has to give, for who thinks of running a supernode on it, and for a node that may become one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "node/fitness.h"

namespace linnet::io {

struct MachineFacts {
  unsigned cores = 0;
  double memory_gb = 0;
  std::string port_80, port_443;  // TCP: "free", "taken", "not allowed"
};

MachineFacts look_at_machine();

// Sealed and opened of 1,200 bytes, for a second of one core's time. Takes some milliseconds.
double packets_per_core_second();

// Looks at power, memory and CPU again and again; Linux tells them by files, below `root` for tests.
class MachineWatch {
 public:
  explicit MachineWatch(std::filesystem::path root = "/") : root_(std::move(root)) {}

  // The idle share is that since the last look; of the first since the machine's start. Without what costs time: the
  // link, and the packets.
  node::MachineState look();
  // Cores that nothing else uses, since the last look of either kind: what is idle, and what this program uses itself.
  double spare_cores();
  // That this program may use: its CPUs, and its share of their time.
  double cores() const;

 private:
  struct Ticks {
    double idle = 0, all = 0, own = 0;
  };
  std::string read(const std::filesystem::path& path) const;
  bool drains_a_battery() const;
  std::uint64_t memory_free() const;
  std::optional<Ticks> ticks() const;
  std::filesystem::path group() const;
  std::vector<std::filesystem::path> cpu_groups() const;
  double own_ticks() const;
  std::optional<Ticks> since_last();

  std::filesystem::path root_;
  Ticks before_;
};

// True once the machine slept (suspended to memory or disk) since it was asked last.
class SleepWatch {
 public:
  bool slept();

 private:
  std::optional<std::int64_t> away_;  // microseconds asleep since the start
};

}  // namespace linnet::io
