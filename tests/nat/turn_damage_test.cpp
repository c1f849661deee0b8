// TURN's messages, cut or with a bit flipped (security.md, check 3): what is signed counts whole or not at all, and
// what is not signed reaches nobody but those whom a signed request named.
#include <gtest/gtest.h>

#include "tests/base/damage.h"
#include "tests/nat/turn_desk.h"

namespace linnet::nat::turn {
namespace {

using namespace std::chrono_literals;

struct TurnDamage : testing::Test {
  TurnDamage() {
    EXPECT_TRUE(client.allocate().success());
    EXPECT_TRUE(client.permit(kPeer).success());
    EXPECT_TRUE(client.bind(0x4001, kPeer).success());
  }
  // One of each that needs a tag; whoever takes one of them gives or takes something away.
  std::vector<Bytes> requests() {
    const Endpoint fresh{IpAddress::v4(198, 51, 100, 9), 6000};
    return {client.sealed(client.request(Method::refresh).u32(Attr::lifetime, 0)),
            client.sealed(client.request(Method::create_permission).endpoint(Attr::xor_peer_address, fresh)),
            client.sealed(client.request(Method::channel_bind)
                              .u16(Attr::channel_number, 0x4002)
                              .endpoint(Attr::xor_peer_address, fresh)),
            client.sealed(client.allocate_request())};
  }
  // To other addresses than that of the permission nothing goes; true: something went there.
  bool goes_to_the_peer_alone(const Onward& what) {
    if (what.to != Onward::To::peer) return false;
    EXPECT_EQ(what.endpoint.ip, kPeer.ip);
    return true;
  }

  World world;
  Client client{world};
};

TEST_F(TurnDamage, NoTruncationOfARequestIsAnswered) {
  for (const auto& whole : requests())
    damage::each_truncation(whole, [&](ByteView cut) { EXPECT_FALSE(world.ask(kClient, copy(cut))) << cut.size(); });
  EXPECT_EQ(world.server.size(), 1U);
}

TEST_F(TurnDamage, NoFlippedBitOfARequestIsObeyed) {
  const Endpoint other = {IpAddress::v4(203, 0, 113, 10), 5000};
  for (const auto& whole : requests()) {
    damage::each_flipped_bit(whole, [&](const Bytes& flipped, std::size_t bit) {
      world.now += 10ms;  // strangers are answered at a rate
      const auto answer = world.ask(kClient, flipped);
      EXPECT_FALSE(answer && answer->success()) << bit;
    });
  }
  EXPECT_EQ(world.server.size(), 1U);
  EXPECT_TRUE(world.closed_relays.empty());
  EXPECT_EQ(client.send({IpAddress::v4(198, 51, 100, 9), 6000}, "x").to, Onward::To::nobody);
  EXPECT_EQ(client.on_channel(0x4002, "x").to, Onward::To::nobody);
  EXPECT_EQ(client.on_channel(0x4001, "x").endpoint, kPeer);
  for (const auto& whole : requests()) EXPECT_FALSE(world.ask(other, whole)->success()) << "nor from elsewhere";
}

TEST_F(TurnDamage, WhatAClientSendsToPeersGoesWhereItMayOrNowhere) {
  const auto channel = Writer().u16(0x4001).u16(5).bytes(view("hello")).take();
  (void)client.send(kPeer, "hello");
  const auto indication = client.sent_;
  for (const auto& whole : {channel, indication}) {
    damage::each_truncation(whole, [&](ByteView cut) {
      auto bytes = copy(cut);
      EXPECT_NE(world.server.from_client(world.now, kClient, bytes).to, Onward::To::peer) << cut.size();
    });
    std::size_t went = 0;
    damage::each_flipped_bit(whole, [&](Bytes& flipped, std::size_t bit) {
      SCOPED_TRACE(bit);
      const auto what = world.server.from_client(world.now, kClient, flipped);
      if (!goes_to_the_peer_alone(what)) return;
      ++went;
      EXPECT_GE(what.bytes.data(), flipped.data());
      EXPECT_LE(what.bytes.data() + what.bytes.size(), flipped.data() + flipped.size());
    });
    EXPECT_GE(went, 5U * 8) << "its content is the client's own";
  }
}

// The client's side. The answer is damaged, then comes as it was.
struct TurnAnswers : testing::Test {
  // Damages every answer of that method and class in every way before the client hears it; `still` must hold all along.
  void damage_answers(Class of, Method method, std::function<bool()> still) {
    desk.meddle = [this, of, method, still = std::move(still)](Bytes& bytes) {
      const auto message = Message::parse(bytes);
      if (!message || !message->is(of, method)) return;
      ++damaged;
      damage::each_truncation(bytes, [&](ByteView cut) { hear(copy(cut), cut.size(), still); });
      damage::each_flipped_bit(bytes, [&](Bytes& flipped, std::size_t bit) { hear(flipped, bit, still); });
    };
  }
  void hear(Bytes bytes, std::size_t at, const std::function<bool()>& still) {
    EXPECT_FALSE(desk.client.handle(desk.world.now, bytes));
    EXPECT_TRUE(still()) << at;
  }

