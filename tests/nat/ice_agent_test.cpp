// Two agents find each other through NATs, in virtual time (RFC 8445).
#include <gmock/gmock.h>

#include "ice_net.h"

namespace linnet::nat::ice {
namespace {

constexpr NatKind kAll[] = {NatKind::none, NatKind::full_cone, NatKind::restricted, NatKind::port_restricted,
                            NatKind::symmetric};

// A hole can be punched unless both mappings, or one mapping and the other's filter, depend on the port.
bool punchable(NatKind x, NatKind y) {
  const auto hard = [](NatKind k) { return k == NatKind::symmetric; };
  const auto strict = [](NatKind k) { return k == NatKind::symmetric || k == NatKind::port_restricted; };
  return !(hard(x) && strict(y)) && !(hard(y) && strict(x));
}

TEST(IceAgent, EveryPairOfNatsThatCanBePunchedEndsDirectAndTheOthersOnTheCircuit) {
  for (const auto policy : {Policy::move, Policy::once}) {
    for (const auto left : kAll) {
      for (const auto right : kAll) {
        AgentConfig config;
        config.policy = policy;
        Net net(left, right, config, config);
        net.begin(true);
        net.run_for(20s);
        ASSERT_TRUE(net.a.selected && net.b.selected) << static_cast<int>(left) << static_cast<int>(right);
        EXPECT_EQ(net.a.selected->relayed, !punchable(left, right))
            << static_cast<int>(left) << static_cast<int>(right);
        EXPECT_EQ(net.a.selected->relayed, net.b.selected->relayed);
        EXPECT_FALSE(comes_back(net.a.selections) || comes_back(net.b.selections));
        EXPECT_EQ(net.a.lost + net.b.lost, 0);
      }
    }
  }
}

TEST(IceAgent, AHoleIsPunchedWithinHalfASecond) {
  for (const auto left : kAll) {
    for (const auto right : kAll) {
      if (!punchable(left, right)) continue;
      Net net(left, right);  // 40 ms there and back, 80 by the circuit
      net.begin(true);
      net.run_for(500ms);
      ASSERT_TRUE(net.a.selected && net.b.selected);
      EXPECT_FALSE(net.a.selected->relayed) << static_cast<int>(left) << static_cast<int>(right);
      EXPECT_FALSE(net.b.selected->relayed) << static_cast<int>(left) << static_cast<int>(right);
    }
  }
}

TEST(IceAgent, ThePathsOfBothSidesAreOne) {
  Net net(NatKind::port_restricted, NatKind::restricted);
  net.begin();
  net.run_for(20s);
  ASSERT_TRUE(net.a.selected && net.b.selected);
  EXPECT_EQ(net.a.selected->remote.ip, net.b.box.outside());
  EXPECT_EQ(net.b.selected->remote.ip, net.a.box.outside());
}

TEST(IceAgent, TheCircuitIsUsableAfterOneRoundTripWhateverElseIsTried) {
  Net net(NatKind::symmetric, NatKind::symmetric);
  net.begin(true);
  net.run_for(10s);
  // The credentials and candidates are there at the start; the first check of all goes over the circuit.
  EXPECT_EQ(*net.a.valid_at - Time{1h}, 2 * net.circuit_one_way);
  EXPECT_EQ(*net.b.valid_at - Time{1h}, 2 * net.circuit_one_way);
}

TEST(IceAgent, ADeadStunServerDelaysNothing) {
  Net net(NatKind::none, NatKind::none);
  net.stun_dead = true;
  net.begin();
  net.run_for(300ms);
  EXPECT_TRUE(net.a.selected && net.b.selected);
  EXPECT_FALSE(net.a.gathered);
  net.run_for(200ms);
  EXPECT_TRUE(net.a.gathered) << "the deadline ends gathering";
}

TEST(IceAgent, LossSlowsButDoesNotPrevent) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Net net(NatKind::port_restricted, NatKind::port_restricted);
    net.chance = SeededRng(seed);
    net.loss = 0.2;
    net.begin(true);
    net.run_for(20s);
    ASSERT_TRUE(net.a.selected && net.b.selected) << seed;
    EXPECT_FALSE(net.a.agent->selected()->relayed) << seed;
    EXPECT_FALSE(net.b.agent->selected()->relayed) << seed;
    EXPECT_FALSE(comes_back(net.a.selections) || comes_back(net.b.selections)) << seed;
  }
}

