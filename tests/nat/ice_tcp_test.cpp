// Two agents find each other by TCP (RFC 6544), in virtual time.
#include "ice_tcp_net.h"

#include <gmock/gmock.h>

namespace linnet::nat::ice {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

struct Means {
  bool active = false;
  bool passive = false;
};
constexpr Means kActive{true, false};
constexpr Means kPassive{false, true};
constexpr Means kBoth{true, true};

void begin(TcpNet& net, const Means& a = kActive, const Means& b = kPassive) {
  net.exchange_credentials();
  net.offer(net.a, a.active, a.passive);
  net.offer(net.b, b.active, b.passive);
}

TEST(IceTcp, WhoConnectsAndWhoListensAgreeOnAConnectionWhoeverControls) {
  for (const auto role : {Role::controlling, Role::controlled}) {
    for (const auto& [a, b] : {std::pair(kActive, kPassive), std::pair(kPassive, kActive), std::pair(kBoth, kBoth)}) {
      TcpNet net(role, role == Role::controlling ? Role::controlled : Role::controlling);
      begin(net, a, b);
      net.run_for(2s);
      ASSERT_THAT(net.a.selections, SizeIs(1));
      ASSERT_THAT(net.b.selections, SizeIs(1));
      EXPECT_EQ(net.a.selections[0].remote.transport, Transport::tcp);
      EXPECT_EQ(net.a.selections[0].base == kConnects, net.b.selections[0].base == kListens) << "one connection";
      net.say(net.a, "from a");
      net.say(net.b, "from b");
      net.run_for(1s);
      EXPECT_THAT(net.b.heard, ElementsAre("from a"));
      EXPECT_THAT(net.a.heard, ElementsAre("from b"));
    }
  }
}

TEST(IceTcp, TwoThatOnlyConnectOrOnlyListenFail) {
  for (const auto& means : {kActive, kPassive}) {
    TcpNet net;
    begin(net, means, means);
    net.run_for(39s);
    EXPECT_FALSE(net.a.failed || net.b.failed);
    net.run_for(2s);
    EXPECT_TRUE(net.a.failed && net.b.failed);
    EXPECT_EQ(net.connections(), 0U);
  }
}

TEST(IceTcp, TheChecksOfAConnectionAreSentOnceAndItIsGivenUpWhenNobodyAnswers) {
  TcpNet net;
  net.b.swallows = true;
  begin(net);
  net.run_for(39s);
  EXPECT_EQ(net.written, 1U);
  EXPECT_EQ(net.connections(), 1U);
  EXPECT_FALSE(net.a.failed);
  net.run_for(2s);
  EXPECT_EQ(net.written, 1U);
  EXPECT_EQ(net.connections(), 0U);
  EXPECT_TRUE(net.a.failed);
}

TEST(IceTcp, WhereNobodyListensThePairFailsAtOnce) {
  TcpNet net;
  net.b.listens = false;
  begin(net);
  net.run_for(200ms);
  EXPECT_EQ(net.a.agent->pairs().count(State::failed), 1U);
  net.run_for(40s);
  EXPECT_TRUE(net.a.failed);
}

TEST(IceTcp, AConnectionThatNeverStandsIsGivenUp) {
  TcpNet net;
  net.dropped_syn = true;
  begin(net);
  net.run_for(Streams::kConnect - 1ms);
  EXPECT_TRUE(net.a.agent->streams().connecting());
  net.run_for(2ms);
  EXPECT_THAT(net.a.agent->streams().all(), SizeIs(0));
  EXPECT_EQ(net.a.agent->pairs().count(State::failed), 1U);
  EXPECT_EQ(net.a.closes, 1U);
}

TEST(IceTcp, AResetIsALossAtOnce) {
  TcpNet net;
  begin(net);
  net.run_for(2s);
  ASSERT_THAT(net.a.selections, SizeIs(1));
  net.reset_all();
  net.run_for(100ms);
  EXPECT_THAT(net.a.lost, SizeIs(1));
  EXPECT_THAT(net.b.lost, SizeIs(1));
  EXPECT_FALSE(net.a.agent->selected() || net.b.agent->selected());
}

TEST(IceTcp, AConnectionThatFallsSilentLosesConsent) {
  TcpNet net;
  begin(net);
  net.run_for(2s);
  ASSERT_THAT(net.b.selections, SizeIs(1));
  net.run_for(5min);
  EXPECT_THAT(net.a.lost, SizeIs(0)) << "consent is asked for and given";
  net.mute();
  net.run_for(Agent::kConsent - 7s);
  EXPECT_THAT(net.a.lost, SizeIs(0));
  net.run_for(10s);
  EXPECT_THAT(net.a.lost, SizeIs(1));
  EXPECT_THAT(net.b.lost, SizeIs(1));
  EXPECT_THAT(net.a.agent->streams().all(), SizeIs(0)) << "and is closed";
}

TEST(IceTcp, ThreeSecondsAfterTheNominationTheOthersAreClosed) {
  TcpNet net;
  begin(net, kBoth, kBoth);
  net.run_for(1500ms);
  ASSERT_THAT(net.a.selections, SizeIs(1));
  EXPECT_EQ(net.connections(), 2U) << "one each way";
  net.run_for(Agent::kLosers);
  EXPECT_EQ(net.connections(), 1U);
  EXPECT_THAT(net.a.agent->streams().all(), SizeIs(1));
  EXPECT_THAT(net.b.agent->streams().all(), SizeIs(1));
  net.say(net.a, "still here");
  net.run_for(1s);
  EXPECT_THAT(net.b.heard, ElementsAre("still here"));
}

TEST(IceTcp, BetweenAgentsThatMoveTheSparesAreKept) {
  TcpNet net(Role::controlling, Role::controlled, Policy::move);
  begin(net, kBoth, kBoth);
  net.run_for(1min);
  EXPECT_EQ(net.connections(), 2U);
  EXPECT_TRUE(net.a.agent->selected() && net.b.agent->selected());
}

TEST(IceTcp, TwoThatWantToControlSettleIt) {
  TcpNet net(Role::controlling, Role::controlling);
  begin(net);
  net.run_for(3s);
  EXPECT_THAT(net.a.selections, SizeIs(1));
  EXPECT_THAT(net.b.selections, SizeIs(1));
  EXPECT_NE(net.a.agent->role(), net.b.agent->role());
}

TEST(IceTcp, AConnectionMayComeLongBeforeTheOthersCredentials) {
  TcpNet net;
  ASSERT_TRUE(net.a.agent->set_remote(net.now, net.b.agent->credentials()));
  net.offer(net.a, true, false);
  net.offer(net.b, false, true);
  net.run_for(20s);
  EXPECT_EQ(net.connections(), 1U);
  EXPECT_THAT(net.b.selections, SizeIs(0));
  ASSERT_TRUE(net.b.agent->set_remote(net.now, net.a.agent->credentials()));
  net.run_for(2s);
  EXPECT_THAT(net.a.selections, SizeIs(1));
  EXPECT_THAT(net.b.selections, SizeIs(1));
}

TEST(IceTcp, ARestartKeepsTheConnectionUntilAnotherIsChosen) {
  TcpNet net;
  begin(net);
  net.run_for(5s);
  ASSERT_THAT(net.a.selections, SizeIs(1));
  net.a.agent->restart(net.now);
  net.b.agent->restart(net.now);
  net.run_for(10s);
  EXPECT_EQ(net.connections(), 1U);
  net.say(net.a, "meanwhile");
  net.run_for(100ms);
  EXPECT_THAT(net.b.heard, ElementsAre("meanwhile"));
  begin(net);
  net.run_for(10s);
  EXPECT_THAT(net.a.selections, SizeIs(2));
  EXPECT_THAT(net.b.selections, SizeIs(2));
  EXPECT_EQ(net.connections(), 1U);
  EXPECT_THAT(net.a.lost, SizeIs(0));
}

TEST(IceTcp, WhoListensIsFoundAgainAndAgain) {
  TcpNet net(Role::controlling, Role::controlled, Policy::move);
  begin(net);
  net.run_for(2s);
  // The one that connects has forgotten, and begins anew; the one that listens stays.
  const auto kept = net.b.agent->credentials();
  for (int i = 0; i < 3 * static_cast<int>(kMaxLearned); ++i) {
    net.reset_all();
    net.run_for(1s);
    const auto theirs = net.a.agent->remote()[0];
    AgentConfig config;
    config.role = Role::controlling;
    net.a.agent = std::make_unique<Agent>(config, net.rng);
    ASSERT_TRUE(net.a.agent->set_remote(net.now, kept));
    ASSERT_TRUE(net.b.agent->set_remote(net.now, net.a.agent->credentials()));
    net.a.agent->add_active(net.now, kConnects, net.a.ip);
    ASSERT_TRUE(net.a.agent->add_remote(net.now, theirs));
    net.run_for(2s);
    ASSERT_TRUE(net.a.agent->selected() && net.b.agent->selected()) << i;
    EXPECT_LE(net.b.agent->remote().size(), kMaxCandidates);
  }
}

}  // namespace
}  // namespace linnet::nat::ice
