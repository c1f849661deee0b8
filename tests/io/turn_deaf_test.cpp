// A client of TURN by TLS that never reads: what is meant for it is dropped and counted, the server does not grow, and
// others are served as before.
#include "node/io/net/turn_streams.h"
#include "tests/io/real_peer.h"
#include "tests/io/tls_guest.h"

namespace linnet::io {
namespace {

const Bytes kEmptyData = Writer().u16(0x4000).u16(0).take();  // ChannelData with nothing in it

struct DeafTurnClient : testing::Test {
  // Nothing of it is read before `done`.
  void join(TlsGuest& guest, const Endpoint& remote) {
    Fd server_side;
    const auto hello = guest.hello(server_side);
    auto stream = ByteStream::accepted(std::move(server_side));
    ASSERT_TRUE(stream->answer_tls(hello));
    streams.take({remote, Endpoint{IpAddress::v4(0xc0000201), 4400, Transport::tls}, std::move(stream), {}});
    ASSERT_TRUE(run_to(
        loop, [&] { return guest.shake(); }, std::chrono::seconds(10)));
    ASSERT_TRUE(run_to(
        loop,
        [&, seen = received] {
          (void)guest.say(kEmptyData);
          return received > seen;
        },
        std::chrono::seconds(10)));
  }

  static constexpr std::size_t kPacket = 1200;
  const Endpoint deaf{IpAddress::v4(0xcb007101), 1000, Transport::tls};
  const Endpoint fair{IpAddress::v4(0xc6336401), 1000, Transport::tls};
  Loop loop;
  std::size_t received = 0;
  std::size_t gone = 0;
  TurnStreams streams{loop,
                      {},
                      {[this](Time, const Endpoint&, MutableBytes) { ++received; }, [this] { streams.flush(); },
                       [this](const Endpoint&) { ++gone; }, [](const Endpoint&) { return true; }}};
};

TEST_F(DeafTurnClient, GetsNoMoreThanItsShareOfMemoryAndTheRestIsDroppedAndCounted) {
  TlsGuest deaf_one, fair_one;
  join(deaf_one, deaf);
  join(fair_one, fair);
  const Bytes packet(kPacket, 7);
  constexpr std::size_t kRounds = 4000;
  std::size_t heard = 0;
  for (std::size_t i = 0; i < kRounds; ++i) {
    streams.send(deaf, packet);
    streams.send(fair, packet);
    streams.flush();
    while (const auto n = fair_one.read()) heard += n;
    ASSERT_LE(streams.unsent(), TurnStreams::kMaxUnsent + 2 * kPacket);
  }
  EXPECT_EQ(heard, kRounds * kPacket) << "the other one got everything";
  // All but what waits here and what the system holds.
  const auto taken = (kRounds - streams.counters().dropped) * kPacket;
  EXPECT_GT(streams.counters().dropped, 0U);
  EXPECT_LT(taken, TurnStreams::kMaxUnsent + 1024 * 1024);
  EXPECT_EQ(gone, 0U) << "it has its time to read";
}

TEST_F(DeafTurnClient, ThatAsksForKeysWithoutEndIsLeft) {
  TlsGuest deaf_one, fair_one;
  join(deaf_one, deaf);
  join(fair_one, fair);
  constexpr int kMany = 50'000;  // answers of a megabyte
  std::size_t most = 0;
  int asked = 0;
  ASSERT_TRUE(run_to(
      loop,
      [&] {
        // A little data between two keys: so many in a row would be refused by the library.
        for (int i = 0; i < 64 && gone == 0 && asked < kMany; ++i) {
          if (!deaf_one.ask_for_key() || !deaf_one.say(kEmptyData)) break;
          ++asked;
        }
        most = std::max(most, streams.unsent());
        return gone > 0 || asked == kMany;
      },
      std::chrono::seconds(60)));
  EXPECT_EQ(gone, 1U) << "after " << asked;
  EXPECT_LE(most, ByteStream::kMostUnsent + 16 * 1024);
  streams.send(fair, Bytes(kPacket, 7));
  streams.flush();
  EXPECT_EQ(fair_one.read(), kPacket);
}

}  // namespace
}  // namespace linnet::io