  Desk desk;
  int damaged = 0;
};

TEST_F(TurnAnswers, NoDamagedOneGivesAnAllocationAndTheRightOneStillDoes) {
  damage_answers(Class::success, Method::allocate,
                 [this] { return desk.client.status().state == ClientState::allocating; });
  desk.start();
  EXPECT_EQ(damaged, 1);
  EXPECT_EQ(desk.had, 1);
  EXPECT_GT(desk.client.status().forged, 0U);
}

TEST_F(TurnAnswers, NoDamagedOneGivesAPermissionAndTheRightOneStillDoes) {
  desk.start();
  damage_answers(Class::success, Method::create_permission, [this] {
    desk.pump();
    return desk.to_peers.empty() && desk.client.status().permissions == 0;
  });
  desk.say(kPeer, "hello");
  EXPECT_EQ(damaged, 1);
  ASSERT_EQ(desk.to_peers.size(), 1U);
  EXPECT_EQ(desk.to_peers[0].second, "hello");
}

TEST_F(TurnAnswers, NoDamagedOneBindsAChannelOrEndsAnAllocation) {
  desk.start();
  desk.say(kPeer, "hello");
  damage_answers(Class::success, Method::channel_bind, [this] { return desk.client.status().channels == 0; });
  for (unsigned i = 0; i < 2 * AllocationClient::kTalks; ++i) desk.peer_says(kPeer, "x");
  EXPECT_EQ(damaged, 1);
  EXPECT_EQ(desk.client.status().channels, 1U);
  damage_answers(Class::success, Method::refresh, [this] { return desk.client.status().state == ClientState::ready; });
  desk.wait(11min);
  EXPECT_GT(damaged, 1);
  EXPECT_EQ(desk.lost, 0);
  EXPECT_EQ(desk.had, 1);
}

// A challenge has no tag: damaged, it can spoil that one try, and the next one succeeds.
TEST(TurnChallengeDamage, OfEveryFlippedBitDelaysTheAllocationAndNoMore) {
  std::size_t bits = 0;
  {
    Desk desk;
    desk.meddle = [&](Bytes& bytes) {
      if (bits == 0) bits = bytes.size() * 8;
    };
    desk.start();
  }
  ASSERT_GT(bits, 0U);
  for (std::size_t bit = 0; bit < bits; ++bit) {
    Desk desk;
    bool first = true;
    desk.meddle = [&](Bytes& bytes) {
      if (first) bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      first = false;
    };
    desk.start();
    desk.wait(10min);
    ASSERT_EQ(desk.client.status().state, ClientState::ready) << bit;
  }
}

// What the server passes on has no tag either: it is heard as from an address that was written to, or not at all.
TEST(TurnDataDamage, IsHeardFromWhoWasWrittenToOrNotAtAll) {
  Desk desk;
  desk.start();
  desk.say(kPeer, "hello");
  std::vector<Bytes> kinds;
  desk.meddle = [&](Bytes& bytes) {
    if (kinds.empty() || is_channel_data(bytes) != is_channel_data(kinds.back())) kinds.push_back(bytes);
  };
  for (unsigned i = 0; i < 2 * AllocationClient::kTalks; ++i) desk.peer_says(kPeer, "words");
  desk.meddle = nullptr;
  ASSERT_GE(kinds.size(), 2U) << "an indication, then a channel's";
  for (const auto& whole : kinds) {
    if (!is_channel_data(whole) && !Message::parse(whole)->is(Class::indication, Method::data)) continue;
    damage::each_truncation(whole, [&](ByteView cut) {
      auto bytes = copy(cut);
      EXPECT_FALSE(desk.client.handle(desk.world.now, bytes)) << cut.size();
    });
    damage::each_flipped_bit(whole, [&](Bytes& flipped, std::size_t bit) {
      const auto heard = desk.client.handle(desk.world.now, flipped);
      if (!heard) return;
      EXPECT_EQ(heard->peer.ip, kPeer.ip) << bit;
      EXPECT_GE(heard->data.data(), flipped.data()) << bit;
      EXPECT_LE(heard->data.data() + heard->data.size(), flipped.data() + flipped.size()) << bit;
    });
  }
  EXPECT_EQ(desk.client.status().state, ClientState::ready);
}

}  // namespace
}  // namespace linnet::nat::turn
