// Three copies at another place: found when everybody around the key is silent or says that there is nothing.
#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::vector<std::size_t> holders_in(Network& net, const crypto::UserKey& key) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < net.size(); ++i) {
    net[i].dht->handle_wall(net.now(), net.wall());
    if (!net[i].dead && !net[i].dht->local_records(key).empty()) out.push_back(i);
  }
  return out;
}

struct SaltedRoot : testing::Test {
  SaltedRoot() : net(crypto::typed_suite(), 21) {
    net.grow(60, milliseconds(50));
    net.run(minutes(1));
    const auto who = person(crypto::typed_suite(), 777, "anna");
    record = record_for(crypto::typed_suite(), who, who.address, 1, net.wall());
    name = who.address;
    key = crypto::user_key(name);
    EXPECT_EQ(net.publish(5, record), 6U);
    net.run(seconds(5));
  }

  Network net;
  SignedRecord record;
  crypto::Address name = address("anna");
  crypto::UserKey key;
};

TEST_F(SaltedRoot, HoldsThreeCopiesBesideTheSix) {
  const auto all = holders_in(net, key);
  EXPECT_GE(all.size(), 8U);   // the two places may share one
  EXPECT_LE(all.size(), 12U);  // who was given it on the way and is none of the three keeps it
  std::vector<std::pair<Id, std::size_t>> by_distance;
  for (std::size_t i = 0; i < net.size(); ++i)
    by_distance.emplace_back(distance(salted_root(key), net[i].dht->self().position), i);
  std::sort(by_distance.begin(), by_distance.end());
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(std::count(all.begin(), all.end(), by_distance[static_cast<std::size_t>(i)].second), 1);
}

TEST_F(SaltedRoot, AnswersWhenEverybodyAroundTheKeyIsDead) {
  std::vector<std::pair<Id, std::size_t>> by_distance;
  for (std::size_t i = 0; i < net.size(); ++i)
    by_distance.emplace_back(distance(id_of(key), net[i].dht->self().position), i);
  std::sort(by_distance.begin(), by_distance.end());
  for (std::size_t i = 0; i < 6; ++i) net[by_distance[i].second].dead = true;
  std::size_t asker = 0;
  const auto held = holders_in(net, key);
  while (net[asker].dead || std::count(held.begin(), held.end(), asker) != 0) ++asker;
  const auto found = net.find(asker, name);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->records.size(), 1U);
  EXPECT_EQ(found->records[0].wire, record.wire);
}

TEST_F(SaltedRoot, IsNotAskedWhereTheRegionIsTheWholeNetwork) {
  Network small(crypto::typed_suite(), 22);
  small.grow(5);
  small.run(seconds(20));
  const auto before = small[0].dht->counters().requests_out;
  const auto found = small.find(0, address("nobody"));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->records.empty());
  EXPECT_LE(small[0].dht->counters().requests_out - before, 4U);
}

TEST_F(SaltedRoot, ANameThatNobodyHasCostsOneMoreLookupAndEnds) {
  const auto found = net.find(9, address("nobody"));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->records.empty());
  EXPECT_LE(found->asked, 2 * 48U);
}

}  // namespace
}  // namespace linnet::dht::test
