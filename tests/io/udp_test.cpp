#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "node/io/clock.h"
#include "node/io/net/address.h"
#include "node/io/net/resolver.h"
#include "node/io/net/udp_ports.h"

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

// A NAT in front of the other end opens for one of our ports only.
TEST(UdpPorts, AnswerByTheSocketThatWasAsked) {
  Loop loop;
  auto ports = UdpPorts::open({at("127.0.0.1:0"), at("127.0.0.1:0")});
  ASSERT_TRUE(ports);
  const Fd other(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::vector<Endpoint> seen;
  ports->start(
      loop, [&](const Datagram& d) { seen.push_back(d.from); },
      [&] {
        if (seen.size() == 2) loop.stop();
      });
  const auto bound = ports->bound();
  for (const auto& to : {bound[1], bound[0]}) {
    const auto address = to_socket_address(to);
    ASSERT_EQ(::sendto(other.get(), "x", 1, 0, address.get(), address.size), 1);
  }
  const auto limit = loop.alarm([&] { loop.stop(); });
  limit->set(now() + std::chrono::seconds(10));
  loop.run();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_NE(seen[0], seen[1]) << "two ways to one peer";
  for (const auto& peer : seen) {
    ports->send(Transmit{peer, Bytes{peer.socket}});
    ports->flush();
    std::uint8_t byte = 0xff;
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto got = ::recvfrom(other.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &size);
    ASSERT_EQ(got, 1);
    EXPECT_EQ(byte, peer.socket);
    EXPECT_EQ(to_endpoint(from).port, bound[peer.socket == 0 ? 0 : 1].port);
  }
}

// The traffic class a plain socket reads beside one datagram.
int traffic_class(int fd, int family) {
  std::array<std::uint8_t, 64> bytes{};
  alignas(cmsghdr) std::array<std::uint8_t, 64> control{};
  iovec vector{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(fd, &message, MSG_DONTWAIT) < 0) return -1;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (family == AF_INET && c->cmsg_type == IP_TOS) return *CMSG_DATA(c);
    if (family == AF_INET6 && c->cmsg_type == IPV6_TCLASS) return *CMSG_DATA(c);
  }
  return -1;
}

void sends_marks(const std::string& address, int family) {
  auto ports = UdpPorts::open({at(address)});
  if (!ports) GTEST_SKIP() << ports.error().text;
  const Fd other(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto any = to_socket_address(at(address));
  ASSERT_EQ(::bind(other.get(), any.get(), any.size), 0);
  const int on = 1;
  if (family == AF_INET) {
    ::setsockopt(other.get(), IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
  } else {
    ::setsockopt(other.get(), IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ASSERT_EQ(::getsockname(other.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
  ports->send(Transmit{to_endpoint(bound), Bytes{0x80}, Mark::expedited});
  ports->send(Transmit{to_endpoint(bound), Bytes{0x08}});
  ports->flush();
  EXPECT_EQ(traffic_class(other.get(), family), 46 << 2) << "Expedited Forwarding, RFC 3246";
  EXPECT_EQ(traffic_class(other.get(), family), 0) << "the mark is one datagram's, not the socket's";
}

TEST(UdpPorts, MarkVoiceAndNothingElse) { sends_marks("127.0.0.1:0", AF_INET); }
TEST(UdpPorts, MarkVoiceAndNothingElseOverIpv6) { sends_marks("[::1]:0", AF_INET6); }

TEST(UdpPorts, CountWhatNoSocketCanSend) {
  auto ports = UdpPorts::open({at("127.0.0.1:0")});
  ASSERT_TRUE(ports);
  ports->send(Transmit{at("[::1]:9"), Bytes{1}});
  EXPECT_EQ(ports->dropped(), 1u);
}

TEST(Resolver, TakesNumbersAtOnceAndSaysWhatFailed) {
  const auto resolved = resolve({"192.0.2.1:4400", "[2001:db8::1]:5", "1.2.3:4"}, std::chrono::seconds(1));
  EXPECT_EQ(resolved.endpoints, (std::vector<Endpoint>{at("192.0.2.1:4400"), at("[2001:db8::1]:5")}));
  EXPECT_EQ(resolved.failed, (std::vector<std::string>{"1.2.3:4"}));
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
