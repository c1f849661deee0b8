// One daemon of the demo: a process of its own with a home of its own, gone with us however we go.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/client.h"

namespace linnet::cli {

struct DemoPlan {
  std::string name;              // also its folder's
  std::string address;           // name@domain
  std::vector<std::string> up;   // further flags of `linnet up`
};

class DemoNode {
 public:
  // Spawns it and waits until it listens.
  static io::Outcome<DemoNode> start(const std::filesystem::path& folder, const DemoPlan& plan, int interrupt);
  DemoNode(DemoNode&& other) noexcept;
  DemoNode& operator=(DemoNode&&) = delete;
  ~DemoNode();  // killed, if it still runs

  // Waits for `state` online.
  io::Done online(Duration limit, int interrupt) const;
  // Status object, one line.
  io::Outcome<std::string> status() const;
  // The newest line of history.
  io::Outcome<std::string> last_call() const;

  void kill();       // -9, by its process id
  void terminate();  // asks it to leave; does not wait
  void wait(Duration limit);

  const std::string& name() const { return name_; }
  const std::string& endpoint() const { return endpoint_; }
  const io::Home& home() const { return home_; }

 private:
  DemoNode(std::string name, io::Home home) : name_(std::move(name)), home_(std::move(home)) {}

  std::string name_;
  io::Home home_;
  std::string endpoint_;
  int pid_ = 0;
};

}  // namespace linnet::cli