TEST(IceAgent, TwoWhoBothWantToControlSettleItByTheTieBreaker) {
  for (const auto role : {Role::controlling, Role::controlled}) {
    Net net(NatKind::none, NatKind::none);
    AgentConfig config;
    config.role = role;
    net.a.agent = std::make_unique<Agent>(config, net.rng);
    net.b.agent = std::make_unique<Agent>(config, net.rng);
    net.begin();
    net.run_for(5s);
    EXPECT_NE(net.a.agent->role(), net.b.agent->role());
    EXPECT_TRUE(net.a.selected && net.b.selected);
  }
}

TEST(IceAgent, ChecksThatComeBeforeTheCredentialsAreAnsweredAndRemembered) {
  Net net(NatKind::none, NatKind::none);
  ASSERT_TRUE(net.a.agent->set_remote(net.now, net.b.agent->credentials()));
  net.gather(net.a, false);
  net.gather(net.b, false);
  net.run_for(1s);
  EXPECT_TRUE(net.a.valid_at) << "the answer needs our own password alone";
  EXPECT_FALSE(net.b.valid_at);
  ASSERT_TRUE(net.b.agent->set_remote(net.now, net.a.agent->credentials()));
  net.run_for(1s);
  EXPECT_TRUE(net.b.selected);
}

TEST(IceAgent, WhoIsNeverToldACandidateLearnsItFromTheCheck) {
  Net net(NatKind::symmetric, NatKind::none);
  net.b.told = true;
  net.a.told = false;
  net.begin();
  net.run_for(5s);
  ASSERT_TRUE(net.b.selected);
  EXPECT_EQ(net.b.selected->remote.ip, net.a.box.outside());
  const auto& all = net.b.agent->remote().all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].type, Type::peer_reflexive);
}

TEST(IceAgent, TowardForeignAgentsOnePairIsNominatedOnce) {
  AgentConfig config;
  config.policy = Policy::once;
  Net net(NatKind::full_cone, NatKind::full_cone, config, config);
  net.begin(true);
  net.run_for(60s);
  EXPECT_EQ(net.a.selections.size(), 1U);
  EXPECT_EQ(net.b.selections.size(), 1U);
}

TEST(IceAgent, BetweenOurNodesThePathMovesWhenABetterOneAppears) {
  Net net(NatKind::none, NatKind::none);
  net.a.blocked = true;
  net.begin(true);
  net.run_for(2s);
  ASSERT_TRUE(net.a.selected);
  EXPECT_TRUE(net.a.selected->relayed);
  net.a.blocked = false;
  net.run_for(5s);
  EXPECT_FALSE(net.a.agent->selected()->relayed);
  EXPECT_FALSE(net.b.agent->selected()->relayed);
  EXPECT_EQ(net.a.lost, 0);
}

TEST(IceAgent, OnARelayedPathTheDirectOnesAreTriedAgain) {
  Net net(NatKind::none, NatKind::none);
  net.a.blocked = true;
  net.begin(true);
  net.run_for(2min);
  EXPECT_TRUE(net.a.agent->selected()->relayed);
  net.a.blocked = false;
  net.run_for(Agent::kRetry + 5s);
  EXPECT_FALSE(net.a.agent->selected()->relayed);
}

TEST(IceAgent, ConsentThatIsNotRenewedEndsAfterThirtySecondsAndASpareTakesOver) {
  Net net(NatKind::none, NatKind::none);
  net.begin(true);
  net.run_for(3s);
  ASSERT_TRUE(net.a.selected && !net.a.selected->relayed);
  net.run_for(5min);
  EXPECT_EQ(net.a.lost + net.b.lost, 0) << "consent is renewed";
  net.a.blocked = true;
  net.run_for(23s);
  EXPECT_EQ(net.a.lost, 0);
  net.run_for(10s);
  EXPECT_GE(net.a.lost, 1);
  EXPECT_TRUE(net.a.agent->selected()->relayed);
  EXPECT_TRUE(net.b.agent->selected()->relayed);
}

