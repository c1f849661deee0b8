#include "sip/invite_session.h"

#include <algorithm>

namespace linnet::sip {

Time InviteSession::next_timeout() const {
  if (const auto* calling = std::get_if<Calling>(&state)) return calling->give_up;
  const auto* talking = std::get_if<Talking>(&state);
  if (talking == nullptr) return kNever;
  if (const auto* backing = std::get_if<Backing>(&talking->exchange)) return backing->retry;
  if (const auto* unacked = std::get_if<Unacked>(&talking->exchange))
    return std::min(unacked->resend, unacked->give_up);
  return kNever;
}

}  // namespace linnet::sip
