#include "node/outbox.h"

namespace linnet::node {

std::optional<Event> Outbox::pop() {
  if (auto event = events_.pop()) return event;
  if (!calls_.empty()) {
    const auto call = *calls_.begin();
    calls_.erase(calls_.begin());
    return event::CallChanged{call};
  }
  if (std::exchange(status_, false)) return event::StatusChanged{};
  return std::nullopt;
}

}  // namespace linnet::node
