#include "sim/world.h"

#include <utility>

namespace linnet::sim {
namespace {

constexpr std::uint64_t kHeaders = 28;  // IPv4 and UDP

std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15U;
  return h ^ (h >> 32);
}

}  // namespace

World::World(WorldConfig config) : config_(config), net_(config.link, config.seed ^ 0x6e6574U) {}

HostId World::add(std::unique_ptr<Actor> actor, const Endpoint& inside, bool supernode, std::optional<NatBox> nat) {
  const auto id = HostId{static_cast<std::uint32_t>(hosts_.size())};
  routes_[nat ? nat->outside() : inside.ip] = id;
  hosts_.push_back({std::move(actor), inside, std::move(nat), kNever, {}});
  net_.add_host(supernode);
  // Spread, so that ten thousand hosts do not wake at one instant.
  const auto first = Duration(config_.wall_every.count() * (static_cast<std::int64_t>(index(id)) % 997 + 1) / 997);
  push(now_ + first, Kind::wall, static_cast<std::uint32_t>(id));
  return id;
}

void World::kill(HostId host) {
  Host& h = hosts_[index(host)];
  h.actor.reset();
  h.armed = kNever;
}

void World::at(Time at, std::function<void(Time)> action) {
  actions_.push_back(std::move(action));
  push(at, Kind::action, static_cast<std::uint32_t>(actions_.size() - 1));
}

Wall World::wall() const {
  return config_.epoch + std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch());
}

void World::push(Time at, Kind kind, std::uint32_t ref) { queue_.push({at < now_ ? now_ : at, order_++, kind, ref}); }

void World::trace(Kind kind, std::uint64_t a, std::uint64_t b) {
  trace_ = mix(mix(mix(mix(trace_, static_cast<std::uint64_t>(now_.time_since_epoch().count())), static_cast<std::uint64_t>(kind)), a), b);
}

void World::run_until(Time end) {
  while (!queue_.empty() && queue_.top().at <= end) {
    const Entry e = queue_.top();
    queue_.pop();
    now_ = e.at;
    switch (e.kind) {
      case Kind::datagram: deliver(e.ref); break;
      case Kind::deadline: {
        Host& h = hosts_[e.ref];
        if (h.actor == nullptr || h.armed != e.at) break;  // armed anew meanwhile
        h.armed = kNever;
        ++events_;
        trace(e.kind, e.ref, 0);
        h.actor->handle_timeout(now_);
        drain(HostId{e.ref});
        break;
      }
      case Kind::wall: {
        Host& h = hosts_[e.ref];
        if (h.actor == nullptr) break;
        h.actor->handle_wall(now_, wall());
        drain(HostId{e.ref});
        push(now_ + config_.wall_every, Kind::wall, e.ref);
        break;
      }
      case Kind::action: {
        auto action = std::move(actions_[e.ref]);
        actions_[e.ref] = nullptr;
        action(now_);
        break;
      }
    }
  }
  now_ = end;
}

void World::deliver(std::uint32_t ref) {
  Flight flight = std::move(flights_[ref]);
  free_flights_.push_back(ref);
  const auto route = routes_.find(flight.to.ip);
  if (route == routes_.end()) return;
  Host& h = hosts_[index(route->second)];
  if (h.actor == nullptr) return;
  if (h.nat) {
    const auto inside = h.nat->inbound(now_, flight.to, flight.source);
    if (!inside || *inside != h.inside) return;
  } else if (flight.to != h.inside) {
    return;
  }
  ++events_;
  trace(Kind::datagram, static_cast<std::uint64_t>(flight.from) << 32 | static_cast<std::uint64_t>(route->second),
        flight.bytes.empty() ? 0 : flight.bytes.size() << 8 | flight.bytes[0]);
  h.counters.bytes_in += flight.bytes.size() + kHeaders;
  if (watcher_) watcher_(now_, flight.from, route->second, flight.bytes);
  h.actor->handle_datagram(now_, Datagram{flight.source, flight.bytes});
  drain(route->second);
}

void World::settle(HostId host) {
  if (alive(host)) drain(host);
}

void World::drain(HostId host) {
  // Events may make the machine speak again, so both are read until it is silent.
  for (bool busy = true; busy;) {
    busy = false;
    hosts_[index(host)].actor->settle(now_);
    while (auto transmit = hosts_[index(host)].actor->poll_transmit()) {
      busy = true;
      launch(host, std::move(*transmit));
    }
  }
  arm(host);
}

void World::launch(HostId host, Transmit transmit) {
  Host& h = hosts_[index(host)];
  h.counters.bytes_out += transmit.bytes.size() + kHeaders;
  ++h.counters.packets_out;
  const auto route = routes_.find(transmit.to.ip);
  if (route == routes_.end()) {
    ++unroutable_;
    return;
  }
  const Endpoint source = h.nat ? h.nat->outbound(now_, h.inside, transmit.to) : h.inside;
  const auto delay = net_.cross(host, route->second);
  if (!delay) {
    ++lost_;
    return;
  }
  std::uint32_t slot;
  if (free_flights_.empty()) {
    slot = static_cast<std::uint32_t>(flights_.size());
    flights_.emplace_back();
  } else {
    slot = free_flights_.back();
    free_flights_.pop_back();
  }
  flights_[slot] = {host, source, transmit.to, std::move(transmit.bytes)};
  push(now_ + *delay, Kind::datagram, slot);
}

void World::arm(HostId host) {
  Host& h = hosts_[index(host)];
  Time next = h.actor->next_timeout();
  if (next == kNever) {
    h.armed = kNever;
    return;
  }
  // A deadline in the past fires at once, but never twice at one instant: a core that asks for that would stop the world.
  if (next <= now_) next = now_ + Duration(1);
  if (next == h.armed) return;
  h.armed = next;
  push(next, Kind::deadline, static_cast<std::uint32_t>(host));
}

}  // namespace linnet::sim
