#include "node/not_online.h"

#include <algorithm>

#include "node/own_clock.h"

namespace linnet::node {

std::string why_not_online(const NodeStatus& status, const dht::NetworkClock& clock) {
  if (status.state == overlay::State::online) return {};
  if (status.state == overlay::State::alone) return "No supernode is known, or none of those that are answers.";
  const auto& all = status.supernodes;
  const auto attached = std::count_if(all.begin(), all.end(), [](const auto& s) { return s.attached; });
  const auto full = std::count_if(all.begin(), all.end(), [](const auto& s) { return s.full; });
  // Who turned us away closed the session, and answers all the same.
  const auto answer = std::count_if(all.begin(), all.end(), [](const auto& s) { return s.full || s.rtt; });
  // What it signs is out of its time there, so that nobody stores its record.
  if (answer > 0) {
    if (auto wrong = wrong_clock(clock); !wrong.empty())
      return "What this node signs is out of its time for the supernodes. " + wrong;
  }
  if (attached > 0)
    return "Attached to " + std::to_string(attached) + (attached == 1 ? " supernode" : " supernodes") +
           "; this node's record is not stored yet.";
  if (full > 0 && full == answer) return "Every supernode that answers is full; they are asked again and again.";
  return answer > 0 ? "A supernode answers, and serves this node not yet." : "No supernode has answered yet.";
}

}  // namespace linnet::node
