// A network that wants one copy of a record and none at a salted root.
#include <numeric>

#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

using std::chrono::seconds;

struct OneCopy : testing::Test {
  OneCopy() : net(crypto::typed_suite(), 23) {
    Config config;
    config.replicas = 1;
    config.salted_replicas = 0;
    net.grow(40, std::chrono::milliseconds(50), config);
    net.run(seconds(60));
  }

  std::vector<std::size_t> by_distance(const Id& place) {
    std::vector<std::size_t> out(net.size());
    std::iota(out.begin(), out.end(), 0U);
    std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) {
      return nearer(place, net[a].dht->self().position, net[b].dht->self().position);
    });
    return out;
  }
  std::vector<std::size_t> holders(const crypto::UserKey& key) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < net.size(); ++i) {
      if (!net[i].dht->local_records(key).empty()) out.push_back(i);
    }
    return out;
  }

  Network net;
};

TEST_F(OneCopy, LiesWithTheNearestAloneWhoeverPublishesIt) {
  for (std::uint64_t p = 0; p < 10; ++p) {
    const auto who = person(crypto::typed_suite(), 700 + p, "p" + std::to_string(p));
    const auto key = crypto::user_key(who.address);
    const auto nearest = by_distance(id_of(key)).front();
    // The nearest itself for every second: it keeps it, and asks whether somebody nearer is there.
    const auto publisher = p % 2 == 0 ? nearest : (nearest + 1) % net.size();
    const auto record = record_for(crypto::typed_suite(), who, who.address, 1, net.wall());
    EXPECT_EQ(net.publish(publisher, record), 1U);
    net.run(seconds(5));
    EXPECT_EQ(holders(key), std::vector<std::size_t>{nearest}) << who.address.text();
    const auto found = net.find((nearest + 7) % net.size(), who.address);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->records.size(), 1U);
  }
}

TEST_F(OneCopy, IsLostWithWhoHoldsIt) {
  const auto who = person(crypto::typed_suite(), 777, "anna");
  const auto nearest = by_distance(id_of(crypto::user_key(who.address))).front();
  const auto record = record_for(crypto::typed_suite(), who, who.address, 1, net.wall());
  const auto other = (nearest + 1) % net.size();
  EXPECT_EQ(net.publish(other, record), 1U);
  net[nearest].dead = true;
  const auto found = net.find(other, who.address);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->records.empty());
}

}  // namespace
}  // namespace linnet::dht::test
