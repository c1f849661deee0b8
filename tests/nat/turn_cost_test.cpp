// What a TURN server pays for others: nothing from the allocator for a packet, either way, and so much memory for an
// allocation.
#include "tests/base/counted_new.h"
#include "tests/nat/turn_client.h"

namespace linnet::nat::turn {
namespace {

using namespace std::chrono_literals;

Endpoint cost_peer(unsigned i) { return {IpAddress::v4(0xc6330000U + i), 6000}; }

struct TurnCost : testing::Test {
  // An allocation with channels and permissions for these many peers, by this transport.
  Client with_peers(std::uint16_t port, unsigned channels, unsigned permissions, Transport transport = Transport::udp) {
    world.now += 20ms;  // strangers of one prefix get a hundred answers a second
    Client out(world, {kClient.ip, port, transport});
    EXPECT_TRUE(out.allocate().success());
    for (unsigned i = 0; i < channels; ++i)
      EXPECT_TRUE(out.bind(static_cast<std::uint16_t>(0x4000 + i), cost_peer(i)).success());
    for (unsigned i = channels; i < channels + permissions; ++i) EXPECT_TRUE(out.permit(cost_peer(i)).success());
    return out;
  }
  static Bytes channel_data(std::uint16_t number) { return Writer().u16(number).u16(160).bytes(Bytes(160, 7)).take(); }
  static Bytes indication(const Endpoint& peer) {
    return Builder(Class::indication, Method::send, {5})
        .endpoint(Attr::xor_peer_address, peer)
        .bytes(Attr::data, Bytes(160, 7))
        .take();
  }
  // Each packet that may come, once; how many were passed on.
  std::size_t pass_all(const std::vector<Endpoint>& clients) {
    std::size_t passed = 0;
    for (std::size_t c = 0; c < clients.size(); ++c) {
      for (auto* packets : {&on_channels, &in_indications})
        for (auto& packet : *packets)
          passed += world.server.from_client(world.now, clients[c], packet).to == Onward::To::peer;
      for (unsigned i = 0; i < 6; ++i) {
        const Room room{from_peer.data() + Room::kBefore, 160};
        passed +=
            world.server.from_peer(world.now, static_cast<RelayId>(c + 1), cost_peer(i), room).to == Onward::To::client;
      }
    }
    return passed;
  }

  World world;
  std::vector<Bytes> on_channels, in_indications;
  Bytes from_peer = Bytes(Room::kBefore + 160 + Room::kBehind, 7);
};

TEST_F(TurnCost, NothingIsAllocatedForAPacketEitherWayByChannelOrIndication) {
  std::vector<Endpoint> clients;
  for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls})
    clients.push_back(with_peers(static_cast<std::uint16_t>(7000 + clients.size()), 3, 3, transport).at_);
  for (std::uint16_t number = 0x4000; number < 0x4004; ++number) on_channels.push_back(channel_data(number));
  for (unsigned i = 0; i < 7; ++i) in_indications.push_back(indication(cost_peer(i)));
  const std::vector<Endpoint> with_a_stranger{clients[0], clients[1], clients[2], {kClient.ip, 1}};
  const auto before = counted::asked.times;
  std::size_t passed = 0;
  for (int round = 0; round < 100; ++round, world.now += 20ms) passed += pass_all(with_a_stranger);
  EXPECT_EQ(counted::asked.times, before);
  // Three channels, six by indication, six back; one more of each that nobody bound or allowed, and one stranger.
  EXPECT_EQ(passed, 100U * 3 * (3 + 6 + 6));
  EXPECT_EQ(world.server.counters().to_clients, 100U * 3 * 6);
  EXPECT_GE(world.server.counters().dropped, 100U * (3 * 2 + 4 + 7));
  EXPECT_FALSE(world.said());
}

// Also of what ends while it is used: a permission, a channel, the month.
TEST_F(TurnCost, NothingIsAllocatedForWhatIsDroppedAtItsEnd) {
  Allowance month{100'000};
  auto config = config_of_tests();
  config.allowance = &month;
  World spent(config);
  Client client(spent);
  ASSERT_TRUE(client.allocate().success());
  ASSERT_TRUE(client.bind(0x4000, kPeer).success());
  auto packet = channel_data(0x4000);
  const auto before = counted::asked.times;
  std::size_t passed = 0;
  for (int i = 0; i < 1000; ++i, spent.now += 1s)
    passed += spent.server.from_client(spent.now, kClient, packet).to == Onward::To::peer;
  EXPECT_EQ(counted::asked.times, before);
  EXPECT_EQ(passed, 300U) << "the permission ended";
  ASSERT_EQ(month.bytes, 100'000U - 300 * 160);
}

// security.md and targets.md: 4 KB each. All its tables full, the worst that a client can do.
TEST_F(TurnCost, AnAllocationHasFourKilobytesOfTheAllocatorAtMost) {
  constexpr std::uint16_t kAllocations = 250;
  const auto measure = [&](unsigned channels, unsigned permissions, std::uint16_t first_port) {
    const auto held = counted::asked.held;
    for (std::uint16_t i = 0; i < kAllocations; ++i)
      (void)with_peers(static_cast<std::uint16_t>(first_port + i), channels, permissions);
    return (counted::asked.held - held) / kAllocations;
  };
  (void)with_peers(999, 1, 1);
  const auto full = measure(Peers::kMaxChannels, 0, 20'000);
  EXPECT_EQ(world.server.size(), 1U + kAllocations);
  RecordProperty("bytes_full", static_cast<int>(full));
  EXPECT_LE(full, 4096U);
#ifndef LINNET_SANITIZED
  const auto said = world.server.memory_bytes() / world.server.size();
  EXPECT_NEAR(static_cast<double>(said), static_cast<double>(full), 150) << "what it says itself";
#endif
  // And a usual one, of a call: two channels.
  World fresh;
  Client first(fresh, {kClient.ip, 998});
  ASSERT_TRUE(first.allocate().success());
  const auto held = counted::asked.held;
  for (std::uint16_t i = 0; i < 200; ++i, fresh.now += 20ms) {
    Client client(fresh, {kClient.ip, static_cast<std::uint16_t>(30'000 + i)});
    ASSERT_TRUE(client.allocate().success());
    ASSERT_TRUE(client.bind(0x4000, cost_peer(1)).success());
    ASSERT_TRUE(client.bind(0x4001, cost_peer(2)).success());
  }
  const auto usual = (counted::asked.held - held) / 200;
  RecordProperty("bytes_usual", static_cast<int>(usual));
  EXPECT_LE(usual, 2048U);
}

}  // namespace
}  // namespace linnet::nat::turn
