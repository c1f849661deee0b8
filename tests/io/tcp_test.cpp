// TCP on real sockets: what a network without UDP sees, and what slow or foreign clients can do.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "node/io/net/address.h"
#include "tests/io/real_peer.h"

namespace linnet::io {
namespace {

using std::chrono::seconds;

Fd connect_to(const Endpoint& to) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto address = to_socket_address(to);
  if (fd) (void)::connect(fd.get(), address.get(), address.size);
  return fd;
}

void say(const Fd& fd, ByteView bytes) {
  (void)::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// The other side ended the connection.
bool closed(const Fd& fd) {
  std::uint8_t rest[512];
  for (;;) {
    const auto n = ::recv(fd.get(), rest, sizeof rest, MSG_DONTWAIT);
    if (n > 0) continue;
    return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOTCONN);
  }
}

TEST(TcpPorts, ALeafWithoutUdpJoinsAndIsFound) {
  Loop loop;
  RealPeer s1(loop, "s1", {overlay::Role::supernode, {}});
  RealPeer s2(loop, "s2", {overlay::Role::supernode, {s1.endpoint()}});
  RealPeer alice(loop, "alice", {overlay::Role::leaf, {s1.endpoint()}, false});
  RealPeer bob(loop, "bob", {overlay::Role::leaf, {s1.endpoint()}});
  for (auto* p : {&s1, &s2, &alice, &bob}) p->start();
  ASSERT_TRUE(run_to(
      loop, [&] { return alice.online() && bob.online(); }, seconds(20)));
  for (const auto& s : alice.peer().supernodes()) {
    if (!s.attached) continue;
    EXPECT_EQ(s.endpoint.transport, Transport::tcp);
  }
  std::optional<overlay::Found> found;
  bool heard = false;
  bob.on_event = [&](overlay::PeerEvent& e) {
    if (auto* f = std::get_if<overlay::Found>(&e)) found = *f;
  };
  alice.on_event = [&](overlay::PeerEvent& e) {
    if (auto* m = std::get_if<overlay::LinkMessage>(&e)) heard = m->bytes == Bytes{7};
  };
  ASSERT_TRUE(bob.peer().find(now(), alice.identity().address, std::nullopt, true));
  loop.post([&] { bob.pump(); });
  ASSERT_TRUE(run_to(
      loop, [&] { return found.has_value(); }, seconds(10)));
  ASSERT_EQ(found->devices.size(), 1U);
  const auto session = bob.peer().connect(now(), alice.identity().address, found->devices[0], true);
  ASSERT_TRUE(session);
  loop.post([&] { bob.pump(); });
  ASSERT_TRUE(run_to(
      loop, [&] { return bob.peer().path(*session).has_value(); }, seconds(10)));
  ASSERT_TRUE(bob.peer().send(now(), *session, overlay::Channel::sip, Bytes{7}));
  loop.post([&] { bob.pump(); });
  EXPECT_TRUE(run_to(
      loop, [&] { return heard; }, seconds(10)));
}

// Check 34 of the plan: 1,000 slow clients, each closed within 10 s, while the others are served.
TEST(TcpPorts, AThousandSlowClientsAreClosedWithinTenSecondsAndOthersServed) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  constexpr std::size_t kSlow = 1000;
  if (limit.rlim_cur < 3 * kSlow) GTEST_SKIP() << "needs " << 3 * kSlow << " descriptors";
  Loop loop;
  RealPeer s1(loop, "s1", {overlay::Role::supernode, {}});
  s1.start();
  ASSERT_TRUE(run_to(
      loop, [&] { return s1.online(); }, seconds(10)));

