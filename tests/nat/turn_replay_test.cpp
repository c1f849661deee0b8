// Requests that somebody recorded and sends again: from the same 5-tuple they change nothing that the original did not,
// from any other they change nothing at all (RFC 8489, section 9.2; RFC 8656, section 21.1).
#include "tests/nat/turn_picture.h"

namespace linnet::nat::turn {
namespace {

using namespace std::chrono_literals;

const Endpoint kElsewhere = *Endpoint::parse("203.0.113.66:5000");
const Endpoint kSecondPeer = *Endpoint::parse("198.51.100.8:6000");

// One recorded request, and what is asked before it.
struct Recorded {
  const char* name;
  bool first;  // before there is an allocation
  Builder (*write)(Client&);
};

Builder recorded_allocate(Client& c) { return c.allocate_request().u8(Attr::additional_address_family, 2); }
Builder recorded_refresh(Client& c) { return c.request(Method::refresh).u32(Attr::lifetime, 1800); }
Builder recorded_end(Client& c) { return c.request(Method::refresh).u32(Attr::lifetime, 0); }
Builder recorded_permission(Client& c) {
  return c.request(Method::create_permission)
      .endpoint(Attr::xor_peer_address, kPeer)
      .endpoint(Attr::xor_peer_address, kSecondPeer);
}
Builder recorded_bind(Client& c) {
  return c.request(Method::channel_bind).u16(Attr::channel_number, 0x4001).endpoint(Attr::xor_peer_address, kPeer);
}

class TurnReplay : public testing::TestWithParam<Recorded> {
 protected:
  // The client has what the request needs, and sent it; this is what was heard on the way.
  Bytes original() {
    client.challenged();
    if (!GetParam().first) {
      EXPECT_TRUE(client.allocate().success());
    }
    auto bytes = client.sealed(GetParam().write(client));
    answer = world.ask(kClient, bytes);
    EXPECT_TRUE(answer && answer->success());
    return bytes;
  }
  Picture picture() { return Picture(world, {kClient, kElsewhere}); }

  World world;
  Client client{world};
  std::optional<Answer> answer;
};

TEST_P(TurnReplay, FromTheSamePlaceChangesNothingThatTheOriginalDidNot) {
  const auto bytes = original();
  const auto before = picture();
  for (int i = 0; i < 20; ++i) (void)world.ask(kClient, bytes);
  EXPECT_EQ(picture(), before);
}

TEST_P(TurnReplay, FromAnotherAddressPortTransportOrSocketChangesNothing) {
  const auto bytes = original();
  const auto before = picture();
  auto port = kClient, tcp = kClient, tls = kClient, socket = kClient;
  port.port = 5001;
  tcp.transport = Transport::tcp;
  tls.transport = Transport::tls;
  socket.socket = 3;  // the same client at another address of ours
  for (const auto& from : {kElsewhere, port, tcp, tls, socket}) {
    const auto said = world.ask(from, bytes);
    ASSERT_TRUE(said);
    EXPECT_EQ(said->code(), 438) << from.to_string() << " is told a nonce of its own, as anybody is";
    EXPECT_EQ(world.last_to, from);
    EXPECT_EQ(picture(), before) << from.to_string();
  }
}

// A request that was never answered because it was lost, and comes from somewhere else first.
TEST_P(TurnReplay, FromElsewhereBeforeTheOriginalTakesNothingFromIt) {
  client.challenged();
  if (!GetParam().first) {
    ASSERT_TRUE(client.allocate().success());
  }
  const auto bytes = client.sealed(GetParam().write(client));
  EXPECT_EQ(world.ask(kElsewhere, bytes)->code(), 438);
  EXPECT_TRUE(world.ask(kClient, bytes)->success());
  EXPECT_FALSE(world.server.serves(kElsewhere));
}

TEST_P(TurnReplay, IsWorthNothingOnceItsNonceIsOld) {
  const auto bytes = original();
  world.now += Credentials::kNonceLife;
  world.server.handle_timeout(world.now);
  world.serve();
  client.challenged();
  if (!world.server.serves(kClient)) {
    ASSERT_TRUE(client.allocate().success()) << "a new allocation where the old one was";
  }
  const auto before = picture();
  EXPECT_EQ(world.ask(kClient, bytes)->code(), 438);
  EXPECT_EQ(picture(), before);
}

TEST_P(TurnReplay, WithOneBitChangedIsNobodysRequest) {
  const auto bytes = original();
  const auto before = picture();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] ^= static_cast<std::uint8_t>(1U << at % 8);
    const auto said = world.ask(kClient, changed);
    EXPECT_FALSE(said && said->success()) << at;
  }
  EXPECT_EQ(picture(), before);
}

