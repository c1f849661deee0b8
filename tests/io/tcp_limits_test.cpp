// TcpPorts where the system has no memory, and where the other side hung up: neither turns the loop on the spot, nor
// makes the core look through all its sessions for each packet.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "node/io/net/address.h"
#include "tests/io/real_peer.h"

namespace linnet::io {
namespace {

std::atomic<int> refuse_with = 0;  // errno of every accept4() of this program; 0: none
std::atomic<int> asked_to_accept = 0;

}  // namespace
}  // namespace linnet::io

// In place of the C library's, so that it can have no memory when a test says so.
extern "C" int accept4(int fd, sockaddr* from, socklen_t* size, int flags) {
  ++linnet::io::asked_to_accept;
  if (const int why = linnet::io::refuse_with; why != 0) {
    errno = why;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_accept4, fd, from, size, flags));
}

namespace linnet::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct LimitedPorts : testing::Test {
  ~LimitedPorts() override { refuse_with = 0; }
  void listen() {
    ASSERT_TRUE(ports.listen({*Endpoint::parse("127.0.0.1:0")}));
    start();
  }
  void start() {
    ports.start(
        loop, [](const Datagram&) {}, [] {},
        {[this](const Endpoint& at) { return standing.contains(at); },
         [this](const Endpoint& at) {
           ++looked;
           return wanted.contains(at);
         }});
  }
  static Fd knock(const Endpoint& at) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto address = to_socket_address(at);
    (void)::connect(fd.get(), address.get(), address.size);
    return fd;
  }

  Loop loop;
  TcpPorts ports;
  std::set<Endpoint> standing, wanted;
  int looked = 0;
};

struct WithoutMemory : LimitedPorts, testing::WithParamInterface<int> {};

TEST_P(WithoutMemory, AListenerRestsAndServesAgainWhenThereIsSome) {
  listen();
  refuse_with = GetParam();
  asked_to_accept = 0;
  const auto client = knock(ports.bound().front());
  run_to(
      loop, [&] { return false; }, milliseconds(1000));
  const int asked = asked_to_accept;
  EXPECT_GE(asked, 1);
  EXPECT_LE(asked, 2 * (1 + static_cast<int>(seconds(1) / TcpPorts::kRest))) << "it turns on the spot";
  EXPECT_EQ(ports.size(), 0U);
  EXPECT_GE(ports.counters().rests, 1U);
  refuse_with = 0;
  EXPECT_TRUE(run_to(
      loop, [&] { return ports.size() == 1; }, seconds(5)));
}

INSTANTIATE_TEST_SUITE_P(Or, WithoutMemory, testing::Values(ENOMEM, ENOBUFS, EMFILE, ENFILE));

using HungUpStream = LimitedPorts;

TEST_F(HungUpStream, IsLookedForAmongTheSessionsNowAndThenNotForEachPacket) {
  start();
  const auto gone = [] {
    auto at = *Endpoint::parse("127.0.0.1:9");
    at.transport = Transport::tcp;
    return at;
  }();
  const auto began = now();
  for (int i = 0; i < 100'000; ++i) ports.send({gone, Bytes{8, 0, 0}});
  const auto most = 1 + (now() - began) / TcpPorts::kAskAgain;
  EXPECT_GE(looked, 1);
  EXPECT_LE(looked, most);
  EXPECT_EQ(ports.counters().dropped, 100'000U);
  // As soon as a session tries it again, a packet opens a stream.
  wanted.insert(gone);
  EXPECT_TRUE(run_to(
      loop,
      [&] {
        ports.send({gone, Bytes{8, 0, 0}});
        return ports.counters().dialled == 1;
      },
      seconds(5)));
}

// Several attempts side by side: those on which nothing came to stand are closed within two seconds of the first that
// did.
TEST_F(HungUpStream, OfSeveralAttemptsTheLosersAreClosedWithinTwoSeconds) {
  start();
  struct There {
    Fd listener, taken;
    Endpoint at;
    std::optional<Time> over;
  };
  std::vector<There> there(4);
  for (auto& one : there) {
    one.listener = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto any = to_socket_address(*Endpoint::parse("127.0.0.1:0"));
    ASSERT_EQ(::bind(one.listener.get(), any.get(), any.size), 0);
    ASSERT_EQ(::listen(one.listener.get(), 4), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(one.listener.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    one.at = to_endpoint(bound);
    one.at.transport = Transport::tcp;
    wanted.insert(one.at);
    ports.send({one.at, Bytes{4, 0}});
  }
  ports.flush();
  ASSERT_TRUE(run_to(
      loop,
      [&] {
        for (auto& one : there)
          if (!one.taken) one.taken = Fd(::accept4(one.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        return std::all_of(there.begin(), there.end(), [](const There& one) { return static_cast<bool>(one.taken); });
      },
      seconds(5)));
  ASSERT_EQ(ports.size(), 4U);
  // A session stands on the third; nobody waits for the others any more.
  wanted.clear();
  standing.insert(there[2].at);
  const auto won = now();
  const auto over = [](const Fd& fd) {
    std::uint8_t rest[256];
    for (;;) {
      const auto n = ::recv(fd.get(), rest, sizeof rest, MSG_DONTWAIT);
      if (n <= 0) return n == 0;
    }
  };
  EXPECT_TRUE(run_to(
      loop,
      [&] {
        for (auto& one : there)
          if (!one.over && over(one.taken)) one.over = now();
        return std::count_if(there.begin(), there.end(), [](const There& one) { return one.over.has_value(); }) == 3;
      },
      seconds(10)));
  EXPECT_FALSE(there[2].over);
  for (const auto& one : there) EXPECT_LE(one.over.value_or(won) - won, seconds(2));
  EXPECT_EQ(ports.size(), 1U);
}

}  // namespace
}  // namespace linnet::io
