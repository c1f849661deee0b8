// Allocate and Refresh (RFC 8656, sections 7 and 8), and who may ask (RFC 8489, section 9.2).
#include "tests/nat/turn_client.h"

namespace linnet::nat::turn {
namespace {

using namespace std::chrono_literals;

TEST(TurnChallenge, AStrangerIsToldRealmNonceAndAlgorithms) {
  World world;
  Client client(world);
  const auto answer = world.ask(kClient, client.allocate_request().take());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code(), 401);
  const auto m = answer->message();
  EXPECT_EQ(m.text(Attr::realm), "example.org");
  EXPECT_TRUE(stun::features_of(*m.text(Attr::nonce))->password_algorithms);
  EXPECT_EQ(m.password_algorithms()->size(), 2U);
  EXPECT_EQ(world.server.size(), 0U);
}

TEST(TurnChallenge, NoAnswerToAStrangerIsFiveTimesItsRequest) {
  auto config = config_of_tests();
  config.realm = "linnet";
  World world(config);
  Client client(world);
  const auto request = client.request(Method::allocate).take();
  const auto answer = world.ask(kClient, request);
  ASSERT_TRUE(answer);
  EXPECT_LE(answer->bytes.size(), 5 * request.size());
}

TEST(TurnChallenge, OnePrefixGetsAHundredAnswersASecondAndOthersTheirOwn) {
  World world;
  Client client(world);
  int answered = 0;
  for (int i = 0; i < 1000; ++i) answered += world.ask(kClient, client.allocate_request().take()).has_value();
  EXPECT_EQ(answered, static_cast<int>(Server::kUnknownBurst));
  EXPECT_TRUE(world.ask(*Endpoint::parse("203.0.114.9:1"), client.allocate_request().take()));
  world.now += 1s;
  EXPECT_TRUE(world.ask(kClient, client.allocate_request().take()));
}

TEST(TurnCredentials, AWrongPasswordIsChallengedAgain) {
  World world;
  Client client(world, kClient, "alice", "guess");
  EXPECT_EQ(client.allocate().code(), 401);
}

TEST(TurnCredentials, AnUnknownUserIsChallengedAgain) {
  World world;
  Client client(world, kClient, "mallory", "secret");
  EXPECT_EQ(client.allocate().code(), 401);
}

TEST(TurnCredentials, SomethingMissingBesideTheTagIsABadRequest) {
  World world;
  Client client(world);
  client.challenged();
  auto out = client.allocate_request();
  out.text(Attr::username, "alice").text(Attr::realm, client.realm_);
  out.integrity(*stun::long_term_key_md5("alice", client.realm_, "secret"));
  EXPECT_EQ(world.ask(kClient, out.take())->code(), 400);
}

TEST(TurnCredentials, AStaleNonceIsNamedAndANewOneGiven) {
  World world;
  Client client(world);
  client.challenged();
  world.now += Credentials::kNonceLife;
  const auto stale = client.allocate();
  EXPECT_EQ(stale.code(), 438);
  client.nonce_ = *stale.message().text(Attr::nonce);
  EXPECT_TRUE(client.allocate().success());
}

TEST(TurnCredentials, ANonceIsOfOneAddressAndPort) {
  World world;
  Client one(world), other(world, *Endpoint::parse("203.0.113.9:5001"));
  one.challenged();
  other.realm_ = one.realm_;
  other.nonce_ = one.nonce_;
  EXPECT_EQ(other.allocate().code(), 438);
  one.nonce_.back() = one.nonce_.back() == 'a' ? 'b' : 'a';
  EXPECT_EQ(one.allocate().code(), 438);
}

TEST(TurnCredentials, Sha256AndAHiddenNameAreAnsweredInKind) {
  World world;
  Client client(world);
  client.challenged();
  const stun::PasswordAlgorithm offered[] = {stun::PasswordAlgorithm::sha256, stun::PasswordAlgorithm::md5};
  const auto key = stun::long_term_key_sha256("alice", client.realm_, "secret");
  auto out = client.allocate_request();
  out.bytes(Attr::userhash, stun::userhash("alice", client.realm_))
      .text(Attr::realm, client.realm_)
      .text(Attr::nonce, client.nonce_)
      .password_algorithms(offered)
      .password_algorithm(stun::PasswordAlgorithm::sha256)
      .integrity_sha256(key);
  const auto answer = world.ask(kClient, out.take());
  ASSERT_TRUE(answer && answer->success());
  EXPECT_TRUE(stun::integrity_sha256_holds(answer->message(), key));
  EXPECT_FALSE(answer->message().has(Attr::message_integrity));
}

TEST(TurnCredentials, AListOfAlgorithmsThatWeDidNotSayIsABidDown) {
  World world;
  Client client(world);
  client.challenged();
  const stun::PasswordAlgorithm weaker[] = {stun::PasswordAlgorithm::md5};
  auto out = client.allocate_request();
  out.password_algorithms(weaker).password_algorithm(stun::PasswordAlgorithm::md5);
  EXPECT_EQ(world.ask(kClient, client.sealed(out))->code(), 400);
}

TEST(TurnAllocate, ARelayedAddressIsGivenForTenMinutes) {
  World world;
  Client client(world);
  const auto answer = client.allocate();
  ASSERT_TRUE(answer.success());
  const auto m = answer.message();
  EXPECT_EQ(m.endpoint(Attr::xor_relayed_address)->ip, kServer);
  EXPECT_EQ(m.endpoint(Attr::xor_mapped_address), kClient);
  EXPECT_EQ(m.u32(Attr::lifetime), 600U);
  EXPECT_TRUE(stun::integrity_holds(m, *stun::long_term_key_md5("alice", "example.org", "secret")));
}

TEST(TurnAllocate, TheSameRequestAgainGetsTheSameAnswerAndAnotherOne437) {
  World world;
  Client client(world);
  client.challenged();
  const auto request = client.sealed(client.allocate_request());
  const auto first = world.ask(kClient, request);
  const auto again = world.ask(kClient, request);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->bytes, again->bytes);
  EXPECT_EQ(client.allocate().code(), 437);
  EXPECT_EQ(world.server.size(), 1U);
}

