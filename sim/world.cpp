#include "sim/world.h"

#include <utility>

#include "sim/owner.h"

namespace linnet::sim {
namespace {

constexpr std::uint64_t kHeaders = 28;  // IPv4 and UDP

std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15U;
  return h ^ (h >> 32);
}

}  // namespace

World::World(WorldConfig config)
    : config_(config), chance_(config.seed ^ 0x776561U), net_(config.link, config.seed ^ 0x6e6574U) {}

HostId World::add(std::unique_ptr<Actor> actor, const Endpoint& inside, bool supernode, std::optional<NatBox> nat) {
  const auto id = HostId{static_cast<std::uint32_t>(hosts_.size())};
  routes_.set(nat ? nat->outside() : inside.ip, static_cast<std::uint32_t>(id));
  hosts_.push_back({std::move(actor), kNever, kNever, inside, std::move(nat), {}});
  sides_.push_back(0);
  net_.add_host(supernode);
  // Spread, so that ten thousand hosts do not wake at one instant.
  const auto first = Duration(config_.wall_every.count() * (static_cast<std::int64_t>(index(id)) % 997 + 1) / 997);
  push(now_ + first, Kind::wall, static_cast<std::uint32_t>(id));
  return id;
}

void World::kill(HostId host) {
  Host& h = hosts_[index(host)];
  h.actor.reset();
  h.deadline = h.armed = kNever;
}

void World::at(Time at, std::function<void(Time)> action) {
  actions_.push_back(std::move(action));
  push(at, Kind::action, static_cast<std::uint32_t>(actions_.size() - 1));
}

Wall World::wall() const {
  return config_.epoch + std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch());
}

void World::push(Time at, Kind kind, std::uint32_t ref) {
  const Working world;
  queue_.push(at < now_ ? now_ : at, kind, ref);
}

void World::trace(Kind kind, std::uint64_t a, std::uint64_t b) {
  trace_ = mix(mix(mix(mix(trace_, static_cast<std::uint64_t>(now_.time_since_epoch().count())),
                       static_cast<std::uint64_t>(kind)),
                   a),
               b);
}

void World::run_until(Time end) {
  for (const Event* next = queue_.top(); next != nullptr && next->at <= end; next = queue_.top()) {
    const Event e = *next;
    queue_.pop();
    now_ = e.at;
    switch (e.kind) {
      case Kind::datagram: deliver(e.ref); break;
      case Kind::deadline: fire(e.at, e.ref); break;
      case Kind::wall: {
        tell_wall(HostId{e.ref}, wall());
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

void World::fire(Time at, std::uint32_t host) {
  Host& h = hosts_[host];
  if (h.actor == nullptr || h.armed != at) return;  // an earlier one was queued meanwhile
  h.armed = kNever;
  if (h.deadline > now_) return arm(HostId{host}, h.deadline);
  ++events_;
  ++h.counters.deadlines;
  trace(Kind::deadline, host, 0);
  const Working owner(host);
  h.actor->handle_timeout(now_);
  drain(HostId{host});
}

void World::deliver(std::uint32_t ref) {
  // The buffer goes back to its slot afterwards: nothing is allocated for a datagram under way.
  auto bytes = std::move(flights_[ref].bytes);
  hand_over(flights_[ref], bytes);
  flights_[ref].bytes = std::move(bytes);
  free_flights_.push_back(ref);
}

void World::hand_over(const Flight& flight, MutableBytes bytes) {
  const auto to = flight.route;
  Host& h = hosts_[index(to)];
  if (h.actor == nullptr) return;
  if (h.nat) {
    const auto inside = h.nat->inbound(now_, flight.to, flight.source);
    if (!inside || *inside != h.inside) return;
  } else if (flight.to != h.inside) {
    return;
  }
  ++events_;
  trace(Kind::datagram, static_cast<std::uint64_t>(flight.from) << 32 | static_cast<std::uint64_t>(to),
        bytes.empty() ? 0 : bytes.size() << 8 | bytes[0]);
  h.counters.bytes_in += bytes.size() + kHeaders;
  if (watcher_) watcher_(now_, flight.from, to, bytes);
  const Working owner(static_cast<std::uint32_t>(to));
  h.actor->handle_datagram(now_, Datagram{flight.source, bytes});
  drain(to);
}

void World::tell_wall(HostId host, Wall wall) {
  if (!alive(host)) return;
  const Working owner(static_cast<std::uint32_t>(host));
  hosts_[index(host)].actor->handle_wall(now_, wall);
  drain(host);
}

void World::settle(HostId host) {
  const Working owner(static_cast<std::uint32_t>(host));
  if (alive(host)) drain(host);
}

void World::drain(HostId host) {
  // Events may make the machine speak again, so both are read until it is silent.
  Actor& actor = *hosts_[index(host)].actor;
  for (bool busy = true; busy;) {
    busy = false;
    actor.settle(now_);
    while (auto transmit = actor.poll_transmit()) {
      busy = true;
      launch(host, std::move(*transmit));
    }
  }
  arm(host, actor.next_timeout());
}

void World::launch(HostId host, Transmit transmit) {
  const Working world;
  Host& h = hosts_[index(host)];
  h.counters.bytes_out += transmit.bytes.size() + kHeaders;
  ++h.counters.packets_out;
  const auto route = routes_.find(transmit.to.ip);
  if (!route) {
    ++unroutable_;
    return;
  }
  const Endpoint source = h.nat ? h.nat->outbound(now_, h.inside, transmit.to) : h.inside;
  if (sides_[index(host)] != sides_[*route]) {
    ++lost_;
    return;
  }
  if (weather_.duplicated > 0 && chance_.unit() < weather_.duplicated) carry(host, HostId{*route}, source, transmit);
  if (weather_.corrupted > 0 && chance_.unit() < weather_.corrupted && !transmit.bytes.empty()) {
    const auto bit = chance_.below(8 * transmit.bytes.size());
    transmit.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
  carry(host, HostId{*route}, source, transmit);
}

void World::carry(HostId host, HostId to, const Endpoint& source, const Transmit& transmit) {
  const auto delay = net_.cross(host, to);
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
  auto& flight = flights_[slot];
  flight.from = host;
  flight.route = to;
  flight.source = source;
  flight.to = transmit.to;
  flight.bytes.assign(transmit.bytes.begin(), transmit.bytes.end());
  push(now_ + *delay, Kind::datagram, slot);
}

// A deadline that moves later stays queued where it was and is looked at again then.
void World::arm(HostId host, Time deadline) {
  Host& h = hosts_[index(host)];
  h.deadline = deadline;
  if (deadline == kNever) return;
  // One in the past fires at once, but never twice at one instant: a core that asks for that would stop the world.
  const Time next = deadline <= now_ ? now_ + Duration(1) : deadline;
  if (next >= h.armed) return;
  h.armed = next;
  push(next, Kind::deadline, static_cast<std::uint32_t>(host));
}

}  // namespace linnet::sim
