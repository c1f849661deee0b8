#include "nat/ice_gatherer.h"

#include <algorithm>

#include "nat/stun_builder.h"

namespace linnet::nat::ice {

bool Gatherer::ask(Time now, Rng& rng, Base base, const Endpoint& server, Duration pace) {
  if (waiting_.size() >= kMaxRequests) return false;
  const auto at = std::max(now, next_start_);
  next_start_ = at + pace;
  deadline_ = at + kDeadline;
  waiting_.push_back({rng.array<12>(), base, server, stun::Retransmission(at, {})});
  return true;
}

bool Gatherer::owns(const stun::TransactionId& id) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [&](const Request& r) { return r.id == id; });
}

std::optional<Gatherer::Learned> Gatherer::handle(const stun::Message& message) {
  const auto at =
      std::find_if(waiting_.begin(), waiting_.end(), [id = message.id()](const Request& r) { return r.id == id; });
  if (at == waiting_.end()) return std::nullopt;
  const auto request = *at;
  waiting_.erase(at);
  if (message.message_class() != stun::Class::success || !message.understood_answer()) return std::nullopt;
  const auto mapped = message.endpoint(stun::Attr::xor_mapped_address);
  if (!mapped) return std::nullopt;
  return Learned{request.base, *mapped, request.server};
}

void Gatherer::handle_timeout(Time now, std::vector<Outgoing>& out) {
  std::erase_if(waiting_, [now](const Request& r) { return r.when.over(now); });
  for (auto& r : waiting_) {
    if (!r.when.due(now)) continue;
    stun::Builder request(stun::Class::request, stun::Method::binding, r.id);
    out.push_back({r.base, r.server, request.fingerprint().take()});
  }
}

Time Gatherer::next_timeout() const {
  Time next = kNever;
  for (const auto& r : waiting_) next = std::min(next, r.when.next());
  return waiting_.empty() ? kNever : next;
}

}  // namespace linnet::nat::ice
