#include "nat/static_nat.h"

#include <algorithm>

namespace linnet::nat {

StaticNat::StaticNat(Time now, Rng& rng, const Endpoint& silent, const Endpoint& own)
    : own_(own), silent_(now, rng, silent), dial_(rng) {}

void StaticNat::follow(Time now) {
  const bool another = silent_.outside() && *silent_.outside() != own_.ip;
  dial_.set(now, another ? std::vector{own_} : std::vector<Endpoint>{});
}

bool StaticNat::handle_silent(Time now, const Endpoint& from, const stun::Message& message) {
  const auto before = silent_.outside();
  if (!silent_.handle(now, from, message)) return false;
  follow(now);
  if (silent_.outside() != before) dial_.doubt(now);
  return true;
}

bool StaticNat::handle_own(Time now, const Endpoint& from, const stun::Message& message) {
  return dial_.handle(now, from, message);
}

void StaticNat::handle_timeout(Time now, const std::vector<Endpoint>& supernodes) {
  if (silent_.next_timeout() <= now) silent_.handle_timeout(now, supernodes);
  follow(now);
  if (dial_.next_timeout() > now) return;
  std::vector<DialBack::Server> asked;
  for (const auto& at : supernodes) asked.push_back({at, 0});
  dial_.handle_timeout(now, asked);
}

Time StaticNat::next_timeout() const { return std::min(silent_.next_timeout(), dial_.next_timeout()); }

std::optional<Transmit> StaticNat::poll_transmit() {
  auto out = silent_.poll_transmit();
  return out ? std::move(out) : dial_.poll_transmit();
}

void StaticNat::doubt(Time now) {
  silent_.doubt(now);
  dial_.doubt(now);
}

std::optional<Endpoint> StaticNat::outside() const {
  const auto reached = dial_.reached(own_);
  if (!silent_.outside() || !reached || reached->ip != *silent_.outside() || reached->ip == own_.ip)
    return std::nullopt;
  return reached;
}

}  // namespace linnet::nat