INSTANTIATE_TEST_SUITE_P(Of, TurnReplay,
                         testing::Values(Recorded{"Allocate", true, recorded_allocate},
                                         Recorded{"Refresh", false, recorded_refresh},
                                         Recorded{"RefreshToNothing", false, recorded_end},
                                         Recorded{"CreatePermission", false, recorded_permission},
                                         Recorded{"ChannelBind", false, recorded_bind}),
                         [](const auto& one) { return std::string(one.param.name); });

// Within a nonce's life the same packet from the same address is the client's, as far as anybody can tell (RFC 8656,
// section 21.1: what stands against it is that nonces age). What it can do then, and that it ends.
struct TurnRecorded : testing::Test {
  TurnRecorded() { client.challenged(); }
  Bytes granted(const Builder& request) {
    auto bytes = client.sealed(request);
    EXPECT_TRUE(world.ask(kClient, bytes)->success());
    return bytes;
  }
  void pass(Duration time) {
    world.now += time;
    world.server.handle_timeout(world.now);
    world.serve();
  }

  World world;
  Client client{world};
};

TEST_F(TurnRecorded, AnAllocateAfterTheEndMakesNothing) {
  const auto recorded = granted(client.allocate_request());
  ASSERT_EQ(client.refresh(0).code(), 0);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(world.ask(kClient, recorded)->code(), 438);
  EXPECT_EQ(world.server.size(), 0U);
  pass(10min + 1s);
  EXPECT_EQ(world.ask(kClient, recorded)->code(), 438);
}

TEST_F(TurnRecorded, AnAllocateAfterTheTimeOfTheFirstRanOutIsOld) {
  const auto recorded = granted(client.allocate_request());
  pass(10min + 1s);
  EXPECT_EQ(world.server.size(), 0U);
  EXPECT_EQ(world.ask(kClient, recorded)->code(), 438);
}

// What the client ended takes its nonces along (turn_ended.h): the next allocation is of a nonce of its own.
TEST_F(TurnRecorded, AnEndIsOfTheAllocationThatItEndedAndOfNoneLater) {
  granted(client.allocate_request());
  const auto refresh = granted(recorded_refresh(client));
  const auto permission = granted(recorded_permission(client));
  const auto bind = granted(recorded_bind(client));
  const auto end = granted(recorded_end(client));
  EXPECT_EQ(world.ask(kClient, end)->code(), 438);
  EXPECT_EQ(client.refresh(0).code(), 438);
  for (const auto wait : {0s, 1s, 599s, 1s, 600s}) {
    pass(wait);
    client.challenged();
    granted(client.allocate_request());
    const auto before = Picture(world, {kClient, kElsewhere});
    for (const auto& recorded : {refresh, permission, bind, end}) EXPECT_EQ(world.ask(kClient, recorded)->code(), 438);
    EXPECT_EQ(Picture(world, {kClient, kElsewhere}), before);
    EXPECT_EQ(world.server.size(), 1U);
    granted(recorded_end(client));
  }
}

