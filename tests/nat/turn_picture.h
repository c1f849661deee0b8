// What a TURN server does with packets, seen from outside: a request that must change nothing leaves this as it was.
#pragma once

#include "tests/nat/turn_client.h"

namespace linnet::nat::turn {

// Asked ahead in time, so that what was renewed shows: data alone ends no permission and no channel.
class Picture {
 public:
  Picture(World& world, std::vector<Endpoint> clients) : size_(world.server.size()), next_relay_(world.next_relay) {
    closed_ = world.closed_relays.size();
    for (const auto& at : clients) {
      Client client(world, at);
      look(world, client);
    }
    deadline_ = world.server.next_timeout();
  }
  bool operator==(const Picture&) const = default;

 private:
  static constexpr int kAhead = 11;  // minutes: longer than channel and permission live

  void look(World& world, Client& client) {
    const auto began = world.now;
    for (int minute = 0; minute < kAhead; ++minute, world.now += std::chrono::minutes(1)) {
      for (std::uint8_t last = 7; last < 10; ++last) {
        const Endpoint peer{IpAddress::v4(198, 51, 100, last), 6000};
        record(client.send(peer, "x"));
        for (RelayId relay = 1; relay < world.next_relay; ++relay) record(client.hears(peer, "x", relay));
      }
      for (std::uint16_t channel = 0x4000; channel < 0x4004; ++channel) record(client.on_channel(channel, "x"));
    }
    world.now = began;
  }
  void record(const Onward& onward) {
    did_.emplace_back(onward.to, onward.relay, onward.endpoint,
                      onward.bytes.empty() ? std::uint8_t{0} : onward.bytes[0]);
  }

  std::size_t size_, closed_ = 0;
  RelayId next_relay_;
  Time deadline_{};
  std::vector<std::tuple<Onward::To, RelayId, Endpoint, std::uint8_t>> did_;
};

}  // namespace linnet::nat::turn