TEST(TurnAllocate, WhatIsNotUdpIsUnsupportedAndNothingIsABadRequest) {
  World world;
  Client client(world);
  EXPECT_EQ(client.ask(client.request(Method::allocate).u8(Attr::requested_transport, 6)).code(), 442);
  EXPECT_EQ(client.ask(client.request(Method::allocate)).code(), 400);
}

TEST(TurnAllocate, UnknownRequiredAttributesAreListed) {
  World world;
  Client client(world);
  const auto answer = client.ask(client.allocate_request().u32(static_cast<Attr>(0x7abc), 0));
  ASSERT_EQ(answer.code(), 420);
  EXPECT_THAT(*answer.message().unknown_attributes(), testing::ElementsAre(static_cast<Attr>(0x7abc)));
}

TEST(TurnAllocate, AFamilyIsChosenAndAnUnknownOneRefused) {
  World world;
  Client client(world);
  EXPECT_EQ(client.ask(client.allocate_request().u8(Attr::requested_address_family, 3)).code(), 440);
  const auto answer = client.ask(client.allocate_request().u8(Attr::requested_address_family, 2));
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.message().endpoint(Attr::xor_relayed_address)->ip, kServer6);
}

TEST(TurnAllocate, WithoutIpv6ThatFamilyIsNotSupported) {
  auto config = config_of_tests();
  config.v6 = false;
  World world(config);
  Client client(world);
  EXPECT_EQ(client.ask(client.allocate_request().u8(Attr::requested_address_family, 2)).code(), 440);
  const auto both = client.ask(client.allocate_request().u8(Attr::additional_address_family, 2));
  ASSERT_TRUE(both.success());
  EXPECT_EQ(both.message().u32(Attr::address_error_code), 0x02000428U) << "IPv6, 440";
}

