// What the service says by itself: the bell to the person, a line of status to systemd, each change to who watches.
#include <unistd.h>

#include "node/io/clock.h"
#include "node/io/control/lines.h"
#include "node/io/control/service.h"
#include "node/io/notify.h"

namespace linnet::io {
namespace {

std::string count(std::size_t n, const std::string& one) { return std::to_string(n) + " " + one + (n == 1 ? "" : "s"); }

}  // namespace

void Service::ring() {
  if (leaving_) return;
  const auto status = driver_.node().status(now());
  ringer_.set(settings_.sound
                  ? bell_for(status.calls, [this](node::CallId call) { return driver_.sound().aloud(call); })
                  : Bell::silent);
}

void Service::tell_supervisor(const node::NodeStatus& status) {
  if (leaving_) return;
  const char* state = status.state == overlay::State::online  ? "online"
                      : status.state == overlay::State::alone ? "alone"
                                                              : "starting";
  std::size_t attached = 0;
  for (const auto& supernode : status.supernodes) attached += supernode.attached ? 1 : 0;
  std::string text =
      std::string("STATUS=") + state + ", " + count(attached, "supernode") + ", " + count(status.calls.size(), "call");
  if (text == told_supervisor_) return;
  told_supervisor_ = std::move(text);
  notify_supervisor(told_supervisor_);
}

// One line per change: a line that says what the last one said is not sent.
void Service::tell_watchers() {
  if (watchers_.empty()) return;
  const std::string line = status_line(), said = lines::lasting(line);
  std::vector<ClientId> clients;
  for (auto& [client, last] : watchers_) {
    if (last == said) continue;
    last = said;
    clients.push_back(client);
  }
  for (const auto client : clients) control_->send(client, line);
}

std::string Service::status_line() const {
  return lines::status(driver_.node().status(now()), driver_.ports().bound(), static_cast<int>(::getpid()),
                       driver_.sound().in_use(), driver_.turn(), driver_.turn_carrier());
}

void Service::reloaded() {
  ringer_.use(settings_.ring_tone, settings_.ringback);
  ring();
}

}  // namespace linnet::io
