// What only passes through: UdpPorts and BatchSender on real sockets.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <array>

#include "node/io/clock.h"
#include "node/io/net/address.h"
#include "node/io/net/batch_sender.h"
#include "node/io/net/udp_ports.h"
#include "tests/base/counted_new.h"

namespace linnet::io {
namespace {

struct Hearer {
  Hearer() {
    const auto any = to_socket_address(Endpoint::parse("127.0.0.1:0").value());
    EXPECT_EQ(::bind(fd.get(), any.get(), any.size), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    local = to_endpoint(bound);
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
  }
  struct Heard {
    std::string text;
    int traffic_class = -1;
    bool operator==(const Heard&) const = default;
  };
  // What is there already: the loopback delivers while it sends.
  Heard hear() const {
    std::array<char, 2048> bytes;
    alignas(cmsghdr) std::array<std::uint8_t, 64> control{};
    iovec vector{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto n = ::recvmsg(fd.get(), &message, MSG_DONTWAIT);
    if (n < 0) return {};
    Heard out{std::string(bytes.data(), static_cast<std::size_t>(n)), -1};
    if (const auto* c = CMSG_FIRSTHDR(&message); c != nullptr && c->cmsg_type == IP_TOS)
      out.traffic_class = *CMSG_DATA(c);
    return out;
  }
  Fd fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  Endpoint local;
};

constexpr int kVoice = 46 << 2;

struct Sending : testing::Test {
  void add(const Hearer& to, std::string& text, Mark mark = Mark::best_effort) {
    sender.add(from.fd.get(), to.local, MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()), mark);
  }
  BatchSender sender;
  Hearer from, a, b;
};

TEST_F(Sending, DatagramsOfOnePlaceArriveInTheirOrderAndWhole) {
  std::vector<std::string> said;
  for (int i = 0; i < 70; ++i)  // more than a batch
    said.push_back(std::string(i % 5 == 4 ? 90 : 100, static_cast<char>('0' + i)));
  for (auto& text : said) add(a, text);
  sender.flush();
  for (const auto& text : said) EXPECT_EQ(a.hear().text, text);
  EXPECT_EQ(a.hear().traffic_class, -1);
  EXPECT_EQ(sender.lost(), 0U);
}

TEST_F(Sending, EachDatagramHasItsOwnMarkWhateverLeavesWithIt) {
  std::string one(50, 'a'), two(50, 'b'), three(50, 'c'), four(50, 'd');
  add(a, one, Mark::expedited);
  add(a, two, Mark::expedited);
  add(b, three);
  add(a, four);
  sender.flush();
  EXPECT_EQ(a.hear(), (Hearer::Heard{one, kVoice}));
  EXPECT_EQ(a.hear(), (Hearer::Heard{two, kVoice}));
  EXPECT_EQ(a.hear(), (Hearer::Heard{four, 0}));
  EXPECT_EQ(b.hear(), (Hearer::Heard{three, 0}));
}

// The kernel cuts none whose checksum it shall not make.
TEST_F(Sending, DatagramsThatTheKernelCutsNotLeaveOneByOne) {
  const int on = 1;
  ASSERT_EQ(::setsockopt(from.fd.get(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
  std::vector<std::string> said;
  for (int i = 0; i < 64; ++i) said.push_back(std::string(200, static_cast<char>('0' + i)));
  for (auto& text : said) add(a, text, Mark::expedited);
  sender.flush();
  for (const auto& text : said) EXPECT_EQ(a.hear(), (Hearer::Heard{text, kVoice}));
}

TEST_F(Sending, OneThatCannotGoTakesNoOtherWithIt) {
  Hearer nobody;
  nobody.local = Endpoint::parse("[2001:db8::1]:9").value();  // not by an IPv4 socket
  std::string text(50, 'x');
  add(a, text);
  add(nobody, text);
  add(nobody, text);
  add(b, text);
  sender.flush();
  EXPECT_EQ(a.hear().text, text);
  EXPECT_EQ(b.hear().text, text);
  EXPECT_EQ(sender.lost(), 2U);
}

// From the socket, by the way that the core says, out again: nothing is allocated once a relay has begun.
TEST(PassingOn, AllocatesNothingAndKeepsTheMark) {
  Loop loop;
  auto ports = UdpPorts::open({Endpoint::parse("127.0.0.1:0").value()});
  ASSERT_TRUE(ports);
  const Hearer client, peer;
  int forwarded = 0;
  int wanted = 0;
  UdpPorts::Ears ears;
  ears.forward = [&](Time, const Datagram& d) -> std::optional<overlay::Forward> {
    if (d.bytes[0] != 'f') return std::nullopt;
    ++forwarded;
    return overlay::Forward{peer.local, Mark::expedited, false};
  };
  ears.passed = [&] {
    if (forwarded == wanted) loop.stop();
  };
  bool received = false;
  ears.receive = [&](const Datagram&) { received = true; };
  ears.drained = [&] { loop.stop(); };
  ports->start(loop, ears);
  const auto limit = loop.alarm([&] { loop.stop(); });
  limit->set(now() + std::chrono::seconds(20));
  const auto to = to_socket_address(ports->bound()[0]);
  const std::string packet(100, 'f');
  const auto send = [&](int count) {
    wanted += count;
    for (int i = 0; i < count; ++i)
      ASSERT_EQ(::sendto(client.fd.get(), packet.data(), packet.size(), 0, to.get(), to.size), 100);
    loop.run();
  };
  send(1);
  const auto before = counted::asked.times;
  send(1);
  send(100);  // more than a batch
  EXPECT_EQ(counted::asked.times, before);
  for (int i = 0; i < 102; ++i) EXPECT_EQ(peer.hear().traffic_class, kVoice) << i;
  EXPECT_FALSE(received);
  EXPECT_EQ(forwarded, 102);
  EXPECT_EQ(::sendto(client.fd.get(), "x", 1, 0, to.get(), to.size), 1);
  loop.run();
  EXPECT_TRUE(received);
}

}  // namespace
}  // namespace linnet::io
