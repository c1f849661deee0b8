// TURN clients by TCP and TLS as an attacker sees them: how many streams strangers get, and how long one lasts that
// says a byte a second, while a client with an allocation is served.
#include "node/io/net/turn_streams.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nat/stun_builder.h"
#include "tests/io/real_peer.h"

namespace linnet::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Endpoint from(std::uint32_t ip, std::uint16_t port) { return {IpAddress::v4(ip), port, Transport::tcp}; }
constexpr std::uint32_t kNet = 0xcb007100;    // 203.0.113.0
constexpr std::uint32_t kOther = 0xc6336400;  // 198.51.100.0

struct Streams : testing::Test {
  // What is left of a client outside.
  Fd guest(const Endpoint& remote, ByteView first = {}) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    streams.take({remote, from(0xc0000201, 4400), ByteStream::accepted(Fd(ends[0])), copy(first)});
    return Fd(ends[1]);
  }
  static bool closed(const Fd& fd) {
    std::uint8_t byte;
    return ::recv(fd.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }
  static void say(const Fd& fd, ByteView bytes) { (void)::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  Loop loop;
  std::set<Endpoint> allocated;
  TurnStreams::Limits limits{24, 8};
  std::size_t received = 0;
  TurnStreams streams{loop,
                      limits,
                      {[this](Time, const Endpoint& client, MutableBytes message) {
                         ++received;
                         if (allocated.contains(client)) streams.send(client, message);
                       },
                       [this] { streams.flush(); }, [](const Endpoint&) {},
                       [this](const Endpoint& client) { return allocated.contains(client); }}};
};

using TurnStreamLimits = Streams;

TEST_F(TurnStreamLimits, OnePrefixGetsItsShareAndNobodyElseIsSentAway) {
  std::vector<Fd> kept;
  for (std::uint16_t i = 0; i < 100; ++i) kept.push_back(guest(from(kNet + i, 1000)));
  EXPECT_EQ(streams.size(), limits.per_prefix);
  EXPECT_EQ(streams.counters().refused, 100U - limits.per_prefix);
  const auto served = guest(from(kOther + 1, 1000));
  EXPECT_EQ(streams.size(), limits.per_prefix + 1);
  EXPECT_FALSE(closed(served));
}

TEST_F(TurnStreamLimits, InAllThereAreNoMoreHoweverManyPrefixes) {
  std::vector<Fd> kept;
  for (std::uint32_t i = 0; i < 100; ++i) {
    kept.push_back(guest(from(0x2d000000 + (i << 8), 1000)));
    EXPECT_LE(streams.size(), limits.total);
  }
  EXPECT_EQ(streams.size(), limits.total);
  EXPECT_EQ(streams.counters().refused, 100U - limits.total);
}

TEST_F(TurnStreamLimits, AStrangerWhoDidNothingMakesRoomAndAClientWithAnAllocationNever) {
  std::vector<Fd> clients, strangers;
  for (std::uint16_t i = 0; i < 4; ++i) {
    allocated.insert(from(kOther + i, 1000));
    clients.push_back(guest(from(kOther + i, 1000)));
  }
  for (std::uint32_t i = 0; i < 20; ++i) strangers.push_back(guest(from(0x2d000000 + (i << 8), 1000)));
  ASSERT_EQ(streams.size(), limits.total);
  // Their fair time is two seconds: who comes then takes the place of one of them.
  std::uint32_t next = 0;
  std::vector<Fd> late;
  ASSERT_TRUE(run_to(
      loop,
      [&] {
        late.push_back(guest(from(0x2e000000 + (next++ << 8), 1000)));
        return streams.counters().closed_slow >= 20;
      },
      seconds(6 * kSanitized)));
  for (const auto& client : clients) EXPECT_FALSE(closed(client));
  EXPECT_EQ(streams.size(), limits.total);
}

TEST_F(TurnStreamLimits, ManyWhoSayAByteASecondAreClosedWithinTenSecondsAndHarmNobody) {
  allocated.insert(from(kOther + 1, 1000));
  const auto client = guest(from(kOther + 1, 1000));
  // Half of a request each: a length of 64 bytes that never come.
  const Bytes begun = nat::stun::Builder(nat::stun::Class::request, nat::stun::Method::allocate, {1}).take();
  struct Drip {
    Fd fd;
    std::optional<Time> over;
  };
  std::vector<Drip> slow;
  const auto began = now();
  for (std::uint16_t i = 0; i < 8; ++i) {
    auto half = begun;
    half[3] = 64;
    slow.push_back({guest(from(kNet + i, 2000), half), {}});
  }
  const Bytes packet = Writer().u16(0x4000).u16(4).u32(7).take();
  Time next_byte = now(), asked{};
  Duration longest{};
  std::size_t answers = 0;
  bool waits = false;
  const auto look = [&] {
    if (now() >= next_byte) {
      next_byte += seconds(1);
      for (auto& one : slow) say(one.fd, Bytes{0});
    }
    std::array<std::uint8_t, 64> room;
    if (waits && ::recv(client.get(), room.data(), room.size(), MSG_DONTWAIT) > 0) {
      longest = std::max(longest, now() - asked);
      ++answers;
      waits = false;
    }
    if (!waits) {
      asked = now();
      say(client, packet);
      waits = true;
    }
    for (auto& one : slow) {
      if (!one.over && closed(one.fd)) one.over = now();
    }
    return std::all_of(slow.begin(), slow.end(), [](const Drip& one) { return one.over.has_value(); });
  };
  EXPECT_TRUE(run_to(loop, look, seconds(12 * kSanitized)));
  for (const auto& one : slow) EXPECT_LE(one.over.value_or(Time::max()) - began, seconds(10 * kSanitized));
  EXPECT_GT(answers, 50U);
  EXPECT_LT(longest, milliseconds(1000 * kSanitized));
  EXPECT_FALSE(closed(client));
  EXPECT_EQ(streams.size(), 1U);
}

}  // namespace
}  // namespace linnet::io
