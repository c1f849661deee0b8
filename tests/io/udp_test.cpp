#include <gtest/gtest.h>
#include <sys/socket.h>

#include "node/io/address.h"
#include "node/io/clock.h"
#include "node/io/resolver.h"
#include "node/io/udp_ports.h"

namespace linnet::io {
namespace {

Endpoint at(const std::string& text) { return Endpoint::parse(text).value(); }

TEST(UdpPorts, GetAPortOfTheSystemWhenNoneIsAsked) {
  const auto ports = UdpPorts::open({at("127.0.0.1:0"), at("127.0.0.1:0")});
  ASSERT_TRUE(ports);
  const auto bound = ports->bound();
  ASSERT_EQ(bound.size(), 2u);
  EXPECT_NE(bound[0].port, 0);
  EXPECT_NE(bound[0].port, bound[1].port);
}

TEST(UdpPorts, NameThePortThatIsTaken) {
  const auto first = UdpPorts::open({at("127.0.0.1:0")});
  ASSERT_TRUE(first);
  const auto second = UdpPorts::open(first->bound());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text, "Port " + std::to_string(first->bound()[0].port) + " is used by another program (" +
                                     first->bound()[0].to_string() +
                                     ").\n  Choose another: linnet up --listen ADDR:PORT");
  EXPECT_EQ(second.error().exit, Exit::failed);
}

TEST(UdpPorts, TellOthersNoAddressThatMeansAny) {
  const auto ports = UdpPorts::open({at("0.0.0.0:0")});
  ASSERT_TRUE(ports);
  for (const auto& endpoint : ports->reachable()) {
    EXPECT_FALSE(endpoint.ip.is_unspecified());
    EXPECT_NE(endpoint.ip, IpAddress::v4(0));
    EXPECT_EQ(endpoint.port, ports->bound()[0].port);
  }
  EXPECT_FALSE(ports->reachable().empty());
}

// Echoes what comes, on a loop of its own; the test's plain socket is the other end.
void echo(const std::string& listen, int family) {
  Loop loop;
  auto ports = UdpPorts::open({at(listen)});
  if (!ports) GTEST_SKIP() << ports.error().text;
  std::size_t batches = 0;
  constexpr std::size_t kCount = 100;
  std::size_t echoed = 0;
  ports->start(
      loop,
      [&](const Datagram& d) {
        ports->send(Transmit{d.from, copy(d.bytes)});
        ++echoed;
      },
      [&] {
        ++batches;
        ports->flush();
        if (echoed == kCount) loop.stop();
      });
  const Fd other(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto to = to_socket_address(ports->bound()[0]);
  for (std::size_t i = 0; i < kCount; ++i) {
    const Bytes bytes(1 + i, static_cast<std::uint8_t>(i));
    ASSERT_EQ(::sendto(other.get(), bytes.data(), bytes.size(), 0, to.get(), to.size),
              static_cast<ssize_t>(bytes.size()));
  }
  const auto limit = loop.alarm([&] { loop.stop(); });
  limit->set(now() + std::chrono::seconds(10));
  loop.run();
  EXPECT_EQ(echoed, kCount);
  EXPECT_LT(batches, kCount) << "datagrams that wait are read together";
  for (std::size_t i = 0; i < kCount; ++i) {
    std::uint8_t b[2048];
    ASSERT_EQ(::recv(other.get(), b, sizeof b, MSG_DONTWAIT), static_cast<ssize_t>(1 + i));
    EXPECT_EQ(b[0], static_cast<std::uint8_t>(i));
  }
  EXPECT_EQ(ports->dropped(), 0u);
}

TEST(UdpPorts, CarryDatagramsBothWays) { echo("127.0.0.1:0", AF_INET); }
TEST(UdpPorts, CarryDatagramsBothWaysOverIpv6) { echo("[::1]:0", AF_INET6); }

TEST(UdpPorts, CountWhatNoSocketCanSend) {
  auto ports = UdpPorts::open({at("127.0.0.1:0")});
  ASSERT_TRUE(ports);
  ports->send(Transmit{at("[::1]:9"), Bytes{1}});
  EXPECT_EQ(ports->dropped(), 1u);
}

TEST(Resolver, TakesNumbersAtOnceAndSaysWhatFailed) {
  const auto resolved = resolve({"192.0.2.1:4400", "[2001:db8::1]:5", "nonsense"}, std::chrono::seconds(1));
  EXPECT_EQ(resolved.endpoints, (std::vector<Endpoint>{at("192.0.2.1:4400"), at("[2001:db8::1]:5")}));
  EXPECT_EQ(resolved.failed, (std::vector<std::string>{"nonsense"}));
}

TEST(Resolver, FindsTheNamesOfThisMachine) {
  const auto resolved = resolve({"localhost:4400"}, std::chrono::seconds(5));
  ASSERT_FALSE(resolved.endpoints.empty());
  EXPECT_TRUE(resolved.endpoints[0].ip.is_loopback());
  EXPECT_EQ(resolved.endpoints[0].port, 4400);
}

TEST(Resolver, KnowsAMistypedAddressFromAName) {
  EXPECT_TRUE(parse_host_port("node.example:4400"));
  EXPECT_TRUE(parse_host_port("10.0.0.1:1"));
  for (const char* text :
       {"1.2.3:4400", "node.example", "node.example:0", "node.example:99999", ":4400", "no de:1", "node.example:12x"})
    EXPECT_FALSE(parse_host_port(text)) << text;
}

}  // namespace
}  // namespace linnet::io
