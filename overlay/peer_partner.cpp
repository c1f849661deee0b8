// Peer: what its owner asks of a partner supernode, and answers to one (partner.h).
#include "overlay/peer_impl.h"

namespace linnet::overlay {

std::optional<Endpoint> Peer::partner() const { return impl_->partners ? impl_->partners->other() : std::nullopt; }

bool Peer::ask_partner(Time now, const control::PartnerSend& order) {
  if (!impl_->partners || !impl_->running) return false;
  const bool asked = impl_->partners->ask(impl_->at(now), impl_->attachments, order).has_value();
  impl_->pump(now);
  return asked;
}

void Peer::answer_partner(Time now, SessionId from, std::uint64_t number, bool sent) {
  if (!impl_->role || !impl_->running) return;
  impl_->role->answer_partner(impl_->at(now), from, number, sent);
}

bool Peer::proves(const IpAddress& ip) const { return impl_->role && impl_->role->proves(impl_->sessions, ip); }

}  // namespace linnet::overlay
