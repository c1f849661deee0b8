// A TURN client with its driver, and a network to our own server that a test may meddle with, in virtual time.
#pragma once

#include <functional>

#include "nat/turn_client.h"
#include "tests/nat/turn_client.h"

namespace linnet::nat::turn {

inline const Endpoint kAtServer{kServer, 3478};

// The client's driver, and a network to the server that loses everything while `deaf`.
struct Desk {
  explicit Desk(ServerConfig config = config_of_tests(), std::string password = "secret", Endpoint server = kAtServer)
      : world(std::move(config)), client({"alice", std::move(password)}, rng), at_server(server) {
    from.transport = server.transport;
  }

  void start() {
    client.start(world.now);
    pump();
  }
  void pump() {
    for (bool moved = true; moved;) {
      moved = false;
      while (auto bytes = client.poll_transmit()) {
        moved = true;
        leaves(std::move(*bytes));
      }
      while (const auto event = client.poll_event()) {
        moved = true;
        on(*event);
      }
    }
  }
  void leaves(Bytes bytes) {
    ++packets;
    if (const auto message = Message::parse(bytes)) {
      if (message->is(Class::indication, Method::binding)) ++keepalives;
      if (message->message_class() == Class::request) requests.push_back(message->method());
    }
    if (deaf) return;
    const auto what = world.server.from_client(world.now, from, bytes);
    if (what.to == Onward::To::peer) to_peers.emplace_back(what.endpoint, std::string(text(what.bytes)));
    if (what.to == Onward::To::core) world.server.handle_request(world.now, from, bytes);
    while (auto said = world.said()) comes(std::move(said->bytes));
  }
  void comes(Bytes bytes) {
    if (meddle) meddle(bytes);
    if (const auto heard = client.handle(world.now, bytes)) {
      from_peers.emplace_back(heard->peer, std::string(text(heard->data)));
      if (from_peers.size() > 4096) from_peers.clear();
    }
  }
  // What a peer sends to the relayed address.
  void peer_says(const Endpoint& peer, std::string_view data) {
    came.assign(Room::kBefore, 0);
    append(came, view(data));
    came.resize(came.size() + Room::kBehind);
    const auto relay = static_cast<RelayId>(world.next_relay - (world.next_relay > 2 ? 2 : 1));
    const auto what = world.server.from_peer(world.now, relay, peer, Room{came.data() + Room::kBefore, data.size()});
    if (what.to == Onward::To::client) comes(copy(what.bytes));
    pump();
  }
  void say(const Endpoint& peer, std::string_view data) {
    client.send(world.now, peer, view(data));
    pump();
  }
  void on(const ClientEvent& event) {
    if (std::holds_alternative<client_event::Open>(event)) {
      ++opened;
      from.port = static_cast<std::uint16_t>(5000 + opened);
      if (reachable) {
        client.opened(world.now, at_server);
      } else {
        client.closed(world.now, "no way there");
      }
    } else if (const auto* ready = std::get_if<client_event::Ready>(&event)) {
      ++had;
      given = ready->given;
    } else if (std::holds_alternative<client_event::Lost>(event)) {
      ++lost;
    } else {
      ++closed;
    }
  }
  void wait(Duration d) {
    const auto until = world.now + d;
    for (;;) {
      const auto next = std::min(client.next_timeout(), world.server.next_timeout());
      if (next > until) break;
      world.now = std::max(world.now, next);
      if (world.server.next_timeout() <= world.now) world.server.handle_timeout(world.now);
      if (client.next_timeout() <= world.now) client.handle_timeout(world.now);
      world.serve();
      pump();
    }
    world.now = until;
  }
  std::size_t asked(Method method) const {
    return static_cast<std::size_t>(std::count(requests.begin(), requests.end(), method));
  }

  World world;
  SeededRng rng{9};
  AllocationClient client;
  Endpoint at_server;
  Endpoint from = kClient;
  bool deaf = false, reachable = true;
  std::function<void(Bytes&)> meddle;
  std::size_t packets = 0, keepalives = 0;
  int opened = 0, had = 0, lost = 0, closed = 0;
  std::optional<Given> given;
  std::vector<Method> requests;
  std::vector<std::pair<Endpoint, std::string>> to_peers, from_peers;
  Bytes came;
};

}  // namespace linnet::nat::turn
