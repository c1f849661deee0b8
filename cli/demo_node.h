// One daemon of the demo: a process of its own with a home of its own, gone with us however we go.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "node/io/control/control_client.h"
#include "node/io/process.h"

namespace linnet::cli {

struct DemoPlan {
  std::string name;             // also its folder's
  std::string address;          // name@domain
  std::vector<std::string> up;  // further flags of `linnet up`
};

class DemoNode {
 public:
  // Spawns it and waits until it listens.
  static io::Outcome<DemoNode> start(const std::filesystem::path& folder, const DemoPlan& plan, int interrupt);
  // Waits for `state` online.
  io::Done online(Duration limit, int interrupt) const;
  // Status object, one line.
  io::Outcome<std::string> status() const;
  // The newest line of history.
  io::Outcome<std::string> last_call() const;

  io::Child& process() { return child_; }

  const std::string& name() const { return name_; }
  const std::string& endpoint() const { return endpoint_; }
  const io::Home& home() const { return home_; }

 private:
  DemoNode(std::string name, io::Home home, io::Child child)
      : name_(std::move(name)), home_(std::move(home)), child_(std::move(child)) {}

  std::string name_;
  io::Home home_;
  std::string endpoint_;
  io::Child child_;
};

}  // namespace linnet::cli
