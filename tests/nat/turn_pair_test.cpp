// Pairs of a short life (nat/turn_pair.h): whoever holds the secret makes them, and the server keeps nothing of it.
#include "nat/turn_pair.h"

#include "tests/nat/turn_client.h"

namespace linnet::nat::turn {
namespace {

using namespace std::chrono_literals;

constexpr auto kSecret = "what the office knows";
constexpr Wall kToday{1'735'689'000};

ServerConfig with_secret() {
  auto out = config_of_tests();
  out.secret = kSecret;
  return out;
}

struct Office : World {
  explicit Office(ServerConfig config = with_secret()) : World(std::move(config)) { server.handle_wall(now, kToday); }
  // A client with a pair that is good for so long.
  Client client(std::chrono::seconds life, std::string_view name = "alice", const Endpoint& at = kClient) {
    const auto username = pair_name(kToday + life, name);
    return Client(*this, at, username, pair_password(kSecret, username));
  }
};

Endpoint port(std::uint16_t number) { return {kClient.ip, number}; }

// printf 1735689600:alice | openssl dgst -sha1 -hmac 'what the office knows' -binary | base64
TEST(TurnPair, IsWhatOthersMakeOfTheSameSecret) {
  EXPECT_EQ(pair_name(Wall{1'735'689'600}, "alice"), "1735689600:alice");
  EXPECT_EQ(pair_name(Wall{1'735'689'600}, ""), "1735689600");
  EXPECT_EQ(pair_password(kSecret, "1735689600:alice"), "k5734LdeZ+IzuYT9u1zLIzy3qKo=");
  EXPECT_EQ(pair_password(kSecret, "1735689600"), "Xh3/riLmTWmjInCxhZzJElEWRbI=");
}

TEST(TurnPair, SaysInItsNameUntilWhenAndForWhom) {
  EXPECT_EQ(read_pair_name("1735689600:alice"), (PairName{Wall{1'735'689'600}, "alice"}));
  EXPECT_EQ(read_pair_name("1735689600:a:b"), (PairName{Wall{1'735'689'600}, "a:b"}));
  EXPECT_EQ(read_pair_name("1735689600"), (PairName{Wall{1'735'689'600}, "1735689600"}));
  EXPECT_EQ(read_pair_name("1735689600:"), (PairName{Wall{1'735'689'600}, "1735689600:"}));
  for (const auto* none :
       {"", ":", ":alice", "alice", "alice:1735689600", "-1:alice", "+1:alice", " 1:alice", "1735689600.5:alice",
        "0x10:alice", "9223372036854775808:alice", "99999999999999999999999:alice"})
    EXPECT_EQ(read_pair_name(none), std::nullopt) << none;
}

TEST(TurnPair, OpensAnAllocationWhileItIsGood) {
  Office office;
  EXPECT_TRUE(office.client(1h).allocate().success());
}

TEST(TurnPair, WithoutANameIsAUserToo) {
  Office office;
  EXPECT_TRUE(office.client(1h, "").allocate().success());
}

TEST(TurnPair, IsRefusedFromTheSecondOnThatItNames) {
  Office office;
  auto late = office.client(60s);
  office.now += 59s;
  EXPECT_TRUE(office.client(60s, "alice", port(5001)).allocate().success());
  office.now += 1s;
  EXPECT_EQ(late.allocate().code(), 401);
  EXPECT_EQ(office.server.size(), 1U);
}

TEST(TurnPair, IsGoodOnlyOnceTheTimeIsKnown) {
  World world(with_secret());
  const auto username = pair_name(kToday + 1h, "alice");
  Client client(world, kClient, username, pair_password(kSecret, username));
  EXPECT_EQ(client.allocate().code(), 401);
  world.server.handle_wall(world.now, kToday);
  EXPECT_TRUE(client.allocate().success());
}

TEST(TurnPair, OfAnotherSecretOrWithAnotherNameIsRefused) {
  Office office;
  const auto username = pair_name(kToday + 1h, "alice");
  const auto longer = pair_name(kToday + 2h, "alice");
  const auto mallory = pair_name(kToday + 1h, "mallory");
  Client guessed(office, kClient, username, pair_password("what others guess", username));
  Client later(office, kClient, longer, pair_password(kSecret, username));
  Client other(office, kClient, mallory, pair_password(kSecret, username));
  for (auto* client : {&guessed, &later, &other}) EXPECT_EQ(client->allocate().code(), 401) << client->name_;
}

TEST(TurnPair, IsNobodyWhereThereIsNoSecret) {
  World world;
  world.server.handle_wall(world.now, kToday);
  const auto username = pair_name(kToday + 1h, "alice");
  for (const auto* secret : {"", kSecret}) {
    Client client(world, kClient, username, pair_password(secret, username));
    EXPECT_EQ(client.allocate().code(), 401);
  }
}

TEST(TurnPair, KeepsWhatItBeganWhenItHasExpired) {
  Office office;
  auto client = office.client(60s);
  ASSERT_TRUE(client.allocate().success());
  office.now += 300s;
  EXPECT_TRUE(client.refresh(600).success());
  EXPECT_TRUE(client.permit(kPeer).success());
  EXPECT_TRUE(client.refresh(0).success());
  client.challenged();
  EXPECT_EQ(client.allocate().code(), 401) << "and begins nothing anew";
}

TEST(TurnPair, OfTheSameNameTakesOverWhereTheFormerOneLeft) {
  Office office;
  ASSERT_TRUE(office.client(60s).allocate().success());
  office.now += 300s;
  EXPECT_TRUE(office.client(1h).refresh(600).success());
  EXPECT_EQ(office.client(1h, "bob").refresh(600).code(), 441);
}

TEST(TurnPair, HasTheQuotaOfItsNameHoweverManyThereAreOfIt) {
  auto config = with_secret();
  config.limits.per_user = 2;
  Office office(config);
  EXPECT_TRUE(office.client(1h, "alice", port(1)).allocate().success());
  EXPECT_TRUE(office.client(2h, "alice", port(2)).allocate().success());
  EXPECT_EQ(office.client(3h, "alice", port(3)).allocate().code(), 486);
  EXPECT_TRUE(office.client(3h, "bob", port(4)).allocate().success());
  EXPECT_TRUE(office.client(3h, "", port(5)).allocate().success()) << "nobody but itself";
  Client configured(office, port(6));
  EXPECT_TRUE(configured.allocate().success()) << "the configured alice is somebody else";
}

TEST(TurnPair, GivesItsQuotaBackWithItsAllocation) {
  auto config = with_secret();
  config.limits.per_user = 1;
  Office office(config);
  auto first = office.client(1h, "alice", port(1));
  ASSERT_TRUE(first.allocate().success());
  ASSERT_EQ(office.client(2h, "alice", port(2)).allocate().code(), 486);
  ASSERT_TRUE(first.refresh(0).success());
  EXPECT_TRUE(office.client(2h, "alice", port(2)).allocate().success());
}

TEST(TurnPair, LeavesNothingOfAThousandNames) {
  Office office;
  const auto before = office.server.memory_bytes();
  for (int i = 0; i < 1000; ++i) {
    office.now += 10ms;  // as many strangers are told a nonce
    auto client = office.client(1h, "name" + std::to_string(i), port(static_cast<std::uint16_t>(1000 + i)));
    ASSERT_TRUE(client.allocate().success()) << i;
    ASSERT_TRUE(client.refresh(0).success()) << i;
  }
  EXPECT_EQ(office.server.size(), 0U);
  EXPECT_EQ(office.server.memory_bytes(), before);
}

TEST(TurnPair, IsTakenWithSha256KeysToo) {
  Office office;
  auto client = office.client(1h);
  client.challenged();
  const stun::PasswordAlgorithm offered[] = {stun::PasswordAlgorithm::sha256, stun::PasswordAlgorithm::md5};
  const auto key = stun::long_term_key_sha256(client.name_, client.realm_, client.password_);
  auto out = client.allocate_request();
  out.text(Attr::username, client.name_)
      .text(Attr::realm, client.realm_)
      .text(Attr::nonce, client.nonce_)
      .password_algorithms(offered)
      .password_algorithm(stun::PasswordAlgorithm::sha256)
      .integrity_sha256(key);
  const auto answer = office.ask(kClient, out.take());
  ASSERT_TRUE(answer && answer->success());
  EXPECT_TRUE(stun::integrity_sha256_holds(answer->message(), key));
}

// Its hash would say nothing to a server that has never heard of the name.
TEST(TurnPair, KeepsTheServerFromPromisingThatNamesMayBeHidden) {
  Office office;
  auto client = office.client(1h);
  client.challenged();
  EXPECT_FALSE(stun::features_of(client.nonce_)->username_anonymity);
  EXPECT_TRUE(stun::features_of(client.nonce_)->password_algorithms);
  World without;
  Client other(without);
  other.challenged();
  EXPECT_TRUE(stun::features_of(other.nonce_)->username_anonymity);
}

}  // namespace
}  // namespace linnet::nat::turn