TEST(IceAgent, AsksLittleOnAScantLineWhileVoiceProvesThePath) {
  Net net(NatKind::none, NatKind::none);
  net.begin(true);
  net.run_for(3s);
  ASSERT_FALSE(net.a.agent->selected()->relayed);
  const auto checks_in = [&net](int minutes) {
    const auto before = net.a.sent + net.b.sent;
    for (int i = 0; i < minutes * 600; ++i) {
      net.run_for(100ms);
      for (auto* agent : {net.a.agent.get(), net.b.agent.get()}) {
        for (const auto& pair : agent->pairs().pairs()) {
          if (pair.nominated && pair.valid()) agent->heard_otherwise(net.now, pair.id);
        }
      }
    }
    return net.a.sent + net.b.sent - before;
  };
  const auto usual = checks_in(2);
  for (auto* agent : {net.a.agent.get(), net.b.agent.get()}) agent->set_scant(net.now, true);
  const auto scant = checks_in(2);
  EXPECT_LT(scant * 3, usual);
  EXPECT_GT(scant, 0U) << "a spare is kept";
  EXPECT_EQ(net.a.lost + net.b.lost, 0);
  net.run_for(2min);
  EXPECT_EQ(net.a.lost + net.b.lost, 0) << "without voice it is asked as ever";
}

TEST(IceAgent, ASuspectedPathIsLeftWithinATenthOfASecond) {
  Net net(NatKind::none, NatKind::none);
  net.begin(true);
  net.run_for(3s);
  ASSERT_FALSE(net.a.agent->selected()->relayed);
  net.a.blocked = true;
  const auto before = net.a.selections.size();
  net.a.agent->suspect(net.now);
  net.b.agent->suspect(net.now);
  net.run_for(130ms);
  EXPECT_TRUE(net.b.agent->selected()->relayed);
  net.run_for(170ms);
  EXPECT_TRUE(net.a.agent->selected()->relayed);
  EXPECT_GT(net.a.selections.size(), before);
}

TEST(IceAgent, ASuspicionWithoutCauseChangesNothing) {
  Net net(NatKind::none, NatKind::none);
  net.begin(true);
  net.run_for(3s);
  const auto before = net.a.agent->selected();
  net.a.agent->suspect(net.now);
  net.run_for(3s);
  EXPECT_EQ(net.a.agent->selected(), before);
  EXPECT_EQ(net.a.lost, 0);
}

TEST(IceAgent, ARestartKeepsTheWayUntilThereIsANewOne) {
  Net net(NatKind::full_cone, NatKind::full_cone);
  net.begin();
  net.run_for(3s);
  const auto before = net.a.agent->selected();
  ASSERT_TRUE(before);
  const auto old = net.a.agent->credentials();
  net.a.agent->restart(net.now);
  net.b.agent->restart(net.now);
  EXPECT_NE(net.a.agent->credentials(), old);
  EXPECT_EQ(net.a.agent->selected(), before);
  net.run_for(20s);
  EXPECT_EQ(net.a.agent->selected(), before) << "its consent goes on";
  net.a.selected.reset();
  net.begin();
  net.run_for(3s);
  EXPECT_TRUE(net.a.selected);
}

TEST(IceAgent, WithoutAnyWayItFailsButNotBeforeThirtyNineAndAHalfSeconds) {
  Net net(NatKind::port_restricted, NatKind::symmetric);
  net.begin();
  net.run_for(39s);
  EXPECT_FALSE(net.a.failed);
  net.run_for(40s);
  EXPECT_TRUE(net.a.failed);
  EXPECT_TRUE(net.b.failed);
  const auto sent = net.a.sent;
  net.run_for(10min);
  EXPECT_EQ(net.a.sent, sent) << "who has failed is quiet";
}

TEST(IceAgent, ChecksAreAPaceApart) {
  AgentConfig slow;
  slow.rto = 500ms;  // nothing is sent again meanwhile
  Net net(NatKind::none, NatKind::none, {}, slow);
  net.exchange_credentials();
  net.b.agent->add_host(net.now, kSocket, net.b.local);
  for (std::uint16_t i = 0; i < 10; ++i) {
    Candidate c;
    c.endpoint = {IpAddress::v4(192, 0, 2, 1), static_cast<std::uint16_t>(1000 + i)};
    c.priority = candidate_priority(Type::host, i);
    c.foundation = std::to_string(i);
    ASSERT_TRUE(net.b.agent->add_remote(net.now, c));
  }
  net.run_for(0ms);
  EXPECT_EQ(net.b.sent, 1U);
  net.run_for(49ms);
  EXPECT_EQ(net.b.sent, 1U);
  net.run_for(1ms);
  EXPECT_EQ(net.b.sent, 2U);
  net.run_for(8 * 50ms);
  EXPECT_EQ(net.b.sent, 10U);
}

}  // namespace
}  // namespace linnet::nat::ice
