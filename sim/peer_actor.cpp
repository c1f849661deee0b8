#include "sim/peer_actor.h"

namespace linnet::sim {

void PeerActor::settle(Time now) {
  while (auto event = peer_.poll_event()) {
    if (const auto* state = std::get_if<overlay::StateChanged>(&*event)) {
      if (state->state == overlay::State::online && !online_at_) online_at_ = now;
    } else if (const auto* used = std::get_if<overlay::SequenceUsed>(&*event)) {
      sequence_below_ = used->below;
      peer_.sequence_stored(now, used->below);
    } else if (auto* found = std::get_if<overlay::Found>(&*event)) {
      answers_.push_back({std::move(*found), now});
    }
  }
}

}  // namespace linnet::sim
