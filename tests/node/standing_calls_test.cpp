// What happens to a call once two people talk.
#include "calls_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct StandingCalls : Calls {};

TEST_F(StandingCalls, AreHeldAndResumed) {
  meet();
  alice->says = tone(700, seconds(20));
  talk();
  town.run_for(seconds(1));
  town.tell(*alice, command::Hold{});
  ASSERT_TRUE(until(*bob, CallState::held));
  EXPECT_EQ(state(*alice), CallState::held);
  EXPECT_TRUE(bob->node->status(town.now()).calls.front().held_by_peer);
  town.run_for(milliseconds(500));
  bob->heard.clear();
  town.run_for(seconds(5));
  EXPECT_LT(share_of(700, bob->heard), 0.1);
  town.tell(*alice, command::Hold{std::nullopt, false});
  ASSERT_TRUE(until(*bob, CallState::talking));
  EXPECT_EQ(state(*alice), CallState::talking);
  bob->heard.clear();
  town.run_for(seconds(2));
  EXPECT_GT(share_of(700, bob->heard), 0.7);
}

TEST_F(StandingCalls, AreSilentWhileMuted) {
  meet();
  alice->says = tone(700, seconds(20));
  talk();
  town.tell(*alice, command::Mute{});
  town.run_for(seconds(1));
  bob->heard.clear();
  town.run_for(seconds(1));
  EXPECT_LT(share_of(700, bob->heard), 0.1);
  town.tell(*alice, command::Mute{std::nullopt, false});
  town.run_for(seconds(1));
  bob->heard.clear();
  town.run_for(seconds(1));
  EXPECT_GT(share_of(700, bob->heard), 0.7);
}

TEST_F(StandingCalls, AreEncodedAsThoroughlyAsTheMachineCanAfford) {
  meet();
  alice->encoding_takes = milliseconds(2);
  bob->encoding_takes = std::chrono::microseconds(100);
  talk();
  const auto complexity = [&](const Resident& of) { return of.node->status(town.now()).calls.front().complexity; };
  town.run_for(milliseconds(500));
  EXPECT_EQ(complexity(*alice), 5);
  EXPECT_EQ(complexity(*bob), 5);
  town.run_for(seconds(15));
  EXPECT_EQ(complexity(*alice), 3);
  EXPECT_EQ(complexity(*bob), 6);
}

TEST_F(StandingCalls, EndWhenTheCalleeHangsUp) {
  meet();
  talk();
  town.tell(*bob, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  EXPECT_EQ(result(*alice), CallResult::ended);
  EXPECT_EQ(result(*bob), CallResult::ended);
  EXPECT_EQ(alice->count<event::AudioStop>(), 1U);
  EXPECT_EQ(bob->count<event::AudioStop>(), 1U);
}

TEST_F(StandingCalls, HangUpByThemselvesAfterTheLengthThatWasAskedFor) {
  meet();
  bob->answers = true;
  town.call(*alice, kBob, seconds(3));
  ASSERT_TRUE(over(*alice));
  EXPECT_NEAR(alice->summary()->seconds, 3, 0.01);
  EXPECT_EQ(result(*alice), CallResult::ended);
}

TEST_F(StandingCalls, GoOnOverTheDirectPathWhenTheirSupernodesDie) {
  meet();
  alice->says = tone(700, seconds(60));
  bob->says = tone(500, seconds(60));
  talk();
  ASSERT_TRUE(
      town.run_until([&] { return path(*alice) == PathWord::direct && path(*bob) == PathWord::direct; }, seconds(10)));
  town.run_for(seconds(2));
  for (auto& supernode : town.supernodes) town.kill(*supernode);
  bob->heard.clear();
  alice->heard.clear();
  town.run_for(seconds(20));
  EXPECT_GT(share_of(700, bob->heard), 0.8);
  EXPECT_GT(share_of(500, alice->heard), 0.8);
  EXPECT_EQ(state(*alice), CallState::talking);
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*bob, std::nullopt));
  const auto& changes = alice->summary()->path_changes;
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes.back().to, "direct");
  ASSERT_TRUE(alice->summary()->max_gap_ms);
  EXPECT_LE(*alice->summary()->max_gap_ms, 20);
}

