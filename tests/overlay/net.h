// A small network in virtual time for tests of whole peers: latency, loss, a packet log. Deterministic for a seed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "overlay/peer.h"

namespace linnet::overlay::test {

inline constexpr Wall kWall{1'750'000'000};

struct Node {
  std::string name;
  Endpoint endpoint;
  std::unique_ptr<SeededRng> rng;
  crypto::Identity identity;
  PeerConfig config;
  std::chrono::seconds clock_off{};  // what its clock shows too much
  std::unique_ptr<Peer> peer;        // null: killed
  std::vector<PeerEvent> events;
  std::vector<Bytes> received;  // when logging
  std::vector<Endpoint> senders;

  template <class T>
  std::vector<T> all() const {
    std::vector<T> out;
    for (const auto& e : events) {
      if (const auto* t = std::get_if<T>(&e)) out.push_back(*t);
    }
    return out;
  }
  template <class T>
  const T* last() const {
    for (auto it = events.rbegin(); it != events.rend(); ++it) {
      if (const auto* t = std::get_if<T>(&*it)) return t;
    }
    return nullptr;
  }
};

class Net {
 public:
  explicit Net(std::uint64_t seed = 1, const crypto::Suite& with = crypto::shipped_suite())
      : suite(with), rng_(seed), seed_(seed) {}

  // A host of its own at 10.0.x.y:4400. `bootstrap` names nodes.
  Node& add(const std::string& name, Role role, const std::vector<std::string>& bootstrap = {},
            const std::function<void(PeerConfig&)>& adjust = {}) {
    const auto n = static_cast<std::uint8_t>(nodes_.size() + 1);
    auto& node = *nodes_.emplace_back(std::make_unique<Node>());
    node.name = name;
    node.endpoint = {IpAddress::v4(10, 0, n, 1), 4400, Transport::udp};
    node.rng = std::make_unique<SeededRng>(seed_ * 1000 + n);
    node.identity = crypto::make_identity(suite, *node.rng, *crypto::Address::parse(name + "@demo.example"), kWall);
    node.config.network = crypto::network_id("linnet");
    node.config.role = role;
    node.config.listen = {node.endpoint};
    for (const auto& b : bootstrap) node.config.bootstrap.push_back(at(b).endpoint);
    if (adjust) adjust(node.config);
    by_endpoint_[node.endpoint] = &node;
    return node;
  }

  // Before start: the host stands at another address.
  void move(Node& node, const Endpoint& to) {
    by_endpoint_.erase(node.endpoint);
    node.endpoint = to;
    by_endpoint_[to] = &node;
  }

  void start(Node& node, HostCache cache = {}) {
    node.peer = std::make_unique<Peer>(node.config, suite, *node.rng, node.identity, std::move(cache));
    node.peer->start(now, wall() + node.clock_off);
    drain(node);
  }
  void kill(Node& node) { node.peer.reset(); }

  Node& at(const std::string& name) {
    for (auto& n : nodes_) {
      if (n->name == name) return *n;
    }
    std::abort();
  }

  Wall wall() const { return kWall + std::chrono::duration_cast<std::chrono::seconds>(now - Time{}); }

  // Runs until nothing is left before `until`.
  void run_until(Time until) {
    while (step(until)) {
    }
    now = std::max(now, until);
  }
  void run(Duration d) { run_until(now + d); }
  // Runs until the condition holds; false after `limit`.
  bool run_to(const std::function<bool()>& condition, Duration limit = std::chrono::seconds(10)) {
    const auto until = now + limit;
    while (!condition()) {
      if (!step(until)) {
        now = until;
        return condition();
      }
    }
    return true;
  }

  // After calling a peer from outside.
  void drain(Node& node) {
    if (!node.peer) return;
    for (bool busy = true; busy;) {
      busy = false;
      while (auto t = node.peer->poll_transmit()) {
        busy = true;
        send(node.endpoint, t->to, std::move(t->bytes));
      }
      while (auto e = node.peer->poll_event()) {
        busy = true;
        if (const auto* used = std::get_if<SequenceUsed>(&*e)) {
          node.config.first_sequence = used->below;  // of its next start
          node.peer->sequence_stored(now, used->below);
        }
        node.events.push_back(std::move(*e));
      }
    }
  }

  // Puts a datagram on the wire.
  void send(const Endpoint& from, const Endpoint& to, Bytes bytes) {
    largest = std::max(largest, bytes.size());
    if (seen) seen(from, to, bytes);
    if (loss > 0 && rng_.unit() < loss) return;
    if (lose && lose(from, bytes)) return;
    if (block && block(over(to.transport, from), to)) return;
    auto source = over(to.transport, from), target = to;
    if (to.transport != Transport::udp && !connected(source, target, bytes)) return;
    const auto jitter =
        Duration(static_cast<std::int64_t>(rng_.below(1 + static_cast<std::uint64_t>(latency.count()) / 4)));
    wire_.emplace(now + latency + jitter, Packet{source, target, std::move(bytes)});
  }

  const crypto::Suite& suite;
  Time now{};
  Duration latency = std::chrono::milliseconds(1);
  double loss = 0;
  std::function<bool(const Endpoint&, const Endpoint&)> block;
  std::function<bool(const Endpoint& from, const Bytes&)> lose;
  std::function<void(const Endpoint&, const Endpoint&, ByteView)> seen;
  bool log = false;
  std::size_t largest = 0;
  std::uint64_t steps = 0;
  std::uint64_t to_nobody = 0;  // datagrams to where no node is
  std::vector<std::unique_ptr<Node>>& nodes() { return nodes_; }

 private:
  // As node/io does: only what begins something opens a connection, to the port of a supernode or to those of
  // convention; each has a port of its own at the side that dialled. Turns `from` and `to` into what the other side
  // sees, and which node it is.
  bool connected(Endpoint& from, Endpoint& to, ByteView bytes) {
    if (const auto back = connections_.find({to, from.ip}); back != connections_.end()) {
      from = back->second.dialled;
      to = back->second.who;
      return true;
    }
    Endpoint source = from;
    source.port = static_cast<std::uint16_t>(20'000 + from.port % 10'000 + to.port + (to.socket == 0 ? 0 : 1));
    if (!connections_.contains({source, to.ip})) {
      if (bytes[0] != 4 && !(bytes[0] == 11 && bytes[1] == 1)) return false;
      const auto listens = [&](const auto& n) {
        return n->peer && n->config.role == Role::supernode && leads_to(to, n->endpoint);
      };
      const auto node = std::find_if(nodes_.begin(), nodes_.end(), listens);
      if (node == nodes_.end()) return false;
      connections_[{source, to.ip}] = {over(Transport::udp, from), to, (*node)->endpoint};
    }
    to = over(from.transport, connections_[{source, to.ip}].node);
    from = source;
    return true;
  }
  struct Connection {
    Endpoint who, dialled, node;
  };

  struct Packet {
    Endpoint from;
    Endpoint to;
    Bytes bytes;
  };

  bool step(Time until) {
    Node* due = nullptr;
    Time next = kNever;
    for (auto& n : nodes_) {
      if (!n->peer) continue;
      const auto t = n->peer->next_timeout();
      if (t < next) {
        next = t;
        due = n.get();
      }
    }
    const bool packet_first = !wire_.empty() && wire_.begin()->first <= next;
    const auto at_time = packet_first ? wire_.begin()->first : next;
    if (at_time > until) return false;
    now = std::max(now, at_time);
    if (++steps > 20'000'000) std::abort();
    if (packet_first) {
      deliver();
    } else {
      due->peer->handle_timeout(now);
      drain(*due);
    }
    return true;
  }

  void deliver() {
    auto packet = std::move(wire_.begin()->second);
    wire_.erase(wire_.begin());
    const auto it = by_endpoint_.find(over(Transport::udp, packet.to));
    if (it == by_endpoint_.end() || !it->second->peer) return (void)++to_nobody;
    auto& node = *it->second;
    if (log) {
      node.received.push_back(packet.bytes);
      node.senders.push_back(packet.from);
    }
    node.peer->handle_datagram(now, Datagram{packet.from, packet.bytes});
    drain(node);
  }

  SeededRng rng_;
  std::uint64_t seed_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<Endpoint, Node*> by_endpoint_;
  std::multimap<Time, Packet> wire_;
  std::map<std::pair<Endpoint, IpAddress>, Connection> connections_;  // by source and target
};

// Three supernodes that know the first, and two leaves: alice and bob.
inline void small_world(Net& net, const std::function<void(PeerConfig&)>& adjust = {}) {
  net.start(net.add("s1", Role::supernode));
  net.start(net.add("s2", Role::supernode, {"s1"}));
  net.start(net.add("s3", Role::supernode, {"s1"}));
  net.run(std::chrono::seconds(1));
  net.start(net.add("alice", Role::leaf, {"s1", "s2", "s3"}, adjust));
  net.start(net.add("bob", Role::leaf, {"s1", "s2", "s3"}, adjust));
}

inline bool online(const Node& n) { return n.peer && n.peer->state() == State::online; }

// How many supernodes serve it.
inline std::size_t attached(const Node& n) {
  std::size_t out = 0;
  for (const auto& s : n.peer->supernodes()) out += s.attached ? 1 : 0;
  return out;
}

// Looks `name` up and waits for the answer.
inline std::optional<Found> look_up(Net& net, Node& who, const crypto::Address& name, bool cold = true,
                                    std::optional<crypto::AccountKey> pinned = std::nullopt) {
  const auto id = who.peer->find(net.now, name, pinned, cold);
  if (!id) return std::nullopt;
  net.drain(who);
  std::optional<Found> out;
  const auto arrived = [&] {
    for (const auto& f : who.all<Found>()) {
      if (f.find == *id) out = f;
    }
    return out.has_value();
  };
  net.run_to(arrived);
  return out;
}

// What the owners of two peers do once their agents have found a way between their endpoints.
inline void open_direct(Net& net, Node& a, SessionId at_a, Node& b, SessionId at_b) {
  a.peer->show_endpoints(net.now, at_a);
  b.peer->show_endpoints(net.now, at_b);
  a.peer->offer_path(net.now, at_a, Path{PathKind::direct, b.endpoint, 0, false}, true);
  b.peer->offer_path(net.now, at_b, Path{PathKind::direct, a.endpoint, 0, false}, false);
  net.drain(a);
  net.drain(b);
}

// alice finds bob and links to him; waits until both say that the link is up.
struct Pair {
  SessionId a{};
  SessionId b{};
  bool up = false;
};
inline Pair link_up(Net& net, Node& a, Node& b, bool cold = true) {
  Pair out;
  const auto found = look_up(net, a, b.identity.address, cold);
  if (!found || found->devices.empty()) return out;
  const auto before = b.all<LinkUp>().size();
  const auto link = a.peer->connect(net.now, b.identity.address, found->devices[0], cold);
  if (!link) return out;
  net.drain(a);
  out.a = *link;
  out.up = net.run_to([&] {
    const auto* up = a.last<LinkUp>();
    return up && up->link == *link && b.all<LinkUp>().size() > before;
  });
  if (out.up) out.b = b.last<LinkUp>()->link;
  return out;
}

}  // namespace linnet::overlay::test
