#include "nat/port_mapper.h"

#include <algorithm>

namespace linnet::nat {

void PortMapper::set_routers(Time now, const std::vector<Router>& routers) {
  if (stopped_) return;
  const auto there = [&](const PortMapClient& c) {
    return std::find(routers.begin(), routers.end(), c.router()) != routers.end();
  };
  std::vector<PortMapClient> kept;
  for (auto& client : clients_) {
    if (there(client)) {
      kept.push_back(std::move(client));
    } else {
      changed_ = changed_ || !client.mappings().empty();
    }
  }
  clients_.swap(kept);
  for (const auto& router : routers) {
    const bool known =
        std::any_of(clients_.begin(), clients_.end(), [&](const PortMapClient& c) { return c.router() == router; });
    if (!known && clients_.size() < kMaxRouters) clients_.emplace_back(now, router, wishes_, lifetime_, rng_, owner_);
  }
}

void PortMapper::set_wishes(Time now, const std::vector<PortWish>& wishes) {
  wishes_ = wishes;
  for (auto& client : clients_) client.set_wishes(now, wishes);
}

void PortMapper::handle_datagram(Time now, const Datagram& datagram) {
  for (auto& client : clients_) {
    if (same_place(client.router().server, datagram.from)) client.handle(now, datagram.bytes, false);
  }
}

void PortMapper::handle_announcement(Time now, const Datagram& datagram) {
  for (auto& client : clients_) {
    if (client.router().server.ip == datagram.from.ip) client.handle(now, datagram.bytes, true);
  }
}

void PortMapper::unreachable(Time now, const Endpoint& server) {
  for (auto& client : clients_) {
    if (same_place(client.router().server, server)) client.unreachable(now);
  }
}

void PortMapper::handle_timeout(Time now) {
  for (auto& client : clients_) {
    if (client.next_timeout() <= now) client.handle_timeout(now);
  }
}

Time PortMapper::next_timeout() const {
  Time next = kNever;
  for (const auto& client : clients_) next = std::min(next, client.next_timeout());
  return next;
}

std::optional<Transmit> PortMapper::poll_transmit() {
  for (auto& client : clients_) {
    if (auto out = client.poll_transmit()) return out;
  }
  return std::nullopt;
}

void PortMapper::stop(Time now) {
  stopped_ = true;
  for (auto& client : clients_) client.stop(now);
}

Time PortMapper::unhelpful_at() const {
  Time last = kNever;
  for (const auto& client : clients_) {
    if (!client.router().server.ip.is_v4()) continue;
    const auto at = client.unhelpful_at();
    last = last == kNever ? at : std::max(last, at);
    if (at == kNever) return kNever;
  }
  return last;
}

std::vector<PortMapping> PortMapper::mappings() const {
  std::vector<PortMapping> out;
  for (const auto& client : clients_) {
    const auto of = client.mappings();
    out.insert(out.end(), of.begin(), of.end());
  }
  return out;
}

bool PortMapper::take_changed() {
  bool changed = std::exchange(changed_, false);
  for (auto& client : clients_) changed = client.take_changed() || changed;
  return changed;
}

}  // namespace linnet::nat