TEST(TurnAllocate, BothFamiliesAtOnceGiveTwoRelayedAddresses) {
  World world;
  Client client(world);
  const auto answer = client.ask(client.allocate_request().u8(Attr::additional_address_family, 2));
  ASSERT_TRUE(answer.success());
  std::vector<IpAddress> relayed;
  const auto m = answer.message();
  for (const auto& a : m.attributes())
    if (a.type == Attr::xor_relayed_address) relayed.push_back(read_place(m, a)->ip);
  EXPECT_THAT(relayed, testing::ElementsAre(kServer, kServer6));
  EXPECT_FALSE(m.has(Attr::address_error_code));
  // One of them is given back alone.
  EXPECT_TRUE(client.ask(client.request(Method::refresh).u32(Attr::lifetime, 0).u8(Attr::requested_address_family, 2))
                  .success());
  EXPECT_EQ(world.server.size(), 1U);
  EXPECT_EQ(client.permit(*Endpoint::parse("[2001:db8:1::9]:1")).code(), 443);
  EXPECT_TRUE(client.permit(kPeer).success());
}

TEST(TurnAllocate, AttributesThatContradictOneAnotherAreABadRequest) {
  World world;
  Client client(world);
  const auto with = [&](auto add) {
    auto out = client.allocate_request();
    add(out);
    return client.ask(out).code();
  };
  const ByteArray<1> next{0x80}, even{0};
  EXPECT_EQ(with([&](Builder& b) { b.u64(Attr::reservation_token, 1).bytes(Attr::even_port, even); }), 400);
  EXPECT_EQ(with([&](Builder& b) { b.u64(Attr::reservation_token, 1).u8(Attr::requested_address_family, 1); }), 400);
  EXPECT_EQ(with([&](Builder& b) { b.u8(Attr::additional_address_family, 2).u8(Attr::requested_address_family, 1); }),
            400);
  EXPECT_EQ(with([&](Builder& b) { b.u8(Attr::additional_address_family, 2).bytes(Attr::even_port, next); }), 400);
  EXPECT_EQ(with([&](Builder& b) { b.u8(Attr::additional_address_family, 1); }), 400);
  EXPECT_EQ(world.server.size(), 0U);
}

TEST(TurnAllocate, AnEvenPortAndTheNextOneForWhoShowsTheToken) {
  World world;
  Client first(world), second(world, *Endpoint::parse("203.0.113.9:5001"));
  const ByteArray<1> next{0x80};
  const auto answer = first.ask(first.allocate_request().bytes(Attr::even_port, next));
  ASSERT_TRUE(answer.success());
  const auto even = answer.message().endpoint(Attr::xor_relayed_address)->port;
  EXPECT_EQ(even % 2, 0);
  const auto token = answer.message().u64(Attr::reservation_token);
  ASSERT_TRUE(token);
  EXPECT_EQ(second.ask(second.allocate_request().u64(Attr::reservation_token, *token + 1)).code(), 508);
  const auto taken = second.ask(second.allocate_request().u64(Attr::reservation_token, *token));
  ASSERT_TRUE(taken.success());
  EXPECT_EQ(taken.message().endpoint(Attr::xor_relayed_address)->port, even + 1);
}

TEST(TurnAllocate, AReservedPortIsForgottenAfterThirtySeconds) {
  World world;
  Client first(world), second(world, *Endpoint::parse("203.0.113.9:5001"));
  const ByteArray<1> next{0x80};
  const auto answer = first.ask(first.allocate_request().bytes(Attr::even_port, next));
  const auto token = answer.message().u64(Attr::reservation_token);
  ASSERT_TRUE(token);
  world.now += Server::kReservationLife;
  world.server.handle_timeout(world.now);
  world.serve();
  EXPECT_THAT(world.closed_relays, testing::ElementsAre(2U));
  EXPECT_EQ(second.ask(second.allocate_request().u64(Attr::reservation_token, *token)).code(), 508);
}

