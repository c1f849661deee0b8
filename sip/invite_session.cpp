#include "sip/invite_session.h"

namespace linnet::sip {
namespace {

Time next_of(const Leg& leg) {
  const auto* backing = std::get_if<Backing>(&leg.exchange);
  return backing == nullptr ? kNever : backing->retry;
}

}  // namespace

Time InviteSession::next_timeout() const {
  auto out = next_of(leg);
  if (const auto* calling = std::get_if<Calling>(&state)) {
    out = std::min(out, calling->give_up);
    for (const auto& fork : calling->forks) out = std::min(out, next_of(fork));
  }
  if (unacked) out = std::min({out, unacked->resend, unacked->give_up});
  if (unpracked) out = std::min({out, unpracked->resend, unpracked->give_up});
  return out;
}

Leg* InviteSession::leg_with(std::string_view remote_tag) {
  auto* calling = std::get_if<Calling>(&state);
  if (calling == nullptr) return leg.dialog.remote_tag == remote_tag ? &leg : nullptr;
  const auto it = std::find_if(calling->forks.begin(), calling->forks.end(),
                               [&](const Leg& l) { return l.dialog.remote_tag == remote_tag; });
  return it == calling->forks.end() ? nullptr : &*it;
}

}  // namespace linnet::sip
