// A call without a socket, a clock or a microphone: three nodes in one process, in virtual time. This is all a driver
// does: hand in datagrams and the time, take out transmits and events, come back at next_timeout(). Same seed, same
// call.
#include <cstdio>
#include <deque>
#include <map>

#include "node/node.h"

using namespace linnet;

namespace {

constexpr Duration kLatency = std::chrono::milliseconds(15);

struct Host {
  Endpoint at;
  SeededRng rng;
  std::unique_ptr<node::Node> node;
  std::optional<node::CallId> sound;

  Host(const char* address, const char* endpoint, overlay::Role role, std::vector<Endpoint> bootstrap,
       std::uint64_t seed)
      : at(Endpoint::parse(endpoint).value()), rng(seed) {
    node::NodeConfig config;
    config.peer.network = crypto::network_id("example");
    config.peer.role = role;
    config.peer.listen = {at};
    config.peer.bootstrap = std::move(bootstrap);
    config.auto_answer = true;
    auto identity = crypto::make_identity(crypto::shipped_suite(), rng, crypto::Address::parse(address).value(),
                                          Wall{1'800'000'000});
    node = std::make_unique<node::Node>(config, crypto::shipped_suite(), rng, std::move(identity), overlay::HostCache(),
                                        node::Memory());
  }
};

struct Packet {
  Time due;
  Endpoint from;
  Transmit transmit;
};

void on_event(Time now, Host& host, const node::Event& event) {
  if (const auto* start = std::get_if<node::event::AudioStart>(&event)) host.sound = start->call;
  if (std::holds_alternative<node::event::AudioStop>(event)) host.sound.reset();
  if (const auto* used = std::get_if<node::event::SaveSequence>(&event)) host.node->sequence_stored(now, used->below);
  if (const auto* ended = std::get_if<node::event::CallEnded>(&event)) {
    const auto& s = ended->summary;
    std::printf("%7.1f ms  %s: %s after %.1f s, %llu packets heard\n", millis(now.time_since_epoch()),
                s.peer.text().c_str(), std::string(to_string(s.result)).c_str(), s.seconds,
                static_cast<unsigned long long>(s.packets_received));
  }
}

}  // namespace

int main() {
  const auto hub = Endpoint::parse("10.0.0.1:4400").value();
  std::deque<Host> hosts;
  hosts.emplace_back("relay@demo.example", "10.0.0.1:4400", overlay::Role::supernode, std::vector<Endpoint>{}, 1);
  hosts.emplace_back("alice@demo.example", "10.0.0.2:4400", overlay::Role::leaf, std::vector<Endpoint>{hub}, 2);
  hosts.emplace_back("bob@demo.example", "10.0.0.3:4400", overlay::Role::leaf, std::vector<Endpoint>{hub}, 3);
  std::deque<Packet> wire;  // one latency: what was sent first arrives first
  const Time begin{};
  for (auto& host : hosts) host.node->start(begin, Wall{1'800'000'000});

  // The world moves in steps of a millisecond; a sound card would have a pace of its own.
  for (Time now = begin; now < begin + std::chrono::seconds(8); now += std::chrono::milliseconds(1)) {
    for (; !wire.empty() && wire.front().due <= now; wire.pop_front())
      for (auto& host : hosts)
        if (host.at == wire.front().transmit.to)
          host.node->handle_datagram(now, Datagram{wire.front().from, wire.front().transmit.bytes});
    if (now == begin + std::chrono::seconds(3))
      hosts[1].node->command(now, node::CommandId{1},
                             node::command::Call{"bob@demo.example", false, std::chrono::seconds(2)});
    for (auto& host : hosts) {
      if (host.node->next_timeout() <= now) host.node->handle_timeout(now);
      if (host.sound && now.time_since_epoch().count() % 10'000 == 0) {
        std::int16_t silence[480] = {};
        host.node->capture(now, *host.sound, silence);
        host.node->play(now, *host.sound, silence);
      }
      while (auto event = host.node->poll_event()) on_event(now, host, *event);
      while (auto transmit = host.node->poll_transmit())
        wire.push_back({now + kLatency, host.at, std::move(*transmit)});
    }
  }
  return 0;
}
