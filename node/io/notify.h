// Tells systemd how we are (sd_notify(3)): datagrams to $NOTIFY_SOCKET, or nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "node/io/loop.h"

namespace linnet::io {

void notify_supervisor(std::string_view state);  // "READY=1", "STOPPING=1", "STATUS=..."
// "RELOADING=1" with the time systemd 253 and later want beside it. READY=1 follows when it is over.
void notify_reloading();

// The keep-alive that systemd asks for with WatchdogSec=: WATCHDOG_USEC of this process (WATCHDOG_PID). Sent from the
// loop, so that a loop that stands still is noticed.
class Watchdog {
 public:
  explicit Watchdog(Loop& loop);

 private:
  void beat();

  Duration every_{};
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
