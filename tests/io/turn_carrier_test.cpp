// The way to the TURN server of the settings, beside a server that a test plays: what is closed is closed at once, and
// one that says much gets its turn and no more.
#include "node/io/net/turn_carrier.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "node/io/net/address.h"
#include "tests/io/real_peer.h"

namespace linnet::io {
namespace {

using std::chrono::seconds;

struct PlayedTurnServer : testing::Test {
  PlayedTurnServer() {
    const auto any = to_socket_address(*Endpoint::parse("127.0.0.1:0"));
    EXPECT_EQ(::bind(listener.get(), any.get(), any.size), 0);
    EXPECT_EQ(::listen(listener.get(), 4), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    port = to_endpoint(bound).port;
  }
  std::unique_ptr<TurnCarrier> carrier(Transport transport) {
    TurnLogin login;
    login.server = {"127.0.0.1", port, transport};
    login.user = {"alice", "secret"};
    TurnCarrier::Ears ears;
    ears.drained = [this] { ++turns; };
    return std::make_unique<TurnCarrier>(loop, rng, std::move(login), std::move(ears));
  }
  bool taken() {
    return run_to(
        loop,
        [&] {
          if (!there) there = Fd(::accept(listener.get(), nullptr, nullptr));
          return static_cast<bool>(there);
        },
        seconds(5));
  }
  // What it said so far is read.
  bool hung_up() {
    return run_to(
        loop,
        [&] {
          std::uint8_t rest[1024];
          for (;;) {
            const auto n = ::recv(there.get(), rest, sizeof rest, MSG_DONTWAIT);
            if (n <= 0) return n == 0;
          }
        },
        seconds(5));
  }

  Loop loop;
  SystemRng rng;
  Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  Fd there;
  std::uint16_t port = 0;
  int turns = 0;
};

// In TLS, so that it waits for a handshake that never comes.
TEST_F(PlayedTurnServer, IsLeftAtOnceWhenTheTurnServerIsWantedNoMoreWhileConnecting) {
  const auto way = carrier(Transport::tls);
  way->start();
  ASSERT_TRUE(taken());
  ASSERT_EQ(way->status().client.state, nat::turn::ClientState::connecting);
  way->stop();
  EXPECT_TRUE(hung_up());
  EXPECT_EQ(way->status().client.state, nat::turn::ClientState::off);
}

TEST_F(PlayedTurnServer, ThatHangsUpInTheMiddleOfAHandshakeIsTriedAgainLater) {
  const auto way = carrier(Transport::tls);
  way->start();
  ASSERT_TRUE(taken());
  there.reset();
  EXPECT_TRUE(run_to(
      loop, [&] { return way->status().client.state == nat::turn::ClientState::waiting; }, seconds(5)));
  way->stop();
}

TEST_F(PlayedTurnServer, ThatSaysMuchGetsItsTurnAndOthersTheirs) {
  const auto way = carrier(Transport::tcp);
  way->start();
  ASSERT_TRUE(taken());
  ASSERT_TRUE(run_to(
      loop, [&] { return way->status().client.state == nat::turn::ClientState::allocating; }, seconds(5)));
  // As much as the system takes before anybody reads.
  const int room = 4 << 20;
  ::setsockopt(there.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  const Bytes frame = Writer().u16(0x4000).u16(1020).bytes(Bytes(1020, 7)).take();
  std::size_t said = 0;
  for (;;) {
    const auto n = ::send(there.get(), frame.data() + said % frame.size(), frame.size() - said % frame.size(),
                          MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n <= 0) break;
    said += static_cast<std::size_t>(n);
  }
  const auto frames = said / frame.size();
  ASSERT_GT(frames, 256U);
  const auto before = turns;
  ASSERT_TRUE(run_to(
      loop, [&] { return way->status().client.dropped >= frames; }, seconds(10)));
  EXPECT_GE(static_cast<std::size_t>(turns - before), said / (64 * 1024)) << "four reads of 16 KB a turn";
  way->stop();
}

}  // namespace
}  // namespace linnet::io
