// Nodes joined by a network in virtual time that delays, loses, doubles and reorders. No sleeps: time jumps to the next
// event.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "overlay/sessions.h"

namespace linnet::overlay::link_test {

using namespace std::chrono_literals;

inline const Time kStart{1h};

struct LinkNode {
  LinkNode(const SessionsConfig& config, const crypto::Suite& suite, std::uint64_t seed, const Endpoint& where)
      : rng(seed),
        identity(crypto::make_identity(
            suite, rng, *crypto::Address::parse("n" + std::to_string(seed) + "@test.example"), Wall{1'700'000'000})),
        sessions(config, suite, rng, identity),
        endpoint(where) {}

  SeededRng rng;
  crypto::Identity identity;
  Sessions sessions;
  Endpoint endpoint;
  bool auto_accept = true;

  std::vector<SessionUp> ups;
  std::vector<SessionDown> downs;
  std::vector<MessageIn> messages;
  std::vector<PathProven> proven;
  std::vector<PathChanged> changed;
  std::vector<PathLost> lost;
  std::vector<Time> unanswered;
  std::vector<std::string> order;  // kinds of events as they came
};

struct Wire {
  std::size_t from = 0;
  std::size_t to = 0;
  Path path;  // as the receiver sees it
  Bytes bytes;
};

class TestLink {
 public:
  explicit TestLink(std::uint64_t seed = 1) : rng_(seed) {}

  std::size_t add(const SessionsConfig& config = network("linnet"),
                  const crypto::Suite& suite = crypto::typed_suite()) {
    const auto n = nodes_.size();
    const Endpoint where{IpAddress::v4(203, 0, static_cast<std::uint8_t>(113 + n), 10), 4400, Transport::udp};
    nodes_.push_back(std::make_unique<LinkNode>(config, suite, 100 + n, where));
    return n;
  }
  static SessionsConfig network(std::string_view name) {
    SessionsConfig config;
    config.network = crypto::network_id(name);
    return config;
  }

  // Started anew: the same keys and address, no memory. Typed suite.
  void restart(std::size_t n, const SessionsConfig& config) {
    const auto where = nodes_[n]->endpoint;
    nodes_[n] = std::make_unique<LinkNode>(config, crypto::typed_suite(), 100 + n, where);
  }

  LinkNode& node(std::size_t n) { return *nodes_[n]; }
  Path direct(std::size_t n) const { return {PathKind::direct, nodes_[n]->endpoint, 0, false}; }
  // Packets that `from` sends on `path` reach `to`, who sees them come on `seen`.
  void route(std::size_t from, const Path& path, std::size_t to, const Path& seen) {
    routes_[{from, path}] = {to, seen};
  }
  void unroute(std::size_t from, const Path& path) { routes_.erase({from, path}); }
  // Both ends know it by the same name, as a circuit is.
  Path join(std::size_t a, std::size_t b, PathKind kind, std::uint64_t id) {
    const Path path{kind, Endpoint{IpAddress::v4(198, 51, 100, 7), 4400, Transport::udp}, id, false};
    route(a, path, b, path);
    route(b, path, a, path);
    return path;
  }
  void cut(const Path& path) {
    for (std::size_t n = 0; n < nodes_.size(); ++n) unroute(n, path);
    dead_.insert(path);
  }

  SessionId connect(std::size_t from, std::size_t to, Bytes hello = {}) {
    return connect(from, to, {direct(to)}, std::move(hello));
  }
  SessionId connect(std::size_t from, std::size_t to, std::vector<Path> paths, Bytes hello = {}) {
    const auto id =
        node(from).sessions.connect(now, {node(to).identity.session_key(), std::move(paths), std::move(hello), 10s});
    drain();
    return id.value();
  }
  void say(std::size_t n, SessionId session, Channel channel, Bytes message) {
    sent_ok = static_cast<bool>(node(n).sessions.send(now, session, channel, std::move(message)));
    drain();
  }

  // Hands bytes in as if they came over the network.
  void inject(std::size_t to, const Path& path, Bytes bytes) {
    node(to).sessions.handle_packet(now, path, bytes);
    drain();
  }

  void drain() {
    for (bool more = true; more;) {
      more = false;
      for (std::size_t n = 0; n < nodes_.size(); ++n) more = drain_one(n) || more;
    }
  }

  // One step of the clock; false when nothing is left to happen before `until`.
  bool step(Time until) {
    Time at = queue_.empty() ? kNever : queue_.begin()->first;
    for (auto& n : nodes_) at = std::min(at, n->sessions.next_timeout());
    if (at > until || at == kNever) return false;
    now = std::max(now, at);
    ++steps;
    while (!queue_.empty() && queue_.begin()->first <= now) {
      auto wire = std::move(queue_.begin()->second);
      queue_.erase(queue_.begin());
      node(wire.to).sessions.handle_packet(now, wire.path, wire.bytes);
      drain();
    }
    for (auto& n : nodes_) {
      if (n->sessions.next_timeout() <= now) n->sessions.handle_timeout(now);
    }
    drain();
    return true;
  }
  void run(Duration time) {
    const auto until = now + time;
    while (step(until)) {
    }
    now = until;
  }
  bool run_until(const std::function<bool()>& done, Duration limit = 60s) {
    const auto until = now + limit;
    while (!done()) {
      if (!step(until)) return done();
    }
    return true;
  }

  Time now = kStart;
  Duration delay = 10ms;
  Duration jitter{};
  double loss = 0;
  double twice = 0;
  bool sent_ok = false;
  std::uint64_t steps = 0;
  // Everything that was put on the wire, before loss.
  std::vector<Wire> log;
  bool keep_log = false;
  std::map<std::pair<std::size_t, Path>, std::uint64_t> bytes_out;
  std::uint64_t total_out = 0;
  // True: the packet vanishes. It may change it too.
  std::function<bool(Wire&)> tap;

 private:
  bool drain_one(std::size_t n) {
    bool any = false;
    auto& one = node(n);
    while (auto packet = one.sessions.poll_packet()) {
      any = true;
      transmit(n, std::move(*packet));
    }
    while (auto event = one.sessions.poll_event()) {
      any = true;
      record(one, std::move(*event));
    }
    return any;
  }

  void record(LinkNode& one, SessionsEvent event) {
    if (auto* up = std::get_if<SessionUp>(&event)) {
      one.ups.push_back(*up);
      one.order.emplace_back("up");
      if (!up->initiator && one.auto_accept) one.sessions.accept(now, up->session);
    } else if (auto* down = std::get_if<SessionDown>(&event)) {
      one.downs.push_back(*down);
      one.order.emplace_back("down");
    } else if (auto* message = std::get_if<MessageIn>(&event)) {
      one.messages.push_back(std::move(*message));
      one.order.emplace_back("message");
    } else if (auto* proven = std::get_if<PathProven>(&event)) {
      one.proven.push_back(*proven);
      one.order.emplace_back("proven");
    } else if (auto* changed = std::get_if<PathChanged>(&event)) {
      one.changed.push_back(*changed);
      one.order.emplace_back("changed");
    } else if (auto* lost = std::get_if<PathLost>(&event)) {
      one.lost.push_back(*lost);
      one.order.emplace_back("lost");
    } else if (std::holds_alternative<Unanswered>(event)) {
      one.unanswered.push_back(now);
    }
  }

  void transmit(std::size_t from, PacketOut packet) {
    bytes_out[{from, packet.path}] += packet.bytes.size();
    total_out += packet.bytes.size();
    Wire wire{from, 0, {}, std::move(packet.bytes)};
    if (!find_way(from, packet.path, wire)) return;
    if (keep_log) log.push_back(wire);
    if (tap && tap(wire)) return;
    if (rng_.unit() < loss) return;
    const int copies = rng_.unit() < twice ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const auto extra = jitter > Duration{} ? rng_.below(static_cast<std::uint64_t>(micros(jitter))) : 0;
      queue_.emplace(now + delay + Duration(static_cast<std::int64_t>(extra)), wire);
    }
  }

  bool find_way(std::size_t from, const Path& path, Wire& wire) const {
    if (const auto at = routes_.find({from, path}); at != routes_.end()) {
      wire.to = at->second.first;
      wire.path = at->second.second;
      return true;
    }
    if (path.kind != PathKind::direct || dead_.contains(path)) return false;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (nodes_[n]->endpoint != path.endpoint) continue;
      wire.to = n;
      wire.path = direct(from);
      return !dead_.contains(wire.path);
    }
    return false;
  }

  SeededRng rng_;
  std::vector<std::unique_ptr<LinkNode>> nodes_;
  std::multimap<Time, Wire> queue_;
  std::map<std::pair<std::size_t, Path>, std::pair<std::size_t, Path>> routes_;
  std::set<Path> dead_;
};

inline Bytes pattern_bytes(std::size_t n, std::uint64_t seed) {
  Bytes out(n);
  SeededRng(seed).fill(out);
  return out;
}

}  // namespace linnet::overlay::link_test
