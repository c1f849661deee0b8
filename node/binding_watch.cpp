#include "node/binding_watch.h"

#include <algorithm>

#include "node/nat_watch.h"

namespace linnet::node {
namespace {

// A ping that is lost goes again within seconds.
constexpr Duration kLostPing = std::chrono::seconds(3);

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
  due_ = now + kSettle;
}

std::optional<Endpoint> BindingWatch::begin(Time now, const std::vector<overlay::SupernodeInfo>& supernodes) {
  if (now < due_) return std::nullopt;
  auto servers = stun_servers(supernodes);
  std::erase_if(servers, [](const Endpoint& s) { return !s.ip.is_v4(); });
  due_ = servers.empty() ? now + kAgain : kNever;
  if (servers.empty()) return std::nullopt;
  return servers[turn_++ % servers.size()];
}

void BindingWatch::found(Time now, const Found& found) {
  if (!outside_) return;  // of a NAT that is gone
  if (found.failed) {
    due_ = now + kAgain;  // another one is asked
    if (known_) return;   // what was learnt before that stands
  }
  known_ = found;
}

Duration BindingWatch::keepalive() const {
  // Until the end is known what was alive is only the least.
  if (!known_ || (!known_->finished && !known_->dead)) return kUsual;
  const auto alive = known_->alive;
  const auto under = std::clamp(alive - std::max(alive / 8, kLostPing), kLeast, kMost);
  return known_->finished ? under : std::min(under, kUsual);
}

}  // namespace linnet::node
