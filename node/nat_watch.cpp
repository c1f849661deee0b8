#include "node/nat_watch.h"

#include <algorithm>

namespace linnet::node {
namespace {

NatType judged(const Probed& probed, bool tcp_only) {
  const bool v4 = probed.v4 && probed.v4->mapped, v6 = probed.v6 && probed.v6->mapped;
  if (v4) return type_of(*probed.v4);
  if (v6) return type_of(*probed.v6);
  // Nobody answers, while the same supernodes are reached by TCP: it is the datagrams that do not get through.
  const bool asked = probed.v4 || probed.v6;
  return asked && tcp_only ? NatType::udp_blocked : NatType::unknown;
}

}  // namespace

void NatWatch::plan(Time now, Time at) {
  if (running() && now < until_) return;
  if (at_) at = std::max(at, *at_ + kBetween);
  due_ = std::min(due_, at);
}

void NatWatch::look(Time now, const std::vector<overlay::SupernodeInfo>& supernodes) {
  std::vector<IpAddress> seen;
  bool any = false, by_udp = false;
  for (const auto& s : supernodes) {
    if (s.rtt || s.attached) {
      any = true;
      by_udp = by_udp || s.endpoint.transport == Transport::udp;
    }
    if (s.observed && std::find(seen.begin(), seen.end(), s.observed->ip) == seen.end()) seen.push_back(s.observed->ip);
  }
  std::sort(seen.begin(), seen.end());
  const bool tcp_only = any && !by_udp;
  const bool moved = !seen.empty() && !std::includes(seen_as_.begin(), seen_as_.end(), seen.begin(), seen.end());
  if (any && (!at_ || tcp_only != tcp_only_ || moved)) plan(now, now + kSettle);
  if (moved) seen_as_ = std::move(seen);
  tcp_only_ = tcp_only;
  if (last_) judge(now, *last_);
}

void NatWatch::judge(Time now, const Probed& probed) {
  type_ = judged(probed, tcp_only_);
  if (!known_since_ && type_ != NatType::unknown) known_since_ = now;
}

void NatWatch::addresses_changed(Time now) {
  if (at_) plan(now, now + kSettle);
}

bool NatWatch::begin(Time now) {
  if (now < due_) return false;
  due_ = kNever;
  until_ = now + kPatience;
  return true;
}

void NatWatch::done(Time now, Probed probed) {
  until_ = kNever;
  due_ = kNever;
  at_ = now;
  judge(now, probed);
  last_ = std::move(probed);
}

std::vector<Endpoint> stun_servers(const std::vector<overlay::SupernodeInfo>& supernodes) {
  std::vector<Endpoint> out;
  for (const bool serving : {true, false}) {
    for (const auto& s : supernodes) {
      auto at = overlay::over(Transport::udp, s.endpoint);
      at.socket = 0;
      if (s.attached == serving && std::find(out.begin(), out.end(), at) == out.end()) out.push_back(at);
    }
  }
  return out;
}

}  // namespace linnet::node
