#include "sim/sybils.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "dht/contact.h"
#include "dht/place.h"
#include "sim/population.h"
#include "tests/sim/broken.h"

namespace linnet::sim {
namespace {

constexpr Wall kNow{1'800'000'000};

ScenarioConfig around_one(std::uint32_t nodes, std::uint32_t sybils) {
  ScenarioConfig c;
  c.nodes = nodes;
  c.sybils = sybils;
  return c;
}

int shared_bits(const Placed& sybil, const dht::Id& target) {
  return dht::common_prefix(dht::position(sybil.endpoint.ip, sybil.identity.device_key()), target);
}

TEST(Sybils, AreSpreadOverTheirPrefixesEachOfWhichIsOnePlace) {
  const auto target = dht::id_of(crypto::user_key(name_of(3)));
  auto config = around_one(100, 40);
  config.prefixes = 4;
  const auto sybils = sybils_in_prefixes(config, {target}, 40, kNow);
  ASSERT_EQ(sybils.size(), 40U);
  std::map<ByteArray<7>, std::vector<dht::Id>> prefixes;
  std::set<IpAddress> addresses;
  for (const auto& sybil : sybils) {
    prefixes[sybil.endpoint.ip.prefix()].push_back(dht::position(sybil.endpoint.ip, sybil.identity.device_key()));
    addresses.insert(sybil.endpoint.ip);
    EXPECT_TRUE(sybil.endpoint.ip.is_global());
    EXPECT_TRUE(crypto::verify(suite_of(config.wire), sybil.identity.certificate, kNow));
  }
  EXPECT_EQ(prefixes.size(), 4U);
  for (const auto& [prefix, places] : prefixes) {
    EXPECT_EQ(places.size(), 10U);
    for (const auto& place : places) EXPECT_TRUE(dht::one_place(place, places[0]));
  }
  EXPECT_EQ(addresses.size(), 40U) << "each has an address of its own";
}

TEST(Sybils, WithAChoiceOfPrefixesAreNearTheTargetsInTurn) {
  const auto key = crypto::user_key(name_of(3));
  const auto near = [&](const std::vector<Placed>& sybils, const dht::Id& target) {
    return std::count_if(sybils.begin(), sybils.end(), [&](const Placed& s) { return shared_bits(s, target) >= 4; });
  };
  const std::vector<dht::Id> both{dht::id_of(key), dht::salted_root(key)};
  auto config = around_one(100, 40);
  config.prefix_choice = 1000;
  const auto sybils = sybils_in_prefixes(config, both, 40, kNow);
  EXPECT_GE(near(sybils, both[0]), 20);
  EXPECT_GE(near(sybils, both[1]), 20);
}

TEST(Sybils, WithoutThePrefixRuleAreAsNearAsTheyLike) {
  const auto target = dht::id_of(crypto::user_key(name_of(3)));
  const auto sybils = sybils_anywhere(around_one(100, 20), {target}, 20, {100, 64}, kNow);
  ASSERT_EQ(sybils.size(), 20U);
  for (const auto& sybil : sybils) {
    EXPECT_TRUE(sybil.endpoint.ip.is_private());
    EXPECT_GE(shared_bits(sybil, target), 8);  // nearer than a fourth of a share of 64
  }
}

// The record stands at the salted root as well, where they are not.
TEST(SybilScenario, WhoSurroundsTheKeyAloneHidesNobody) {
  auto config = around_one(200, 60);
  config.at_root = false;
  const auto r = run_sybil(config);
  EXPECT_EQ(broken(r), "");
  EXPECT_EQ(r.sybils, 60U);
  EXPECT_GE(r.lookups, 150U);
  EXPECT_EQ(r.denied, 0U);
  EXPECT_EQ(r.wrong_keys, 0U);
}

// Twenty /24 beside 15 honest supernodes, and both places of the name: who is nearest are his, holders beyond them not.
TEST(SybilScenario, WhoSurroundsBothPlacesWithTwentyNetworksHidesNobody) {
  for (const std::uint32_t choice : {0U, 500U}) {
    auto config = around_one(300, 100);
    config.prefix_choice = choice;
    const auto r = run_sybil(config);
    EXPECT_EQ(broken(r), "");
    EXPECT_GE(r.lookups, 250U);
    EXPECT_LE(r.denied * 100, r.lookups) << choice;
    EXPECT_EQ(r.wrong_keys, 0U);
  }
}

// No defence is claimed for a private network: what is told is how many were denied.
TEST(SybilScenario, OffThePrefixRuleTellsHowManyWereDenied) {
  auto config = around_one(120, 60);
  config.prefix_rule = false;
  const auto r = run_sybil(config);
  EXPECT_EQ(r.denied, r.lookups - r.lookups_ok);
  EXPECT_EQ(r.wrong_keys, 0U);
  EXPECT_FALSE(r.prefix_rule);
  EXPECT_EQ(r.trace_hash, run_sybil(config).trace_hash);
}

}  // namespace
}  // namespace linnet::sim
