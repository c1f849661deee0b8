#include "sim/nat_box.h"

#include <algorithm>

#include "base/rng.h"

namespace linnet::sim {

NatBox::Flow* NatBox::find(Time now, const Endpoint& inside, const Endpoint& to, bool any_remote) {
  for (auto& flow : flows_) {
    if (flow.inside == inside && now - flow.used < life_ && (any_remote || flow.remote == to)) return &flow;
  }
  return nullptr;
}

Endpoint NatBox::outbound(Time now, const Endpoint& inside, const Endpoint& to) {
  if (kind_ == NatKind::none) return inside;
  if (auto* same = find(now, inside, to, false)) {
    same->used = now;
    return {outside_, same->port, inside.transport};
  }
  const Flow* mapped = kind_ == NatKind::symmetric ? nullptr : find(now, inside, to, true);
  const std::uint16_t port = mapped != nullptr ? mapped->port : give_port();
  if (flows_.size() >= most_) {
    flows_.erase(
        std::min_element(flows_.begin(), flows_.end(), [](const Flow& a, const Flow& b) { return a.used < b.used; }));
  }
  flows_.push_back({inside, to, port, now});
  return {outside_, port, inside.transport};
}

std::uint16_t NatBox::give_port() {
  if (!lots_) {
    const auto out = next_port_;
    next_port_ = next_port_ == 65'535 ? std::uint16_t{40'000} : static_cast<std::uint16_t>(next_port_ + 1);
    return out;
  }
  constexpr std::uint16_t kLowest = 1024;
  for (;;) {
    SeededRng rng((*lots_)++);
    const auto port = static_cast<std::uint16_t>(kLowest + rng.below(65'536 - kLowest));
    if (std::none_of(flows_.begin(), flows_.end(), [&](const Flow& f) { return f.port == port; })) return port;
  }
}

bool NatBox::passes(const Flow& flow, const Endpoint& from) const {
  switch (kind_) {
    case NatKind::none:
    case NatKind::full_cone: return true;
    case NatKind::restricted: return flow.remote.ip == from.ip;
    case NatKind::port_restricted:
    case NatKind::symmetric: return flow.remote == from;
  }
  return false;
}

std::optional<Endpoint> NatBox::inbound(Time now, const Endpoint& outside, const Endpoint& from) {
  if (kind_ == NatKind::none) return outside;
  for (auto& flow : flows_) {
    if (flow.port == outside.port && now - flow.used < life_ && passes(flow, from)) return flow.inside;
  }
  return std::nullopt;
}

}  // namespace linnet::sim