  struct Slow {
    Fd fd;
    std::size_t kind = 0;
    std::optional<Time> over;
  };
  std::vector<Slow> slow;
  std::size_t connected = 0;
  // In handfuls, so that the listener's backlog does not decide.
  ASSERT_TRUE(run_to(
      loop,
      [&] {
        for (int i = 0; i < 100 && connected < kSlow; ++i, ++connected)
          slow.push_back({connect_to(s1.endpoint()), connected % 7, {}});
        return s1.tcp().counters().accepted >= kSlow;
      },
      seconds(8 * kSanitized)));
  const auto began = now();  // all are in; those that came first have less time left
  Bytes garbage(overlay::kStreamMagic.begin(), overlay::kStreamMagic.end());
  for (int i = 0; i < 5; ++i) (void)overlay::write_stream_packet(garbage, Bytes(200, 9));
  Bytes hello;  // of TLS: begun, or said and not gone on with
  const auto tls = Tls::client("node.example");
  tls->take_output(hello);
  for (const auto& one : slow) {
    if (one.kind == 5) say(one.fd, ByteView(hello).first(20));
    if (one.kind == 6) say(one.fd, hello);
    if (one.kind == 1) say(one.fd, ByteView(overlay::kStreamMagic).first(2));
    if (one.kind == 2) say(one.fd, overlay::kStreamMagic);
    if (one.kind == 3) say(one.fd, Bytes{0x05, 'L', 'N', 1, 0x04, 0x00, 8, 8, 8});
    if (one.kind == 4) say(one.fd, garbage);
  }
  // Forty leaves without UDP come meanwhile.
  std::vector<std::unique_ptr<RealPeer>> leaves;
  for (int i = 0; i < 40; ++i) {
    leaves.push_back(std::make_unique<RealPeer>(loop, "leaf" + std::to_string(i),
                                                RealPeer::Options{overlay::Role::leaf, {s1.endpoint()}, false}));
    leaves.back()->start();
  }
  const auto look = [&] {
    // A packet held back is fed a byte a second: a drip does not count as progress.
    for (auto& one : slow) {
      if (one.kind == 3 && !one.over) say(one.fd, Bytes{1});
      if (!one.over && closed(one.fd)) one.over = now();
    }
    return std::all_of(slow.begin(), slow.end(), [](const Slow& one) { return one.over.has_value(); });
  };
  EXPECT_TRUE(run_to(loop, look, seconds(12 * kSanitized)));
  Duration longest{};
  for (const auto& one : slow) longest = std::max(longest, one.over.value_or(Time::max()) - began);
  EXPECT_LE(longest, seconds(10 * kSanitized));
  const auto online = [](const auto& leaf) { return leaf->online(); };
  (void)run_to(
      loop, [&] { return std::all_of(leaves.begin(), leaves.end(), online); }, seconds(10 * kSanitized));
  const auto served = std::count_if(leaves.begin(), leaves.end(), online);
  EXPECT_EQ(served, 40);
  EXPECT_EQ(s1.peer().leaf_count(), 40U);
  RecordProperty("longest_ms", static_cast<int>(longest.count() / 1000));
}

TEST(TcpPorts, DoNotDialForAnAnswer) {
  Loop loop;
  TcpPorts server;
  ASSERT_TRUE(server.listen({*Endpoint::parse("127.0.0.1:0")}));
  TcpPorts client;
  client.start(
      loop, [](const Datagram&) {}, [] {}, {[](const Endpoint&) { return true; }, nullptr});
  const auto to = server.bound().front();
  for (const Bytes& answer : {Bytes{5, 0}, Bytes{7, 0}, Bytes{8, 0}, Bytes{11, 4}, Bytes{11, 5}, Bytes{128, 0}})
    client.send({to, answer});
  EXPECT_EQ(client.size(), 0U);
  EXPECT_EQ(client.counters().dropped, 6U);
  client.send({to, Bytes{4, 0}});
  EXPECT_EQ(client.size(), 1U);
}

