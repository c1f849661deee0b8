// What the tests of this folder share: people, supernodes, records, and a small network in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <queue>
#include <string>

#include "dht/dht.h"

namespace linnet::dht::test {

inline constexpr Wall kNow{1'800'000'000};

inline crypto::NetworkId network() { return crypto::network_id("linnet"); }

inline crypto::Address address(const std::string& user) { return *crypto::Address::parse(user + "@test.example"); }

inline crypto::Identity person(const crypto::Suite& suite, std::uint64_t seed, const std::string& user = "somebody") {
  SeededRng rng(seed);
  return crypto::make_identity(suite, rng, address(user), kNow);
}

inline Endpoint endpoint(std::uint32_t host_order, std::uint16_t port = 4400) {
  return Endpoint{IpAddress::v4(host_order), port, Transport::udp};
}

// A contact that nobody can talk to: random keys, no valid signature.
inline Contact paper_contact(SeededRng& rng, const Endpoint& at) {
  Contact out;
  out.endpoint = at;
  out.device.bytes = rng.array<32>();
  out.session.bytes = rng.array<32>();
  out.position = position(at.ip, out.device);
  return out;
}

inline Contact contact_of(const crypto::Suite& suite, const crypto::Identity& id, const Endpoint& at) {
  Contact out{at,
              id.device_key(),
              id.session_key(),
              crypto::sign_session_key(suite, id.device, network(), id.session_key()),
              {}};
  out.position = position(at.ip, out.device);
  return out;
}

inline SignedRecord record_for(const crypto::Suite& suite, const crypto::Identity& id, const crypto::Address& name,
                               std::uint64_t sequence = 1, Wall now = kNow, std::uint64_t capabilities = 0) {
  RecordBody body;
  body.session = id.session_key();
  body.homes.push_back({endpoint(0x0a000001), crypto::SessionKey{}, 7});
  body.capabilities = capabilities;
  auto out = make_record(suite, id, network(), name, body, sequence, now, std::chrono::hours(1));
  EXPECT_TRUE(out.has_value());
  return *out;
}

// Supernodes joined by a queue of datagrams: latency by pair, loss, the dead answer nobody. Same seed, same run.
class Network {
 public:
  struct Node {
    crypto::Identity identity;
    std::unique_ptr<SeededRng> rng;
    std::unique_ptr<Dht> dht;
    Endpoint endpoint;
    bool dead = false;
    Time timer = kNever;
  };

  Network(const crypto::Suite& suite, std::uint64_t seed, double loss = 0)
      : suite_(suite), rng_(seed), seed_(seed), loss_(loss) {}

  Node& add(const Endpoint& at, Config config = {}) {
    config.network = network();
    auto node = std::make_unique<Node>();
    const auto i = nodes_.size();
    node->identity = person(suite_, seed_ * 1'000'003 + i);
    node->rng = std::make_unique<SeededRng>(seed_ * 7919 + i);
    node->endpoint = at;
    node->dht = std::make_unique<Dht>(config, suite_, *node->rng, node->identity, at);
    node->dht->handle_wall(now_, wall());
    by_endpoint_[at] = i;
    nodes_.push_back(std::move(node));
    return *nodes_.back();
  }

  // n supernodes at public addresses of different prefixes, each told of one earlier one.
  void grow(std::size_t n, Duration gap = std::chrono::milliseconds(200), const Config& config = {}) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto at = nodes_.size();
      auto& node = add(endpoint(0x05000001U + static_cast<std::uint32_t>(at) * 0x00010300U), config);
      if (at > 0) {
        node.dht->add_hint(now_, nodes_[rng_.below(at)]->dht->self());
        drain(at);
      }
      run(gap);
    }
  }

  void run(Duration span) {
    run_until(now_ + span, [] { return false; });
  }

  template <class Stop>
  void run_until(Time end, Stop stop) {
    while (!queue_.empty() && queue_.top().at <= end && !stop()) {
      auto event = queue_.top();
      queue_.pop();
      now_ = event.at;
      deliver(event);
    }
    if (!stop()) now_ = std::max(now_, end);
  }

  // Runs until the node has an event of kind E, at most for `limit`.
  template <class E>
  std::optional<E> await(std::size_t i, Duration limit = std::chrono::seconds(30)) {
    drain(i);
    std::optional<E> out;
    run_until(now_ + limit, [&] {
      while (auto event = nodes_[i]->dht->poll_event()) {
        if (auto* e = std::get_if<E>(&*event)) out = std::move(*e);
      }
      return out.has_value();
    });
    return out;
  }

  std::optional<RecordsFound> find(std::size_t i, const crypto::Address& name, FindOptions options = {}) {
    EXPECT_TRUE(nodes_[i]->dht->find_records(now_, crypto::user_key(name), options));
    return await<RecordsFound>(i);
  }
  std::size_t publish(std::size_t i, const SignedRecord& record) {
    EXPECT_TRUE(nodes_[i]->dht->publish(now_, record));
    const auto stored = await<Stored>(i);
    return stored ? stored->copies : 0;
  }

  void drain(std::size_t i) {
    auto& node = *nodes_[i];
    while (auto t = node.dht->poll_transmit()) {
      EXPECT_LE(t->bytes.size(), kMaxDatagram);
      ++datagrams;
      trace = trace * 1099511628211U ^ (t->bytes.size() * 31 + t->bytes[0] + i * 65537 +
                                        static_cast<std::uint64_t>(micros(now_.time_since_epoch())));
      if (rng_.unit() < loss_) continue;
      const auto to = by_endpoint_.find(t->to);
      if (to == by_endpoint_.end()) continue;
      queue_.push({now_ + latency(i, to->second), order_++, to->second, node.endpoint, std::move(t->bytes)});
    }
    const auto next = node.dht->next_timeout();
    if (next < node.timer || node.timer <= now_) {
      node.timer = next;
      if (next != kNever) queue_.push({std::max(next, now_), order_++, i, {}, {}});
    }
  }

  Duration latency(std::size_t a, std::size_t b) const {
    const auto pair = (std::min(a, b) * 2654435761U) ^ (std::max(a, b) * 40503U);
    return std::chrono::microseconds(5000 + pair % 40000);
  }

  Node& operator[](std::size_t i) { return *nodes_[i]; }
  std::size_t size() const { return nodes_.size(); }
  Time now() const { return now_; }
  Wall wall() const { return kNow + std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()); }
  SeededRng& rng() { return rng_; }

  std::uint64_t datagrams = 0;
  std::uint64_t trace = 14695981039346656037U;

 private:
  struct Entry {
    Time at;
    std::uint64_t order;
    std::size_t to;
    Endpoint from;
    Bytes bytes;  // empty: a timer
    bool operator<(const Entry& o) const { return at != o.at ? at > o.at : order > o.order; }
  };

  void deliver(Entry& event) {
    auto& node = *nodes_[event.to];
    if (node.dead) return;
    if (event.bytes.empty()) {
      if (node.timer != kNever && node.timer <= now_) {
        node.timer = kNever;
        node.dht->handle_timeout(now_);
      }
    } else {
      node.dht->handle_datagram(now_, Datagram{event.from, event.bytes});
    }
    drain(event.to);
  }

  const crypto::Suite& suite_;
  SeededRng rng_;
  std::uint64_t seed_;
  double loss_;
  Time now_{};
  std::uint64_t order_ = 0;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<Endpoint, std::size_t> by_endpoint_;
  std::priority_queue<Entry> queue_;
};

}  // namespace linnet::dht::test