TEST(TurnAllocate, WithoutAPortThereIsNoCapacity) {
  World world;
  world.ports_left = false;
  Client client(world);
  EXPECT_EQ(client.allocate().code(), 508);
  EXPECT_EQ(world.server.size(), 0U);
  world.ports_left = true;
  EXPECT_TRUE(client.allocate().success());
}

TEST(TurnAllocate, AUserHasAQuotaAndAnotherUserHisOwn) {
  auto config = config_of_tests();
  config.limits.per_user = 2;
  World world(config);
  const auto at = [](std::uint16_t port) { return Endpoint{kClient.ip, port}; };
  EXPECT_TRUE(Client(world, at(1)).allocate().success());
  Client second(world, at(2));
  EXPECT_TRUE(second.allocate().success());
  EXPECT_EQ(Client(world, at(3)).allocate().code(), 486);
  EXPECT_TRUE(Client(world, at(4), "bob", "hush").allocate().success());
  EXPECT_TRUE(second.refresh(0).success());
  EXPECT_TRUE(Client(world, at(5)).allocate().success());
}

TEST(TurnAllocate, APrefixHasAQuotaAndTheServerAnEnd) {
  auto config = config_of_tests();
  config.limits.per_prefix = 1;
  config.limits.total = 2;
  World world(config);
  EXPECT_TRUE(Client(world).allocate().success());
  EXPECT_EQ(Client(world, *Endpoint::parse("203.0.113.77:1")).allocate().code(), 486);
  EXPECT_TRUE(Client(world, *Endpoint::parse("203.0.114.1:1")).allocate().success());
  EXPECT_EQ(Client(world, *Endpoint::parse("203.0.115.1:1")).allocate().code(), 508);
}

TEST(TurnRefresh, AsksForLongerAndGetsAnHourAtMost) {
  World world;
  Client client(world);
  ASSERT_TRUE(client.allocate().success());
  EXPECT_EQ(client.refresh(1800).message().u32(Attr::lifetime), 1800U);
  EXPECT_EQ(client.refresh(100'000).message().u32(Attr::lifetime), 3600U);
  EXPECT_EQ(client.refresh(1).message().u32(Attr::lifetime), 600U);
}

TEST(TurnRefresh, WithNoLifetimeLeftTheSocketIsClosedAtOnce) {
  World world;
  Client client(world);
  ASSERT_TRUE(client.allocate().success());
  EXPECT_EQ(client.refresh(0).message().u32(Attr::lifetime), 0U);
  world.serve();
  EXPECT_THAT(world.closed_relays, testing::ElementsAre(1U));
  client.challenged();
  EXPECT_EQ(client.refresh(600).code(), 437);
  EXPECT_EQ(world.server.next_timeout(), kNever);
}

TEST(TurnRefresh, AnotherUserOnTheSamePathHasWrongCredentials) {
  World world;
  Client alice(world), bob(world, kClient, "bob", "hush");
  ASSERT_TRUE(alice.allocate().success());
  EXPECT_EQ(bob.refresh(600).code(), 441);
  EXPECT_EQ(bob.permit(kPeer).code(), 441);
}

TEST(TurnRefresh, AnAllocationThatIsNotRefreshedEnds) {
  World world;
  Client client(world);
  ASSERT_TRUE(client.allocate().success());
  world.now += 601s;
  ASSERT_LE(world.server.next_timeout(), world.now);
  world.server.handle_timeout(world.now);
  world.serve();
  EXPECT_EQ(world.server.size(), 0U);
  EXPECT_THAT(world.closed_relays, testing::ElementsAre(1U));
}

TEST(TurnRefresh, AStreamThatEndsTakesItsAllocationAlong) {
  World world;
  auto at = kClient;
  at.transport = Transport::tls;
  Client client(world, at);
  ASSERT_TRUE(client.allocate().success());
  world.server.client_gone(kClient);
  EXPECT_EQ(world.server.size(), 1U) << "the same address by UDP is somebody else";
  world.server.client_gone(at);
  EXPECT_EQ(world.server.size(), 0U);
}

}  // namespace
}  // namespace linnet::nat::turn
