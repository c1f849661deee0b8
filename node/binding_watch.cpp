#include "node/binding_watch.h"

#include <algorithm>

#include "node/nat_watch.h"

namespace linnet::node {
namespace {

// A ping that is lost goes again within seconds.
constexpr Duration kLostPing = std::chrono::seconds(3);

Duration just_under(Duration alive) {
  return std::clamp(alive - std::max(alive / 8, kLostPing), BindingWatch::kLeast, BindingWatch::kMost);
}

// As far as can be told: one's own addresses cost nothing.
bool one_owner(const IpAddress& a, const IpAddress& b) {
  return a.is_global() && b.is_global() ? a.prefix() == b.prefix() : a == b;
}

}  // namespace

void BindingWatch::look(Time now, const Probed& probed) {
  const bool behind = probed.v4 && probed.v4->mapped && probed.v4->nat;
  if (!behind) {
    // Where nobody answers just now the NAT is still there; where it is gone there is nothing to keep.
    if (probed.v4 && probed.v4->mapped) *this = BindingWatch();
    return;
  }
  if (outside_ == probed.v4->mapped->ip) return;
  outside_ = probed.v4->mapped->ip;
  known_.reset();
  waits_.reset();
  due_ = now + kSettle;
}

std::optional<Endpoint> BindingWatch::begin(Time now, const std::vector<overlay::SupernodeInfo>& supernodes) {
  if (now < due_) return std::nullopt;
  auto servers = stun_servers(supernodes);
  std::erase_if(servers, [&](const Endpoint& s) { return !s.ip.is_v4() || (waits_ && one_owner(waits_->ip, s.ip)); });
  due_ = servers.empty() ? now + kAgain : kNever;
  if (servers.empty()) return std::nullopt;
  return asked_ = servers[turn_++ % servers.size()];
}

void BindingWatch::found(Time now, const Found& found) {
  if (!outside_) return;  // of a NAT that is gone
  if (found.failed) {
    due_ = now + kAgain;  // another one is asked
    if (known_) return;   // what was learnt before that stands
  } else if (waits_) {
    if (found.finished) agree(found);
    return;
  } else if (found.finished && just_under(found.alive) > kUsual) {
    waits_ = asked_;
    due_ = now + kSettle;
  }
  known_ = found;
}

void BindingWatch::agree(const Found& second) {
  waits_.reset();
  if (second.alive < known_->alive) known_ = second;
}

Duration BindingWatch::keepalive() const {
  // Until the end is known what was alive is only the least.
  if (!known_ || (!known_->finished && !known_->dead)) return kUsual;
  const auto under = just_under(known_->alive);
  return known_->finished && !waits_ ? under : std::min(under, kUsual);
}

}  // namespace linnet::node