// A listener of one's own, whose port may be dialled and dialled from.
struct Far {
  Far() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    bind_to(fd, *Endpoint::parse("127.0.0.1:0"));
    EXPECT_EQ(::listen(fd.get(), 8), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    at = to_endpoint(bound);
    at.transport = Transport::tcp;
  }
  static void bind_to(const Fd& fd, const Endpoint& at) {
    const auto address = to_socket_address(at);
    EXPECT_EQ(::bind(fd.get(), address.get(), address.size), 0) << std::strerror(errno);
  }
  Fd dial(const Endpoint& to) const {
    Fd out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(out.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    bind_to(out, at);
    const auto address = to_socket_address(to);
    EXPECT_EQ(::connect(out.get(), address.get(), address.size), 0) << std::strerror(errno);
    return out;
  }

  Fd fd;
  Endpoint at;
};

struct DialledConnections : ::testing::Test {
  void SetUp() override {
    ASSERT_TRUE(ports.listen({*Endpoint::parse("127.0.0.1:0")}));
    ports.start(
        loop, [](const Datagram&) {}, [] {}, {[](const Endpoint&) { return true; }, nullptr});
  }
  bool dials(const Endpoint& to) {
    const auto before = ports.counters().dialled;
    ports.send({to, Bytes{4, 0}});
    ports.flush();
    return ports.counters().dialled > before;
  }

  Loop loop;
  TcpPorts ports{{2048, 256, 1}};  // one at a time
  Far first, second;
};

TEST_F(DialledConnections, AreCounted) {
  EXPECT_TRUE(dials(first.at));
  EXPECT_FALSE(dials(second.at));
}

TEST_F(DialledConnections, AreCountedNoMoreWhenTheOtherSideEndsThem) {
  ASSERT_TRUE(dials(first.at));
  Fd taken;
  ASSERT_TRUE(run_to(
      loop,
      [&] {
        taken = Fd(::accept4(first.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        return static_cast<bool>(taken);
      },
      seconds(5)));
  taken.reset();
  ASSERT_TRUE(run_to(
      loop, [&] { return ports.size() == 0; }, seconds(5)));
  EXPECT_TRUE(dials(second.at));
  EXPECT_FALSE(dials(first.at)) << "counted twice";
}

TEST_F(DialledConnections, AreCountedNoMoreWhenNobodyIsThere) {
  const auto nowhere = first.at;
  first.fd.reset();
  ASSERT_TRUE(dials(nowhere));
  ASSERT_TRUE(run_to(
      loop, [&] { return ports.size() == 0; }, seconds(5)));
  EXPECT_TRUE(dials(second.at));
}

TEST_F(DialledConnections, AreCountedNoMoreWhenOneFromTheSameAddressTakesTheirPlace) {
  ASSERT_TRUE(dials(first.at));
  const auto incoming = first.dial(ports.bound().front());
  ASSERT_TRUE(run_to(
      loop, [&] { return ports.counters().accepted == 1; }, seconds(5)));
  ASSERT_EQ(ports.size(), 1U);
  EXPECT_TRUE(dials(second.at));
}

TEST(TcpPorts, ForeignProtocolsAreShownOut) {
  Loop loop;
  TcpPorts server;
  ASSERT_TRUE(server.listen({*Endpoint::parse("127.0.0.1:0")}));
  server.start(
      loop, [](const Datagram&) {}, [] {}, {[](const Endpoint&) { return false; }, nullptr});
  const auto client = connect_to(server.bound().front());
  ASSERT_TRUE(run_to(
      loop, [&] { return server.size() == 1; }, seconds(5)));
  say(client, view("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(run_to(
      loop, [&] { return closed(client); }, seconds(5)));
  EXPECT_EQ(server.size(), 0U);
}

TEST(TcpPorts, WhatIsNotTakenIsDroppedNotKept) {
  Loop loop;
  TcpPorts server;
  ASSERT_TRUE(server.listen({*Endpoint::parse("127.0.0.1:0")}));
  Endpoint from;
  server.start(
      loop, [&](const Datagram& d) { from = d.from; }, [] {}, {[](const Endpoint&) { return true; }, nullptr});
  const auto client = connect_to(server.bound().front());
  ASSERT_TRUE(run_to(
      loop, [&] { return server.size() == 1; }, seconds(5)));
  say(client, Bytes{0x05, 'L', 'N', 1, 0, 1, 8});
  ASSERT_TRUE(run_to(
      loop, [&] { return from.port != 0; }, seconds(5)));
  for (int i = 0; i < 20'000; ++i) {  // 24 MB to one who reads nothing
    server.send({from, Bytes(1200, 8)});
    server.flush();
  }
  EXPECT_GT(server.counters().dropped, 0U);
}

}  // namespace
}  // namespace linnet::io
