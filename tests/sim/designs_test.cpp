#include "sim/designs.h"

#include <gtest/gtest.h>

#include "dht/contact.h"
#include "tests/sim/broken.h"

namespace linnet::sim {
namespace {

ScenarioConfig of_design(Design design, std::uint32_t nodes) {
  ScenarioConfig c;
  c.design = design;
  c.nodes = nodes;
  return c;
}

double found_of(const Report& r) {
  return static_cast<double>(r.lookups_ok) / static_cast<double>(std::max<std::uint64_t>(1, r.lookups));
}

Report killed_at_once(Design design, std::uint32_t copies = 1) {
  auto config = of_design(design, 80);
  config.killed = 50;
  config.at_once = true;
  config.copies = copies;
  config.refresh = 600;  // nobody registers again meanwhile
  return run_massacre(config);
}

TEST(Designs, EachHasANameOnTheCommandLine) {
  for (const auto design : {Design::supernodes, Design::everybody, Design::registered, Design::servers})
    EXPECT_EQ(parse_design(to_string(design)), design);
  EXPECT_FALSE(parse_design("registrar"));
}

TEST(Designs, TheSameHostsAreFitToServeWhoeverDoes) {
  const auto who = [](Design design) { return population_of(of_design(design, 1000), 1000, 20, 4); };
  EXPECT_EQ(who(Design::supernodes).supernodes, 50U);
  EXPECT_EQ(who(Design::everybody).supernodes, 1000U);
  EXPECT_EQ(who(Design::registered).supernodes, 1000U);
  EXPECT_EQ(who(Design::servers).supernodes, 5U);
  for (const auto design : {Design::supernodes, Design::everybody, Design::registered, Design::servers})
    EXPECT_EQ(who(design).fit, 50U);
}

TEST(Designs, EverybodyIsNearerToTheHashOfHisNameThanAnybodyElse) {
  constexpr std::uint32_t kNodes = 60;
  const auto config = of_design(Design::everybody, kNodes);
  const Wall now{1'800'000'000};
  const auto names = names_of(config, kNodes, now);
  std::vector<dht::Id> places;
  for (std::uint32_t i = 0; i < kNodes; ++i)
    places.push_back(dht::position(closed_endpoint(i).ip, identity_for(config, i, now).device_key()));
  std::uint32_t surpassed = 0;
  for (std::uint32_t i = 0; i < kNodes; ++i) {
    const auto name = dht::id_of(crypto::user_key(names[i]));
    for (std::uint32_t other = 0; other < kNodes; ++other)
      surpassed += dht::nearer(name, places[other], places[i]) ? 1 : 0;
  }
  EXPECT_LE(surpassed, 1U);
}

TEST(Designs, WhoIsAtHisNameIsFoundThoughHalfOfAllNodesDied) {
  const auto r = killed_at_once(Design::everybody);
  EXPECT_EQ(broken(r), "");
  EXPECT_GE(r.lookups, 30U);
  EXPECT_GE(found_of(r), 0.99);
}

TEST(Designs, ARegistrarThatDiesTakesItsOnlyCopiesWithIt) {
  const auto one = killed_at_once(Design::registered);
  const auto six = killed_at_once(Design::registered, 6);
  EXPECT_EQ(broken(one), "") << "what is asked of the design that ships is asked of no other";
  EXPECT_LT(found_of(one), 0.8);
  EXPECT_GT(found_of(six), 0.9);
}

TEST(Designs, WhoeverServesAFewForAllCarriesMore) {
  auto config = of_design(Design::supernodes, 200);
  config.supernodes = 5;
  const auto shared = run_lookup(config);
  config.design = Design::servers;
  const auto few = run_lookup(config);
  EXPECT_EQ(broken(shared), "");
  EXPECT_EQ(shared.supernodes, 10U);
  EXPECT_EQ(few.supernodes, 4U);
  EXPECT_GE(found_of(few), 0.99);
  EXPECT_GT(few.leaves_per_supernode, 2 * shared.leaves_per_supernode);
  EXPECT_GT(few.upkeep_bps_supernode, shared.upkeep_bps_supernode);
}

TEST(Designs, ARegisteredRecordLiesWhereItIsToldToAndIsSentAgainAndAgain) {
  auto config = of_design(Design::registered, 100);
  const auto often = run_lookup(config);
  config.refresh = 600;
  const auto seldom = run_lookup(config);
  config.copies = 6;
  const auto six = run_lookup(config);
  EXPECT_GE(found_of(often), 0.99);
  EXPECT_LT(often.copies_mean, 2);
  EXPECT_GE(six.copies_mean, 5);
  EXPECT_GT(often.upkeep_bps_supernode, 2 * seldom.upkeep_bps_supernode);
}

}  // namespace
}  // namespace linnet::sim
