#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "node/io/clock.h"
#include "node/io/net/address.h"
#include "node/io/net/control_message.h"
#include "node/io/net/resolver.h"
#include "node/io/net/udp_fan.h"
#include "node/io/net/udp_ports.h"
#include "node/sockets.h"

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

// A supernode has a second port beside its own; a leaf has none, and one that is promoted again has it again.
TEST(UdpPorts, TheSecondPortOfASupernodeIsClosedWithTheRoleAndOpenedWithTheNext) {
  std::optional<UdpPorts> ports;
  std::optional<std::uint16_t> second;
  for (int tries = 0; tries < 50 && !second; ++tries) {  // the next port may be taken
    auto opened = UdpPorts::open({at("127.0.0.1:0")});
    ASSERT_TRUE(opened);
    ports.emplace(std::move(*opened));
    second = ports->bind_for_partner(ports->bound().front());
  }
  ASSERT_TRUE(second);
  Endpoint beside = ports->bound().front();
  beside.port = *second;
  EXPECT_EQ(ports->sockets().size(), 2U);
  EXPECT_FALSE(UdpPorts::open({beside})) << "it is open";
  ports->close_discovery();
  EXPECT_EQ(ports->sockets(), ports->bound());
  EXPECT_TRUE(UdpPorts::open({beside})) << "it was closed";
  EXPECT_EQ(ports->bind_for_partner(ports->bound().front()), second);
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

// What a sender gives the kernel as one, to be cut (UDP_SEGMENT).
void send_train(int fd, const SocketAddress& to, Bytes bytes, std::uint16_t step) {
  iovec vector{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof step)> room{};
  msghdr message{};
  message.msg_name = const_cast<sockaddr_storage*>(&to.storage);
  message.msg_namelen = to.size;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  ControlWriter(message, room).put(IPPROTO_UDP, UDP_SEGMENT, step);
  ASSERT_EQ(::sendmsg(fd, &message, 0), static_cast<ssize_t>(bytes.size()));
}

// 60 of 100 bytes, numbered, and a shorter one; then one alone, and one without bytes. With others to be received or
// passed on in between.
TEST(UdpPorts, CutTheTrainsThatTheyAskFor) {
  Loop loop;
  auto ports = UdpPorts::open({at("127.0.0.1:0")});
  ASSERT_TRUE(ports);
  constexpr std::size_t kStep = 100, kWhole = 60, kTrains = 2;
  std::vector<Bytes> heard;
  std::size_t passed = 0, passed_calls = 0;
  const Fd other(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto to = to_socket_address(ports->bound()[0]);
  UdpPorts::Ears ears;
  ears.first = [&](Time, const Datagram& d) {
    if (d.bytes.size() == kStep && d.bytes[0] % 3 == 0) return ++passed, true;
    return false;
  };
  ears.passed = [&] { ++passed_calls; };
  const auto go_on = [&] {
    Bytes train;
    for (std::size_t i = 0; i < kWhole; ++i) train.insert(train.end(), kStep, static_cast<std::uint8_t>(i));
    train.insert(train.end(), 7, 0xff);
    for (std::size_t i = 0; i < kTrains; ++i) send_train(other.get(), to, train, kStep);
    ASSERT_EQ(::sendto(other.get(), "alone", 5, 0, to.get(), to.size), 5);
    ASSERT_EQ(::sendto(other.get(), "", 0, 0, to.get(), to.size), 0);
  };
  ears.receive = [&](const Datagram& d) {
    heard.push_back(copy(d.bytes));
    if (heard.size() == 1) go_on();  // by now the option is set
    if (d.bytes.empty()) loop.stop();
  };
  ears.drained = [] {};
  ports->start(loop, ears);
  ports->join_trains();
  ASSERT_EQ(::sendto(other.get(), "first", 5, 0, to.get(), to.size), 5);
  const auto limit = loop.alarm([&] { loop.stop(); });
  limit->set(now() + std::chrono::seconds(10));
  loop.run();
  std::vector<Bytes> expected{Bytes{'f', 'i', 'r', 's', 't'}};
  for (std::size_t train = 0; train < kTrains; ++train) {
    for (std::size_t i = 0; i < kWhole; ++i) {
      if (i % 3 != 0) expected.emplace_back(kStep, static_cast<std::uint8_t>(i));
    }
    expected.emplace_back(7, 0xff);
  }
  expected.push_back(Bytes{'a', 'l', 'o', 'n', 'e'});
  expected.emplace_back();
  EXPECT_EQ(heard, expected);
  EXPECT_EQ(passed, kTrains * kWhole / 3);
  EXPECT_GT(passed_calls, 0u);
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

// A plain socket on the loopback, and where it is.
struct Plain {
  Fd fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  Endpoint local;

  Plain() {
    const auto any = to_socket_address(at("127.0.0.1:0"));
    EXPECT_EQ(::bind(fd.get(), any.get(), any.size), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    local = to_endpoint(bound);
  }
  // Waits for a datagram; from where it came.
  Endpoint hear() const {
    std::uint8_t byte = 0;
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    EXPECT_EQ(::recvfrom(fd.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &size), 1);
    return to_endpoint(from);
  }
  void say(const Endpoint& to) const {
    const auto address = to_socket_address(to);
    EXPECT_EQ(::sendto(fd.get(), "x", 1, 0, address.get(), address.size), 1);
  }
};

TEST(UdpFan, SendsFromAPortOfItsOwnForEachSocketAndSaysWhichOneHeard) {
  Loop loop;
  const Plain other;
  std::vector<std::size_t> heard;
  UdpFan fan(loop, IpAddress::v4(127, 0, 0, 1), 8, [&](std::size_t socket, const Datagram& d) {
    EXPECT_EQ(d.from, other.local);
    heard.push_back(socket);
    if (heard.size() == 2) loop.stop();
  });
  ASSERT_EQ(fan.size(), 8U);
  std::vector<Endpoint> ports;
  for (std::size_t i = 0; i < 8; ++i) {
    fan.send(i, Transmit{other.local, Bytes{1}});
    ports.push_back(other.hear());
    EXPECT_EQ(std::count(ports.begin(), ports.end(), ports.back()), 1);
  }
  other.say(ports[5]);
  other.say(ports[2]);
  const auto limit = loop.alarm([&] { loop.stop(); });
  limit->set(now() + std::chrono::seconds(10));
  loop.run();
  std::sort(heard.begin(), heard.end());
  EXPECT_EQ(heard, (std::vector<std::size_t>{2, 5}));
}

TEST(UdpFan, TakesNoMoreThanItMay) {
  Loop loop;
  UdpFan fan(loop, IpAddress::v4(127, 0, 0, 1), 100'000, [](std::size_t, const Datagram&) {});
  EXPECT_LE(fan.size(), UdpFan::kMost);
  EXPECT_GT(fan.size(), 0U);
  fan.send(100'000, Transmit{at("127.0.0.1:9"), Bytes{1}});
  EXPECT_FALSE(fan.take(100'000));
}

TEST(UdpPorts, ASocketThatASearchFoundStaysUnderANumberUntilItIsClosed) {
  Loop loop;
  auto ports = UdpPorts::open({at("127.0.0.1:0")});
  ASSERT_TRUE(ports);
  const Plain other;
  std::optional<Endpoint> from;
  ports->start(
      loop, [&](const Datagram& d) { from = d.from; }, [&] { loop.stop(); });
  UdpFan fan(loop, IpAddress::v4(127, 0, 0, 1), 2, [](std::size_t, const Datagram&) {});
  fan.send(1, Transmit{other.local, Bytes{1}});
  const auto seen_at = other.hear();
  const auto number = ports->adopt(loop, fan.take(1));
  ASSERT_TRUE(number);
  EXPECT_GE(*number, node::kFirstAdopted);
  EXPECT_FALSE(fan.take(1)) << "it is taken once";

  other.say(seen_at);
  const auto limit = loop.alarm([&] { loop.stop(); });
  limit->set(now() + std::chrono::seconds(10));
  loop.run();
  ASSERT_TRUE(from);
  EXPECT_EQ(from->socket, *number);
  ports->send(Transmit{*from, Bytes{1}});
  ports->flush();
  EXPECT_EQ(other.hear(), seen_at);

  ports->close(*number);
  ports->send(Transmit{*from, Bytes{1}});
  EXPECT_EQ(ports->dropped(), 1U);
}

TEST(UdpPorts, KeepsSoManyFoundSocketsAndGivesTheirNumbersAgain) {
  Loop loop;
  auto ports = UdpPorts::open({at("127.0.0.1:0")});
  ASSERT_TRUE(ports);
  ports->start(
      loop, [](const Datagram&) {}, [] {});
  UdpFan fan(loop, IpAddress::v4(127, 0, 0, 1), node::kMostAdopted + 2, [](std::size_t, const Datagram&) {});
  std::optional<std::uint8_t> last;
  for (std::size_t i = 0; i < node::kMostAdopted; ++i) {
    last = ports->adopt(loop, fan.take(i));
    ASSERT_TRUE(last) << i;
  }
  EXPECT_FALSE(ports->adopt(loop, fan.take(node::kMostAdopted)));
  ports->close(*last);
  EXPECT_EQ(ports->adopt(loop, fan.take(node::kMostAdopted + 1)), last);
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
