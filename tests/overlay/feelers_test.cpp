#include "overlay/feelers.h"

#include <gtest/gtest.h>

#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Alice is served by three; a fourth, that none of them knows, she was told of while it was away.
struct Feeling : testing::Test {
  Net net;
  Node* far = nullptr;
  dht::Contact told;
  std::uint64_t out = 0, in = 0;
  std::vector<Bytes> said;  // by Alice to the fourth

  void world(Role role = Role::leaf) {
    for (const auto* name : {"s1", "s2", "s3"}) net.start(net.add(name, Role::supernode, {"s1"}));
    far = &net.add("far", Role::supernode);
    net.start(*far);
    told = far->peer->dht()->self();
    net.kill(*far);
    net.run(seconds(1));
    net.add("alice", role, {"s1", "s2", "s3"});
  }
  Node& alice() { return net.at("alice"); }
  // At first she finds it silent, as she does all that are not there when she comes.
  void begin() {
    HostCache cache;
    cache.heard_of(told, net.at("s1").endpoint.ip);
    net.start(alice(), cache);
    ASSERT_TRUE(net.run_to([&] { return online(alice()); }));
    net.run(minutes(2));
    net.seen = [&](const Endpoint& from, const Endpoint& to, ByteView bytes) {
      if (from == alice().endpoint && to == far->endpoint) said.push_back(copy(bytes));
      if (from == alice().endpoint) out += bytes.size() + 28;
      if (to == alice().endpoint) in += bytes.size() + 28;
    };
  }
  const CachedHost* remembered() {
    for (const auto& h : alice().peer->host_cache().hosts()) {
      if (h.contact.endpoint == far->endpoint) return &h;
    }
    return nullptr;
  }
  bool proven() {
    const auto* host = remembered();
    return host != nullptr && host->proven();
  }
};

TEST_F(Feeling, ProvesWhoWasOnlyHeardOfAndSaysNothingOfItself) {
  world();
  begin();
  ASSERT_NE(remembered(), nullptr);
  EXPECT_FALSE(proven());
  net.start(*far);
  ASSERT_TRUE(net.run_to([&] { return proven(); }, minutes(30)));
  net.run(minutes(5));
  ASSERT_FALSE(said.empty());
  for (const auto& packet : said) EXPECT_EQ(packet[0], 4) << "the first message of a handshake, and no other";
  EXPECT_EQ(far->peer->leaf_count(), 0U);
  EXPECT_TRUE(online(alice()));
}

TEST_F(Feeling, IsDoneBySupernodesAsWell) {
  world(Role::supernode);
  begin();
  net.start(*far);
  EXPECT_TRUE(net.run_to([&] { return proven(); }, minutes(60)));
}

TEST_F(Feeling, ForgetsWhoNeverAnswers) {
  world();
  begin();
  EXPECT_TRUE(net.run_to([&] { return remembered() == nullptr; }, hours(2)));
  EXPECT_TRUE(online(alice()));
}

TEST_F(Feeling, DoesNotTakeAnotherForTheOneItWasToldOf) {
  world();
  told.device.bytes[0] ^= 1;
  begin();
  net.start(*far);
  ASSERT_TRUE(net.run_to([&] { return remembered() == nullptr; }, hours(2)));
  EXPECT_FALSE(said.empty());
}

TEST_F(Feeling, WaitsWhileNobodyElseAnswers) {
  world();
  begin();
  for (const auto* name : {"s1", "s2", "s3"}) net.kill(net.at(name));
  net.run(minutes(1));
  const auto failures = remembered()->failures;
  net.run(hours(1));
  ASSERT_NE(remembered(), nullptr) << "it may be our own network that is down";
  EXPECT_EQ(remembered()->failures, failures);
}

TEST_F(Feeling, WaitsWhileStrangersAreToBeSpared) {
  world();
  begin();
  alice().peer->spare_strangers(true);
  net.start(*far);
  net.run(hours(2));
  EXPECT_TRUE(said.empty());
  EXPECT_FALSE(proven());
  alice().peer->spare_strangers(false);
  EXPECT_TRUE(net.run_to([&] { return proven(); }, hours(2)));
}

TEST_F(Feeling, WaitsForACallOnANarrowLine) {
  world();
  net.start(net.add("bob", Role::leaf, {"s1", "s2", "s3"}));
  begin();
  const auto pair = link_up(net, alice(), net.at("bob"));
  ASSERT_TRUE(pair.up);
  alice().peer->keep(net.now, pair.a, true);
  alice().peer->set_room(net.now, pair.a, Room::scant);
  net.start(*far);
  net.run(hours(1));
  EXPECT_TRUE(said.empty());
  ASSERT_TRUE(alice().peer->path(pair.a));
  alice().peer->set_room(net.now, pair.a, Room::both);
  EXPECT_TRUE(net.run_to([&] { return proven(); }, minutes(30)));
}

TEST_F(Feeling, CostsAnIdleLeafLittle) {
  world();
  begin();
  net.start(*far);
  out = in = 0;
  net.run(hours(3));
  EXPECT_LT(out + in, 100U * 3 * 3600);
  std::size_t feelers = 0;
  for (const auto& packet : said) feelers += packet.size();
  RecordProperty("bytes_a_second", std::to_string((out + in) / (3 * 3600)));
  EXPECT_LT(2 * feelers, 10U * 3 * 3600);
}

}  // namespace
}  // namespace linnet::overlay::test
