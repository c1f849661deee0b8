// What passes through the TURN server of a supernode, on real sockets: nothing is asked of the allocator for a packet
// once an allocation is in use, from the client's socket to the peer's and back.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "nat/stun_builder.h"
#include "nat/turn_client.h"
#include "node/io/net/address.h"
#include "node/io/net/turn_service.h"
#include "tests/base/counted.h"
#include "tests/io/real_peer.h"

namespace linnet::io {
namespace {

struct LoopbackSocket {
  LoopbackSocket() {
    const auto any = to_socket_address(*Endpoint::parse("127.0.0.1:0"));
    EXPECT_EQ(::bind(fd.get(), any.get(), any.size), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    at = to_endpoint(bound);
  }
  void send(const Endpoint& to, ByteView bytes) const {
    const auto address = to_socket_address(to);
    (void)::sendto(fd.get(), bytes.data(), bytes.size(), 0, address.get(), address.size);
  }
  std::optional<Bytes> receive() const {
    std::array<std::uint8_t, 2048> room;
    const auto n = ::recv(fd.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (n < 0) return std::nullopt;
    return Bytes(room.begin(), room.begin() + n);
  }
  Fd fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  Endpoint at;
};

struct TurnPassingOn : testing::Test {
  void SetUp() override {
    auto opened = UdpPorts::open({*Endpoint::parse("127.0.0.1:0")});
    ASSERT_TRUE(opened);
    ports = std::make_unique<UdpPorts>(std::move(*opened));
    server = ports->bound()[0];
    nat::turn::ServerConfig config;
    config.users = {{"alice", "secret"}};
    config.policy.allow_loopback = true;
    service = std::make_unique<TurnService>(
        loop, rng, *ports, nullptr, std::move(config),
        [this](Time) {
          if (service->carried() >= wanted) loop.stop();
        },
        [] { return std::vector<Endpoint>{}; });
    UdpPorts::Ears ears;
    ears.first = [this](Time at, const Datagram& d) { return service->take(at, d); };
    ears.passed = [this] {
      service->passed();
      if (service->carried() >= wanted) loop.stop();
    };
    ears.receive = [](const Datagram&) {};
    ears.drained = [] {};
    ports->start(loop, ears);
  }
  void pump() {
    while (auto bytes = client.poll_transmit()) near.send(server, *bytes);
    while (const auto event = client.poll_event()) {
      if (std::holds_alternative<nat::turn::client_event::Open>(*event)) client.opened(now(), server);
      if (const auto* ready = std::get_if<nat::turn::client_event::Ready>(&*event)) relayed = ready->given.v4;
    }
    while (auto bytes = near.receive()) (void)client.handle(now(), *bytes);
  }
  bool until(const std::function<bool()>& done) {
    return run_to(
        loop,
        [&] {
          pump();
          return done();
        },
        std::chrono::seconds(20));
  }
  // So many of each kind, and until all have passed.
  void pass(int count) {
    wanted = service->carried() + static_cast<std::uint64_t>(count) * (160 + 160 + on_channel.size());
    for (int i = 0; i < count; ++i) {
      near.send(server, on_channel);
      near.send(server, indication);
      far.send(*relayed, on_channel);
    }
    limit->set(now() + std::chrono::seconds(20));
    loop.run();
    ASSERT_GE(service->carried(), std::exchange(wanted, kNothing));
  }

  Loop loop;
  SystemRng rng;
  std::unique_ptr<UdpPorts> ports;
  std::unique_ptr<TurnService> service;
  nat::turn::AllocationClient client{{"alice", "secret"}, rng};
  LoopbackSocket near, far;
  Endpoint server;
  std::optional<Endpoint> relayed;
  static constexpr std::uint64_t kNothing = ~std::uint64_t{0};
  std::uint64_t wanted = kNothing;
  Bytes on_channel, indication;
  std::unique_ptr<Loop::Alarm> limit{loop.alarm([this] { loop.stop(); })};
};

TEST_F(TurnPassingOn, AllocatesNothingEitherWayByChannelOrIndication) {
  client.start(now());
  ASSERT_TRUE(until([&] { return relayed.has_value(); }));
  // A peer that talks gets a channel.
  client.send(now(), far.at, Bytes{1});
  ASSERT_TRUE(until([&] {
    if (far.receive()) far.send(*relayed, Bytes{2});
    if (client.status().permissions == 1) client.send(now(), far.at, Bytes{1});
    return client.status().channels == 1;
  }));
  on_channel = Writer().u16(nat::turn::kFirstChannel).u16(160).bytes(Bytes(160, 7)).take();
  indication = nat::stun::Builder(nat::stun::Class::indication, nat::stun::Method::send, {5})
                   .endpoint(nat::stun::Attr::xor_peer_address, far.at)
                   .bytes(nat::stun::Attr::data, Bytes(160, 7))
                   .take();
  while (near.receive() || far.receive()) {
  }
  pass(20);
  const auto before = counted::asked.times;
  for (int i = 0; i < 5; ++i) pass(30);
  EXPECT_EQ(counted::asked.times, before);
}

}  // namespace
}  // namespace linnet::io
