// Good-bye in three steps: calls are ended and their BYEs get their time, the overlay is told, the driver is told.
#include <algorithm>

#include "node/node_impl.h"

namespace linnet::node {

void Node::Impl::leave_step(Time now) {
  if (leaving == Leaving::no || leaving == Leaving::left) return;
  if (leaving == Leaving::ending_calls) {
    if (now >= last_words_by) {
      last_words_by = kNever;
      last_words_over = true;
    }
    const bool said = calls.empty() && sip.calls() == 0 && (last_words_over || sip.transactions() == 0);
    if (!said && now < drained_by) return;
    last_words_by = kNever;
    leaving = Leaving::saying_goodbye;
    peer.leave(now);
    return;
  }
  if (now < drained_by) return;
  leaving = Leaving::left;
  out.push(event::Left{});
}

void Node::Impl::leave_polled(bool nothing_left) {
  if (!nothing_left || leaving != Leaving::saying_goodbye || !peer.left()) return;
  leaving = Leaving::left;
  out.push(event::Left{});
}

}  // namespace linnet::node
