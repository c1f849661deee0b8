// security.md, check 34, inside TLS: TURN clients that say a byte a second there, whether of a message or of the record
// it comes in, are closed within ten seconds, and a client with an allocation is served meanwhile.
#include <algorithm>

#include "nat/stun_builder.h"
#include "node/io/net/turn_streams.h"
#include "tests/io/real_peer.h"
#include "tests/io/tls_guest.h"

namespace linnet::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct SlowTlsTurnClients : testing::Test {
  struct Drip {
    std::unique_ptr<TlsGuest> guest;
    bool inside;  // bytes of a message, each in a record; else of one record
    Time began{};
    std::optional<Time> over{};
  };

  static Endpoint place(std::uint16_t port) { return {IpAddress::v4(0xcb007101), port, Transport::tls}; }
  std::unique_ptr<TlsGuest> join(const Endpoint& remote) {
    auto guest = std::make_unique<TlsGuest>();
    Fd server_side;
    const auto hello = guest->hello(server_side);
    auto stream = ByteStream::accepted(std::move(server_side));
    EXPECT_TRUE(stream->answer_tls(hello));
    streams.take({remote, Endpoint{IpAddress::v4(0xc0000201), 4400, Transport::tls}, std::move(stream), {}});
    EXPECT_TRUE(run_to(
        loop, [&] { return guest->shake(); }, seconds(10)));
    return guest;
  }

  Loop loop;
  std::set<Endpoint> allocated;
  TurnStreams streams{loop,
                      {},
                      {[this](Time, const Endpoint& client, MutableBytes message) {
                         if (allocated.contains(client)) streams.send(client, message);
                       },
                       [this] { streams.flush(); }, [](const Endpoint&) {},
                       [this](const Endpoint& client) { return allocated.contains(client); }}};
};

TEST_F(SlowTlsTurnClients, AreClosedWithinTenSecondsWhileOthersAreServed) {
  allocated.insert(place(1));
  const auto client = join(place(1));
  // A request that announces 64 bytes more than ever come.
  auto begun = nat::stun::Builder(nat::stun::Class::request, nat::stun::Method::allocate, {1}).take();
  begun[3] = 64;
  const Bytes record{0x17, 0x03, 0x03, 0x01, 0x00};  // application data of 256 bytes (RFC 8446, section 5.2)
  std::vector<Drip> slow;
  for (std::uint16_t i = 0; i < 16; ++i) {
    slow.push_back({join(place(static_cast<std::uint16_t>(100 + i))), i % 2 == 0, now()});
    if (slow.back().inside) {
      ASSERT_TRUE(slow.back().guest->say(begun));
    } else {
      slow.back().guest->say_raw(record);
    }
  }
  const Bytes packet = Writer().u16(0x4000).u16(4).u32(7).take();
  Time next_byte = now(), asked{};
  Duration longest{};
  std::size_t answers = 0;
  bool waits = false;
  const auto look = [&] {
    if (now() >= next_byte) {
      next_byte += seconds(1);
      for (auto& one : slow) {
        if (one.over) continue;
        if (one.inside) {
          (void)one.guest->say(Bytes{0});
        } else {
          one.guest->say_raw(Bytes{0});
        }
      }
    }
    if (waits && client->read() > 0) {
      longest = std::max(longest, now() - asked);
      ++answers;
      waits = false;
    }
    if (!waits) {
      asked = now();
      waits = client->say(packet);
    }
    for (auto& one : slow) {
      if (!one.over && one.guest->hung_up()) one.over = now();
    }
    return std::all_of(slow.begin(), slow.end(), [](const Drip& one) { return one.over.has_value(); });
  };
  EXPECT_TRUE(run_to(loop, look, seconds(12 * kSanitized)));
  for (const auto& one : slow)
    EXPECT_LE(one.over.value_or(Time::max()) - one.began, seconds(10 * kSanitized))
        << (one.inside ? "message" : "record");
  EXPECT_GT(answers, 50U);
  EXPECT_LT(longest, milliseconds(1000 * kSanitized));
  EXPECT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams.counters().closed_slow, 16U);
}

}  // namespace
}  // namespace linnet::io
