// A TURN client beside our own server, in virtual time: how it has, keeps and loses an allocation, whom it writes to
// and whom it hears (RFC 8656), and what it does not believe.
#include "tests/nat/turn_desk.h"

namespace linnet::nat::turn {
namespace {

using namespace std::chrono_literals;

std::pair<Endpoint, std::string> pair_of(const Endpoint& at, std::string what) { return {at, std::move(what)}; }

TEST(TurnClient, AnswersTheChallengeAndHasAnAddressOfEachFamily) {
  Desk desk;
  desk.start();
  ASSERT_TRUE(desk.given);
  EXPECT_EQ(desk.given->v4->ip, kServer);
  EXPECT_EQ(desk.given->v6->ip, kServer6);
  EXPECT_EQ(desk.given->mapped, desk.from);
  EXPECT_EQ(desk.asked(Method::allocate), 2U) << "once bare, once with the tag";
  EXPECT_EQ(desk.client.status().state, ClientState::ready);
}

TEST(TurnClient, OfAServerWithoutIpv4HasTheOtherFamily) {
  auto config = config_of_tests();
  config.v4 = false;
  Desk desk(config);
  desk.start();
  ASSERT_TRUE(desk.given);
  EXPECT_FALSE(desk.given->v4);
  EXPECT_TRUE(desk.given->v6);
}

TEST(TurnClient, KeepsItsAllocationWhileNoncesGrowOld) {
  Desk desk;
  desk.start();
  desk.wait(6h);
  EXPECT_EQ(desk.world.server.size(), 1U);
  EXPECT_EQ(desk.had, 1);
  EXPECT_EQ(desk.lost, 0);
  EXPECT_GE(desk.asked(Method::refresh), 40U + 20U) << "each second one meets a 438";
}

TEST(TurnClient, KeepsTheMappingOfItsNatAlive) {
  Desk desk;
  desk.start();
  desk.wait(200s);
  EXPECT_EQ(desk.keepalives, 10U);
}

TEST(TurnClient, GivesTheAllocationBack) {
  Desk desk;
  desk.start();
  ASSERT_EQ(desk.world.server.size(), 1U);
  desk.client.stop();
  desk.pump();
  EXPECT_EQ(desk.world.server.size(), 0U);
  EXPECT_EQ(desk.lost, 1);
  EXPECT_EQ(desk.closed, 1);
  EXPECT_EQ(desk.client.next_timeout(), kNever);
  desk.start();
  EXPECT_EQ(desk.world.server.size(), 1U) << "and has it again when it is wanted again";
}

TEST(TurnClient, WithAWrongPasswordSaysSoAndTriesSeldom) {
  Desk desk(config_of_tests(), "a guess");
  desk.start();
  EXPECT_EQ(desk.client.status().state, ClientState::waiting);
  EXPECT_NE(desk.client.status().trouble.find("user and password"), std::string::npos);
  desk.wait(1h);
  EXPECT_LE(desk.opened, 13);
  EXPECT_EQ(desk.had, 0);
}

TEST(TurnClient, WhomNobodyAnswersTriesLessAndLessOften) {
  Desk desk;
  desk.deaf = true;
  desk.start();
  desk.wait(1h);
  EXPECT_NE(desk.client.status().trouble.find("does not answer"), std::string::npos);
  EXPECT_LE(desk.opened, 18);
  EXPECT_LE(desk.packets, 18U * 7U);
  desk.deaf = false;
  desk.wait(6min);
  EXPECT_EQ(desk.had, 1);
}

TEST(TurnClient, WhoCannotGetThereTriesLessAndLessOften) {
  Desk desk;
  desk.reachable = false;
  desk.start();
  desk.wait(1h);
  EXPECT_EQ(desk.client.status().trouble, "no way there");
  EXPECT_GE(desk.opened, 12);
  EXPECT_LE(desk.opened, 25);
}

TEST(TurnClient, LeavesAFullServerAloneForAMinute) {
  auto config = config_of_tests();
  config.limits.per_user = 0;
  Desk desk(config);
  desk.start();
  EXPECT_NE(desk.client.status().trouble.find("486"), std::string::npos) << desk.client.status().trouble;
  desk.wait(59s);
  EXPECT_EQ(desk.opened, 1);
  desk.wait(30s);
  EXPECT_EQ(desk.opened, 2);
}

TEST(TurnClient, WhenThereAreNoPortsSaysSo) {
  Desk desk;
  desk.world.ports_left = false;
  desk.start();
  EXPECT_NE(desk.client.status().trouble.find("508"), std::string::npos) << desk.client.status().trouble;
}

TEST(TurnClient, OfAServerThatForgotEverythingHasAnotherAllocationByAnotherPort) {
  Desk desk;
  desk.start();
  desk.world.server.client_gone(desk.from);
  desk.world.serve();
  ASSERT_EQ(desk.world.server.size(), 0U);
  desk.wait(11min);
  EXPECT_EQ(desk.lost, 1);
  EXPECT_EQ(desk.opened, 2);
  EXPECT_EQ(desk.had, 2);
}

TEST(TurnClient, ALostConnectionIsALostAllocation) {
  Desk desk;
  desk.start();
  desk.client.closed(desk.world.now, "the connection broke");
  desk.pump();
  EXPECT_EQ(desk.lost, 1);
  EXPECT_EQ(desk.client.status().trouble, "the connection broke");
  desk.wait(10s);
  EXPECT_EQ(desk.had, 2);
}

TEST(TurnClient, HoldsWhatItSendsUntilThePermissionStands) {
  Desk desk;
  desk.start();
  desk.say(kPeer, "hello");
  EXPECT_THAT(desk.to_peers, testing::ElementsAre(pair_of(kPeer, "hello")));
  desk.say({kPeer.ip, 9}, "there");
  EXPECT_EQ(desk.asked(Method::create_permission), 1U + 0U) << "a permission is of an address";
  EXPECT_EQ(desk.to_peers.size(), 2U);
}

TEST(TurnClient, SpeaksByAChannelToWhoTalksMuch) {
  Desk desk;
  desk.start();
  desk.say(kPeer, "hello");
  for (unsigned i = 0; i < AllocationClient::kTalks; ++i) desk.peer_says(kPeer, "yes");
  EXPECT_EQ(desk.client.status().channels, 1U);
  desk.say(kPeer, "by a channel");
  desk.peer_says(kPeer, "and back");
  EXPECT_EQ(desk.to_peers.back(), pair_of(kPeer, "by a channel"));
  EXPECT_EQ(desk.from_peers.back(), pair_of(kPeer, "and back"));
}

TEST(TurnClient, RenewsWhatIsUsedAndLetsTheRestEnd) {
  Desk desk;
  desk.start();
  const Endpoint other{IpAddress::v4(198, 51, 100, 8), 1};
  desk.say(kPeer, "x");
  desk.say(other, "x");
  for (unsigned i = 0; i < AllocationClient::kTalks; ++i) desk.peer_says(kPeer, "yes");
  for (int i = 0; i < 60; ++i) {
    desk.wait(30s);
    desk.say(kPeer, "still here");
    ASSERT_EQ(desk.to_peers.back().second, "still here") << i;
    desk.to_peers.clear();
    desk.peer_says(kPeer, "so am I");
    ASSERT_EQ(desk.from_peers.back().second, "so am I");
    desk.from_peers.clear();
  }
  EXPECT_EQ(desk.client.status().permissions, 1U);
  EXPECT_EQ(desk.client.status().channels, 1U);
  desk.wait(20min);
  EXPECT_EQ(desk.client.status().permissions, 0U);
  EXPECT_EQ(desk.client.status().channels, 0U);
}

TEST(TurnClient, AsksAForbiddenPeerOnceInFiveMinutes) {
  Desk desk(config_of_tests(), "secret", *Endpoint::parse("10.9.9.9:3478"));
  desk.start();
  const auto inside = *Endpoint::parse("10.0.0.1:80");
  for (int i = 0; i < 100; ++i) {
    desk.say(inside, "x");
    desk.wait(1s);
  }
  EXPECT_EQ(desk.asked(Method::create_permission), 1U);
  EXPECT_TRUE(desk.to_peers.empty());
  EXPECT_EQ(desk.client.status().dropped, 100U);
}

TEST(TurnClient, AsksAServerOnTheInternetForNoPrivatePeer) {
  Desk desk;
  desk.start();
  for (const auto* at : {"10.0.0.1:80", "127.0.0.1:80", "169.254.169.254:80", "224.0.0.1:80", "0.0.0.0:80", "[::1]:80",
                         "[fe80::1]:80", "198.51.100.7:0"})
    desk.say(*Endpoint::parse(at), "x");
  EXPECT_EQ(desk.asked(Method::create_permission), 0U);
}

TEST(TurnClient, HearsNobodyItDidNotWriteTo) {
  Desk desk;
  desk.start();
  const auto indication = [](const Endpoint& peer) {
    return Builder(Class::indication, Method::data, {1})
        .endpoint(Attr::xor_peer_address, peer)
        .text(Attr::data, "x")
        .take();
  };
  desk.comes(indication(kPeer));
  EXPECT_TRUE(desk.from_peers.empty());
  desk.say(kPeer, "hello");
  desk.comes(indication(kPeer));
  desk.comes(indication({IpAddress::v4(198, 51, 100, 8), 6000}));
  desk.comes(Writer().u16(0x4000).u16(1).u8(7).take());
  EXPECT_EQ(desk.from_peers.size(), 1U);
  EXPECT_EQ(desk.client.status().dropped, 3U);
}

TEST(TurnClient, BelievesNoAnswerWithoutTheRightTag) {
  Desk desk;
  int forged = 0;
  desk.meddle = [&](Bytes& bytes) {
    const auto message = Message::parse(bytes);
    if (!message || message->message_class() != Class::success || forged++ > 0) return;
    bytes.back() ^= 1;  // the tag is at the end
  };
  desk.start();
  EXPECT_EQ(desk.client.status().state, ClientState::allocating);
  EXPECT_EQ(desk.client.status().forged, 1U);
  desk.wait(1s);
  EXPECT_EQ(desk.client.status().state, ClientState::ready) << "the true one came by the next sending";
}

TEST(TurnClient, BelievesNoBareRefusalOfWhatItSigned) {
  Desk desk;
  desk.start();
  std::optional<stun::TransactionId> id;
  desk.deaf = true;
  desk.client.send(desk.world.now, kPeer, view("x"));
  while (auto bytes = desk.client.poll_transmit()) id = Message::parse(*bytes)->id();
  ASSERT_TRUE(id);
  for (const auto code : {ErrorCode::allocation_mismatch, ErrorCode::forbidden, ErrorCode::allocation_quota_reached})
    desk.comes(Builder(Class::error, Method::create_permission, *id).error(code).take());
  EXPECT_EQ(desk.client.status().forged, 3U);
  EXPECT_EQ(desk.client.status().state, ClientState::ready);
}

TEST(TurnClient, IsNotTalkedOutOfTheBetterAlgorithm) {
  Desk desk;
  desk.meddle = [](Bytes& bytes) {
    const auto message = Message::parse(bytes);
    if (!message || message->message_class() != Class::error) return;
    Builder out(Class::error, message->method(), message->id());
    out.error(ErrorCode::unauthenticated);
    out.text(Attr::realm, *message->text(Attr::realm)).text(Attr::nonce, *message->text(Attr::nonce));
    bytes = out.take();  // without PASSWORD-ALGORITHMS
  };
  desk.start();
  EXPECT_EQ(desk.had, 0);
  EXPECT_EQ(desk.asked(Method::allocate), 1U) << "nothing was signed by the weaker one";
}

TEST(TurnClient, AnswersAServerOfBeforeThoseAlgorithms) {
  Desk desk;
  desk.deaf = true;
  desk.start();
  const auto key = *stun::long_term_key_md5("alice", "old.example", "secret");
  Bytes signed_request;
  desk.client.handle_timeout(desk.world.now);
  // The first request was lost with the network: its next sending is looked at.
  desk.world.now += 500ms;
  desk.client.handle_timeout(desk.world.now);
  const auto first = desk.client.poll_transmit();
  ASSERT_TRUE(first);
  Builder challenge(Class::error, Method::allocate, Message::parse(*first)->id());
  challenge.error(ErrorCode::unauthenticated).text(Attr::realm, "old.example").text(Attr::nonce, "0123456789abcdef");
  desk.comes(challenge.take());
  const auto second = desk.client.poll_transmit();
  ASSERT_TRUE(second);
  const auto request = *Message::parse(*second);
  EXPECT_TRUE(stun::integrity_holds(request, key));
  EXPECT_FALSE(request.has(Attr::password_algorithm));
  Builder answer(Class::success, Method::allocate, request.id());
  answer.endpoint(Attr::xor_relayed_address, {kServer, 50'000}).u32(Attr::lifetime, 600).integrity(key);
  desk.comes(answer.take());
  EXPECT_EQ(desk.client.status().state, ClientState::ready);
}

TEST(TurnClient, IsSentToNoOtherServer) {
  Desk desk;
  desk.meddle = [](Bytes& bytes) {
    const auto message = Message::parse(bytes);
    if (!message) return;
    Builder out(Class::error, message->method(), message->id());
    bytes = out.error(ErrorCode::try_alternate).endpoint(Attr::alternate_server, kPeer).take();
  };
  desk.start();
  EXPECT_EQ(desk.client.status().state, ClientState::waiting);
  EXPECT_NE(desk.client.status().trouble.find("300"), std::string::npos);
}

TEST(TurnClient, ChallengedForEverGivesUp) {
  Desk desk;
  desk.meddle = [](Bytes& bytes) {
    const auto message = Message::parse(bytes);
    if (!message) return;
    Builder out(Class::error, message->method(), message->id());
    out.error(ErrorCode::stale_nonce).text(Attr::realm, "r").text(Attr::nonce, "fresh");
    bytes = out.take();
  };
  desk.start();
  EXPECT_EQ(desk.asked(Method::allocate), 3U);
  EXPECT_EQ(desk.client.status().state, ClientState::waiting);
}

TEST(TurnClient, OnAStreamSendsOnceAndPads) {
  auto server = kAtServer;
  server.transport = Transport::tcp;
  Desk desk(config_of_tests(), "secret", server);
  desk.start();
  ASSERT_TRUE(desk.given);
  desk.wait(120s);
  EXPECT_EQ(desk.keepalives, 0U);
  desk.say(kPeer, "hello");
  for (unsigned i = 0; i < AllocationClient::kTalks; ++i) desk.peer_says(kPeer, "yes");
  ASSERT_EQ(desk.client.status().channels, 1U);
  desk.client.send(desk.world.now, kPeer, view("five!"));
  EXPECT_EQ(desk.client.poll_transmit()->size(), 12U);
  desk.deaf = true;
  desk.packets = 0;
  desk.say({IpAddress::v4(198, 51, 100, 9), 1}, "x");
  desk.wait(38s);
  EXPECT_EQ(desk.packets, 1U) << "a request on a stream is not repeated";
}

TEST(TurnClient, HasABoundForEverythingThatPeersCanFill) {
  Desk desk;
  desk.start();
  for (std::uint32_t i = 0; i < 5000; ++i) {
    desk.say({IpAddress::v4(0xc6336400U + i % 200), static_cast<std::uint16_t>(1 + i)}, "x");
    desk.peer_says({IpAddress::v4(0xc6336400U), static_cast<std::uint16_t>(1 + i)}, "y");
  }
  const auto status = desk.client.status();
  EXPECT_EQ(status.permissions, AllocationClient::kMaxPermissions);
  EXPECT_LE(status.channels, AllocationClient::kMaxChannels);
  EXPECT_LE(desk.client.memory_bytes(), 64U * 1024U);
  desk.deaf = true;
  desk.wait(31s);
  for (std::uint32_t i = 0; i < 5000; ++i)
    desk.client.send(desk.world.now, {IpAddress::v4(0xcb007100U + i % 200), 7}, Bytes(1200));
  EXPECT_LE(desk.client.memory_bytes(), 128U * 1024U);
}

TEST(TurnClient, TakesAPeerThatWasNotHeardForLongOutOfItsTable) {
  Desk desk;
  desk.start();
  for (std::uint32_t i = 0; i < AllocationClient::kMaxPermissions; ++i)
    desk.say({IpAddress::v4(0xc6336400U + i), 1}, "x");
  desk.say(*Endpoint::parse("203.0.113.77:1"), "too many");
  EXPECT_NE(desk.to_peers.back().second, "too many");
  desk.wait(31s);
  desk.say(*Endpoint::parse("203.0.113.77:1"), "now");
  EXPECT_EQ(desk.to_peers.back().second, "now");
}

TEST(TurnClient, TakesNoAddressThatIsNone) {
  for (const auto* at : {"0.0.0.0:5", "224.0.0.1:5", "127.0.0.1:5", "192.0.2.1:0"}) {
    Desk desk;
    desk.meddle = [&](Bytes& bytes) {
      const auto message = Message::parse(bytes);
      if (!message || message->message_class() != Class::success) return;
      Builder out(Class::success, message->method(), message->id());
      out.endpoint(Attr::xor_relayed_address, *Endpoint::parse(at)).u32(Attr::lifetime, 600);
      bytes = out.integrity_sha256(stun::long_term_key_sha256("alice", "example.org", "secret")).take();
    };
    desk.start();
    EXPECT_EQ(desk.had, 0) << at;
    EXPECT_EQ(desk.client.status().forged, 0U) << at;
    EXPECT_EQ(desk.client.status().state, ClientState::waiting) << at;
  }
}

// A stream may take its time to stand. Wanted no more, it must not stay half open.
TEST(TurnClient, StoppedWhileItIsBeingConnectedClosesWhatIsBeingOpened) {
  SeededRng rng{9};
  AllocationClient client({"alice", "secret"}, rng);
  client.start(Time{});
  EXPECT_TRUE(std::holds_alternative<client_event::Open>(*client.poll_event()));
  ASSERT_FALSE(client.poll_event());
  client.stop();
  const auto event = client.poll_event();
  ASSERT_TRUE(event);
  EXPECT_TRUE(std::holds_alternative<client_event::Close>(*event));
  EXPECT_FALSE(client.poll_event());
  client.stop();
  EXPECT_FALSE(client.poll_event()) << "there is nothing to close";
}

}  // namespace
}  // namespace linnet::nat::turn
