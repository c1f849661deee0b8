// What the service says by itself: the bell to the person, a line of status to systemd.
#include "node/io/clock.h"
#include "node/io/control/service.h"
#include "node/io/notify.h"

namespace linnet::io {
namespace {

std::string count(std::size_t n, const std::string& one) { return std::to_string(n) + " " + one + (n == 1 ? "" : "s"); }

}  // namespace

void Service::ring() {
  if (leaving_) return;
  const auto status = driver_.node().status(now());
  ringer_.set(settings_.sound ? bell_for(status.calls, [this](node::CallId call) { return driver_.aloud(call); })
                              : Bell::silent);
}

void Service::tell_supervisor(const node::Status& status) {
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

void Service::reloaded() {
  ringer_.use(settings_.ring_tone, settings_.ringback);
  ring();
}

}  // namespace linnet::io