TEST_F(TurnRecorded, WhoEndedTwiceAndIsForgottenIsAskedForANewNonceOnce) {
  granted(client.allocate_request());
  granted(recorded_end(client));
  client.challenged();
  granted(client.allocate_request());
  pass(Credentials::kNonceLife - 1s);
  client.challenged();
  granted(recorded_refresh(client));
  pass(2s);
  EXPECT_EQ(client.refresh(600).code(), 438);
  client.challenged();
  EXPECT_EQ(client.refresh(600).code(), 0);
  EXPECT_EQ(world.server.size(), 1U);
}

TEST(TurnEnded, RemembersSoManyAndNoLongerThanANonceLives) {
  Ended ended;
  Time now{1h};
  const auto client = [](std::uint32_t n) { return Endpoint{IpAddress::v4(n), 5000}; };
  for (std::uint32_t n = 0; n < Ended::kMost + 10; ++n) ended.add(now, client(n), 10min);
  EXPECT_EQ(ended.times(now, client(9)), 0U) << "the oldest gave way";
  EXPECT_EQ(ended.times(now, client(10)), 1U);
  ended.add(now + 1min, client(Ended::kMost), 10min);
  EXPECT_EQ(ended.times(now + 10min, client(Ended::kMost)), 2U);
  EXPECT_EQ(ended.times(now + 10min, client(Ended::kMost + 1)), 0U);
  EXPECT_EQ(ended.times(now + 11min, client(Ended::kMost)), 0U);
}

TEST_F(TurnRecorded, APermissionComesBackForWhomTheClientHadNamedAndForNobodyElse) {
  granted(client.allocate_request());
  const auto recorded = granted(client.request(Method::create_permission).endpoint(Attr::xor_peer_address, kPeer));
  const Endpoint stranger{IpAddress::v4(198, 51, 100, 99), 6000};
  pass(6min);
  EXPECT_EQ(client.hears(kPeer, "x").to, Onward::To::nobody) << "it had ended";
  ASSERT_TRUE(world.ask(kClient, recorded)->success());
  EXPECT_EQ(client.hears(kPeer, "x").to, Onward::To::client);
  EXPECT_EQ(client.hears(stranger, "x").to, Onward::To::nobody);
  pass(6min);
  EXPECT_EQ(client.hears(kPeer, "x").to, Onward::To::nobody);
  EXPECT_EQ(world.ask(kClient, recorded)->code(), 438);
}

// Data has no tag: an address that is not the client's has no allocation to send from.
TEST(TurnReplayedData, FromAnotherPlaceReachesNobody) {
  World world;
  Client client(world);
  ASSERT_TRUE(client.allocate().success());
  ASSERT_TRUE(client.bind(0x4001, kPeer).success());
  ASSERT_EQ(client.on_channel(0x4001, "voice").to, Onward::To::peer);
  auto channel_data = client.sent_;
  ASSERT_EQ(client.send(kPeer, "voice").to, Onward::To::peer);
  auto indication = client.sent_;
  auto port = kClient, tcp = kClient, socket = kClient;
  port.port = 5001;
  tcp.transport = Transport::tcp;
  socket.socket = 3;
  for (const auto& from : {kElsewhere, port, tcp, socket}) {
    EXPECT_EQ(world.server.from_client(world.now, from, channel_data).to, Onward::To::nobody) << from.to_string();
    EXPECT_EQ(world.server.from_client(world.now, from, indication).to, Onward::To::nobody) << from.to_string();
  }
  EXPECT_FALSE(world.said()) << "and nobody is told";
}

// An answer of the server's that is sent back to it is no request.
TEST(TurnReplayedData, AnswersSentBackAreDropped) {
  World world;
  Client client(world);
  client.challenged();
  const auto success = client.allocate();
  const auto refusal = client.bind(0x0001, kPeer);
  const auto dropped = world.server.counters().dropped;
  EXPECT_FALSE(world.ask(kClient, success.bytes));
  EXPECT_FALSE(world.ask(kClient, refusal.bytes));
  EXPECT_EQ(world.server.counters().dropped, dropped + 2);
}

}  // namespace
}  // namespace linnet::nat::turn
