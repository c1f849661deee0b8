// Whom a supernode dials: nobody but who asks, seldom, and never as somebody else's tool (security.md, checks 10 and
// 34).
#include "overlay/dial_desk.h"

#include <gtest/gtest.h>

#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using namespace std::chrono_literals;

crypto::DeviceKey device(std::uint32_t n) {
  crypto::DeviceKey out;
  for (int i = 0; i < 4; ++i) out.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(n >> (8 * i));
  return out;
}

Endpoint seen(std::uint32_t host) { return {IpAddress::v4(0x2c000000U + host), 4400, Transport::udp}; }

TEST(DialDesk, DialsTheProvenAddressAtThePortThatIsAskedFor) {
  DialDesk desk;
  const control::DialAsk ask{{1, 2, 3}, 443};
  const auto dial = desk.take(Time{1h}, device(1), seen(7), ask);
  ASSERT_TRUE(dial);
  EXPECT_EQ(dial->to, (Endpoint{seen(7).ip, 443, Transport::tcp}));
  EXPECT_EQ(dial->nonce, ask.nonce);
}

TEST(DialDesk, OneDeviceIsDialledOnceAMinute) {
  DialDesk desk;
  Time now{1h};
  std::size_t dials = 0;
  for (int second = 0; second < 600; ++second, now += 1s)
    dials += desk.take(now, device(1), seen(7), {{}, static_cast<std::uint16_t>(2000 + second)}) ? 1 : 0;
  EXPECT_EQ(dials, 10U);
  EXPECT_EQ(desk.refused(), 590U);
}

TEST(DialDesk, ManyDevicesOfOnePrefixAreNoPortScanner) {
  DialDesk desk;
  Time now{1h};
  std::size_t dials = 0;
  for (std::uint32_t i = 0; i < 6000; ++i, now += 100ms)
    dials += desk.take(now, device(i), seen(i % 250), {{}, static_cast<std::uint16_t>(1024 + i)}) ? 1 : 0;
  EXPECT_LE(dials, 110U) << "ten a minute for ten minutes, and ten at first";
}

TEST(DialDesk, AllTogetherAreDialledFourTimesASecondAndRememberedWithinBounds) {
  DialDesk desk;
  Time now{1h};
  std::size_t dials = 0;
  for (std::uint32_t i = 0; i < 60'000; ++i, now += 1ms)
    dials += desk.take(now, device(i), seen(i * 256), {{}, 4400}) ? 1 : 0;
  EXPECT_LE(dials, DialDesk::kRemembered);
  EXPECT_GE(dials, 60 * DialDesk::kPerSecond);
}

TEST(DialDesk, PortsOfOtherServicesAreNotDialled) {
  DialDesk desk;
  for (const std::uint16_t port : {1, 22, 25, 53, 110, 445, 587, 1023})
    EXPECT_FALSE(desk.take(Time{1h}, device(port), seen(port * 256U), {{}, port})) << port;
  for (const std::uint16_t port : {80, 443, 1024, 65'535})
    EXPECT_TRUE(desk.take(Time{1h}, device(port), seen(port * 256U), {{}, port})) << port;
}

TEST(DialDesk, WhoCameByAStreamIsNotDialled) {
  DialDesk desk;
  auto by_proxy = seen(7);
  by_proxy.transport = Transport::tls;
  EXPECT_FALSE(desk.take(Time{1h}, device(1), by_proxy, {{}, 443})) << "the address may be its proxy's";
}

TEST(Peer, ASupernodeDialsALeafThatAsksAndSaysNothingElse) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  ASSERT_TRUE(net.run_to([&] { return online(alice); }));
  const auto by = alice.peer->observed().at(0).by;
  alice.peer->ask_dial(net.now, by, {{9, 9}, 4400});
  net.drain(alice);
  std::size_t dials = 0;
  net.run(2s);
  for (auto& node : net.nodes()) {
    for (const auto& dial : node->all<DialWanted>()) {
      ++dials;
      EXPECT_EQ(node->endpoint, by);
      EXPECT_EQ(dial.to, over(Transport::tcp, alice.endpoint));
      EXPECT_EQ(dial.nonce, (control::DialNonce{9, 9}));
    }
  }
  EXPECT_EQ(dials, 1U);
}

TEST(Peer, ASupernodeAsksAnotherThatItHasNoSessionWith) {
  Net net;
  small_world(net);
  ASSERT_TRUE(net.run_to([&] { return online(net.at("alice")); }));
  net.run(3min);  // the sessions of its start are over
  auto& s3 = net.at("s3");
  auto& s2 = net.at("s2");
  s3.peer->ask_dial(net.now, s2.endpoint, {{5}, 443});
  net.drain(s3);
  EXPECT_TRUE(net.run_to([&] { return s2.last<DialWanted>() != nullptr; }));
  EXPECT_EQ(s2.last<DialWanted>()->to, (Endpoint{s3.endpoint.ip, 443, Transport::tcp}));
}

}  // namespace
}  // namespace linnet::overlay::test
