// What waits for the driver. Status and call changes are said once, however often something changed meanwhile.
#pragma once

#include <set>
#include <utility>

#include "base/machine.h"
#include "node/event.h"

namespace linnet::node {

class Outbox {
 public:
  void push(Event event) { events_.push(std::move(event)); }
  void changed(CallId call) {
    calls_.insert(call);
    status_ = true;
  }
  void status_changed() { status_ = true; }
  void ended(CallId call) { calls_.erase(call); }

  bool empty() const { return events_.empty() && calls_.empty() && !status_; }
  std::optional<Event> pop();

 private:
  BoundedQueue<Event> events_{4096};
  std::set<CallId> calls_;
  bool status_ = false;
};

}  // namespace linnet::node