TEST_F(StandingCalls, StayRelayedWhereNoDirectPathLeadsAndSurviveTheirSupernode) {
  meet();
  town.blocked = {{alice->endpoint, bob->endpoint}, {bob->endpoint, alice->endpoint}};
  alice->says = tone(700, seconds(60));
  bob->says = tone(500, seconds(60));
  talk();
  town.run_for(seconds(5));
  const auto view = alice->node->status(town.now()).calls.front();
  EXPECT_EQ(view.path, PathWord::relayed);
  EXPECT_NE(view.reason, "");
  EXPECT_GT(share_of(700, bob->heard), 0.8);
  for (auto& supernode : town.supernodes) {
    if (supernode->endpoint.to_string() == view.via) town.kill(*supernode);
  }
  town.run_for(seconds(2));
  bob->heard.clear();
  alice->heard.clear();
  town.run_for(seconds(15));
  EXPECT_GT(share_of(700, bob->heard), 0.8);
  EXPECT_GT(share_of(500, alice->heard), 0.8);
  EXPECT_EQ(path(*alice), PathWord::relayed);
  EXPECT_NE(alice->node->status(town.now()).calls.front().via, view.via);
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*bob, std::nullopt, seconds(30)));
  EXPECT_EQ(result(*bob), CallResult::ended);
  const auto& changes = alice->summary()->path_changes;
  ASSERT_FALSE(changes.empty());
  ASSERT_TRUE(changes.back().gap);
  EXPECT_LT(millis(*changes.back().gap), 1000);
}

TEST_F(StandingCalls, ReachAPersonWhoseNodeWasKilledAndStartedAgain) {
  meet();
  talk();
  town.run_for(seconds(2));
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*bob, std::nullopt));
  town.restart(*bob);
  settle();
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*alice, CallState::talking, seconds(30))) << "the old link leads nowhere";
  EXPECT_TRUE(bob->last<event::IncomingCall>()->known) << "pins outlive the process";
}

TEST_F(StandingCalls, GoOnWhenAMachineSleptForSomeSeconds) {
  meet();
  alice->says = tone(700, seconds(90));
  talk();
  town.run_for(seconds(2));
  town.kill(*bob);
  town.run_for(seconds(10));  // reports come every two seconds or so; 15 without any end a call
  EXPECT_EQ(path(*alice), PathWord::unknown);
  bob->alive = true;
  town.run_for(seconds(10));
  EXPECT_EQ(state(*alice), CallState::talking);
  EXPECT_EQ(state(*bob), CallState::talking);
  bob->heard.clear();
  town.run_for(seconds(3));
  EXPECT_GT(share_of(700, bob->heard), 0.7);
  EXPECT_NE(path(*alice), PathWord::unknown);
  town.tell(*bob, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  EXPECT_EQ(result(*alice), CallResult::ended);
}

TEST_F(StandingCalls, EndAtBothEndsThoughTheGoodbyeWasSaidWithoutALink) {
  meet();
  talk();
  town.run_for(seconds(2));
  town.loss = 1;
  town.run_for(seconds(12));  // both ends have given the link up; the caller looks for the way back
  ASSERT_EQ(state(*alice), CallState::talking);
  town.tell(*bob, command::Hangup{});
  ASSERT_EQ(state(*bob), std::nullopt);
  town.loss = 0;
  ASSERT_TRUE(over(*alice, seconds(60)));
  EXPECT_EQ(result(*alice), CallResult::ended);
}

TEST_F(StandingCalls, FailTwentySecondsAfterThePeerWasLastHeard) {
  meet();
  talk();
  town.run_for(seconds(2));
  town.kill(*bob);
  town.run_for(seconds(5));
  EXPECT_EQ(path(*alice), PathWord::unknown) << "a stale path is never called connected";
  ASSERT_TRUE(over(*alice, seconds(16)));
  EXPECT_EQ(result(*alice), CallResult::failed);
}

TEST_F(StandingCalls, AreHeldForLongerThanAVanishedPeerIsWaitedFor) {
  meet();
  talk();
  town.tell(*alice, command::Hold{});
  ASSERT_TRUE(until(*bob, CallState::held));
  town.run_for(seconds(60));
  EXPECT_EQ(state(*alice), CallState::held);
  EXPECT_EQ(state(*bob), CallState::held);
}

}  // namespace
}  // namespace linnet::node
