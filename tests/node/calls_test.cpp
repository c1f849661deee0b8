// How calls begin: who is found, who rings, who is refused.
#include "calls_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(Calls, AreFoundRungAnsweredAndHeardBothWays) {
  meet();
  alice->says = tone(700, seconds(3));
  bob->says = tone(500, seconds(3));
  talk();
  town.run_for(seconds(3));
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(town.run_until([&] { return bob->summary() != nullptr; }, seconds(5)));
  EXPECT_GT(share_of(700, bob->heard), 0.8);
  EXPECT_GT(share_of(500, alice->heard), 0.8);
  for (const auto* person : {alice, bob}) {
    const auto& summary = *person->summary();
    EXPECT_EQ(summary.result, CallResult::ended);
    EXPECT_EQ(summary.text, "");
    EXPECT_NEAR(summary.seconds, 3, 0.5);
    EXPECT_GT(summary.packets_sent, 120U);
    EXPECT_GT(summary.packets_received, 120U);
    EXPECT_EQ(summary.codec, "opus");
    ASSERT_TRUE(summary.loss_pct);
    EXPECT_EQ(*summary.loss_pct, 0);
    ASSERT_TRUE(summary.mos);
    EXPECT_GT(*summary.mos, 3.5);
    ASSERT_TRUE(summary.setup_ms && summary.ring_ms && summary.first_voice_ms);
    EXPECT_LE(*summary.ring_ms, *summary.setup_ms);
    EXPECT_LT(*summary.setup_ms, *summary.first_voice_ms);
    EXPECT_TRUE(summary.play_start && summary.record_start);
  }
  EXPECT_EQ(alice->summary()->direction, Direction::outgoing);
  EXPECT_EQ(bob->summary()->direction, Direction::incoming);
  EXPECT_EQ(bob->summary()->peer.text(), kAlice);
  EXPECT_TRUE(alice->sounding.empty());
  EXPECT_TRUE(bob->sounding.empty());
  EXPECT_EQ(state(*alice), std::nullopt);
}

TEST_F(Calls, NeedNoTimerOnTheGoodPath) {
  meet();
  bob->answers = true;
  const auto before = town.now();
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*alice, CallState::talking));
  // Find, forward, handshake, INVITE, 180 and 200 at 2 ms a hop: a timer anywhere would add tens of milliseconds.
  EXPECT_LT(town.now() - before, milliseconds(80));
  RecordProperty("virtual_ms_to_talking", std::to_string(millis(town.now() - before)));
}

TEST_F(Calls, PinBothSidesAtTheFirstAnswerAndNotBefore) {
  meet();
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*bob, CallState::incoming));
  EXPECT_FALSE(bob->last<event::IncomingCall>()->known);
  EXPECT_EQ(alice->pins().size() + bob->pins().size(), 0U);
  town.tell(*bob, command::Answer{});
  ASSERT_TRUE(until(*alice, CallState::talking));
  ASSERT_EQ(alice->pins().size(), 1U);
  EXPECT_EQ(alice->pins()[0].address.text(), kBob);
  EXPECT_EQ(alice->pins()[0].key, crypto::key_hash(bob->node->identity().account_key()));
  // Bob's node first asks who else claims that name.
  ASSERT_TRUE(town.run_until([&] { return !bob->pins().empty(); }, seconds(5)));
  ASSERT_EQ(bob->pins().size(), 1U);
  EXPECT_EQ(bob->pins()[0].key, crypto::key_hash(alice->node->identity().account_key()));
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*bob, std::nullopt));
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*bob, CallState::incoming));
  EXPECT_TRUE(bob->last<event::IncomingCall>()->known);
  town.tell(*bob, command::Answer{});
  ASSERT_TRUE(until(*alice, CallState::talking));
  EXPECT_EQ(alice->pins().size() + bob->pins().size(), 2U);
}

TEST_F(Calls, TellAStrangerNoAddressBeforeThePersonAnswers) {
  meet();
  town.flows.clear();
  const auto direct = [&] {
    return town.flows.count({alice->endpoint, bob->endpoint}) + town.flows.count({bob->endpoint, alice->endpoint});
  };
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*alice, CallState::ringing));
  town.run_for(seconds(20));
  EXPECT_EQ(direct(), 0U) << "somebody learnt an address before the answer";
  town.tell(*bob, command::Answer{});
  ASSERT_TRUE(until(*alice, CallState::talking));
  EXPECT_EQ(path(*alice), PathWord::relayed) << "voice does not wait for a better path";
  EXPECT_TRUE(town.run_until([&] { return path(*alice) == PathWord::direct; }, seconds(5)));
  EXPECT_GT(direct(), 0U);
}

// Contacts have each other's addresses at once: by the time somebody answers the way is direct.
TEST_F(Calls, TellAContactTheAddressesWhileItRings) {
  meet();
  talk();
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*bob, std::nullopt));
  bob->answers = false;
  town.run_for(seconds(90));  // the link of before is given up
  const auto direct = [&](const Resident& from, const Resident& to) {
    return town.flows.contains({from.endpoint, to.endpoint});
  };
  town.flows.clear();
  town.run_for(seconds(5));
  ASSERT_FALSE(direct(*alice, *bob) || direct(*bob, *alice)) << "the link of before still stands";
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*alice, CallState::ringing));
  town.run_for(seconds(5));
  ASSERT_EQ(state(*bob), CallState::incoming) << "nobody has answered";
  EXPECT_TRUE(direct(*alice, *bob));
  EXPECT_TRUE(direct(*bob, *alice));
  town.tell(*bob, command::Answer{});
  ASSERT_TRUE(until(*alice, CallState::talking));
  EXPECT_EQ(path(*alice), PathWord::direct) << "from the first word on";
}

// What was tried when the other end fell silent: its own address, which a contact knows, and each of its supernodes.
TEST_F(Calls, SayOfAContactThatFellSilentWhatWasTried) {
  meet();
  talk();
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*bob, std::nullopt));
  bob->answers = false;
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*alice, CallState::ringing));
  town.kill(*bob);
  ASSERT_TRUE(over(*alice, seconds(90)));
  const auto& text = alice->summary()->text;
  EXPECT_EQ(result(*alice), CallResult::unreachable) << text;
  EXPECT_NE(text.find("bob is known but not answering: " + bob->endpoint.to_string() + " timed out; "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("through 198.51."), std::string::npos) << text;
}

TEST_F(Calls, AreDeclined) {
  meet();
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*bob, CallState::incoming));
  town.tell(*bob, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  EXPECT_EQ(result(*alice), CallResult::declined);
  EXPECT_EQ(result(*bob), CallResult::declined);
  EXPECT_EQ(alice->count<event::AudioStart>(), 0U);
  EXPECT_EQ(alice->pins().size() + bob->pins().size(), 0U);
}

TEST_F(Calls, FindABusyPerson) {
  alice = &town.add(kAlice);
  bob = &town.add(kBob, [](NodeConfig& config) { config.max_calls = 1; });
  auto& carol = town.add("carol@c.example");
  settle();
  town.call(carol, kBob);
  ASSERT_TRUE(until(*bob, CallState::incoming));
  town.call(*alice, kBob);
  ASSERT_TRUE(over(*alice));
  EXPECT_EQ(result(*alice), CallResult::busy);
  EXPECT_EQ(state(carol), CallState::ringing);
}

TEST_F(Calls, AreTakenBackByTheCaller) {
  meet();
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*bob, CallState::incoming));
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*bob, std::nullopt));
  EXPECT_EQ(result(*alice), CallResult::cancelled);
  EXPECT_EQ(result(*bob), CallResult::cancelled);
}

TEST_F(Calls, EndUnansweredAfterTheRingTimeout) {
  meet();
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*bob, CallState::incoming));
  const auto rang = town.now();
  ASSERT_TRUE(over(*alice, seconds(70)));
  EXPECT_NEAR(millis(town.now() - rang), 60'000, 500);
  ASSERT_TRUE(until(*bob, std::nullopt));
  EXPECT_EQ(result(*alice), CallResult::no_answer);
  EXPECT_EQ(result(*bob), CallResult::no_answer);
}

TEST_F(Calls, ToANameThatNobodyHasAreNotFound) {
  meet();
  town.call(*alice, "nobody@b.example");
  ASSERT_TRUE(over(*alice));
  EXPECT_EQ(result(*alice), CallResult::not_found);
}

TEST_F(Calls, ToSomebodyWhoIsGoneAreUnreachable) {
  meet();
  town.kill(*bob);
  town.call(*alice, kBob);
  ASSERT_TRUE(over(*alice, seconds(30)));
  EXPECT_EQ(result(*alice), CallResult::unreachable);
  EXPECT_NE(alice->summary()->text, "");
}

TEST_F(Calls, ToSomebodyWhoIsGoneNameEachWayThatWasTried) {
  meet();
  talk();
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  town.kill(*bob);
  town.call(*alice, kBob);
  ASSERT_TRUE(over(*alice, seconds(30)));
  const auto& text = alice->summary()->text;
  EXPECT_EQ(result(*alice), CallResult::unreachable);
  EXPECT_EQ(text.rfind("bob is known but not answering: no answer through 198.51.", 0), 0U) << text;
  EXPECT_NE(text.find("; no answer through 198.51."), std::string::npos) << text;
}

TEST_F(Calls, OfANodeThatIsAloneEndUnreachable) {
  Town empty;
  auto& lonely = empty.add(kAlice);
  empty.call(lonely, kBob);
  ASSERT_TRUE(empty.run_until([&] { return lonely.summary() != nullptr; }, seconds(10)));
  EXPECT_EQ(lonely.summary()->result, CallResult::unreachable);
}

TEST_F(Calls, AreRefusedBeforeTheyBeginWhenTheAddressIsNone) {
  meet();
  town.call(*alice, "not an address");
  EXPECT_EQ(alice->last<event::Done>()->outcome, Outcome::bad_address);
  town.call(*alice, "sip:Alice@A.example");
  EXPECT_EQ(alice->last<event::Done>()->outcome, Outcome::refused);
  town.tell(*alice, command::Hangup{});
  EXPECT_EQ(alice->last<event::Done>()->outcome, Outcome::no_such_call);
  town.tell(*alice, command::Answer{});
  EXPECT_EQ(alice->last<event::Done>()->outcome, Outcome::no_such_call);
  EXPECT_EQ(alice->count<event::CallEnded>(), 0U);
}

TEST_F(Calls, RingAtEveryDeviceAndTheFirstAnswerWins) {
  meet();
  auto& phone = town.add(town.another_device_of(*bob));
  settle();
  town.call(*alice, kBob);
  ASSERT_TRUE(town.run_until([&] { return state(*bob) == CallState::incoming && state(phone) == CallState::incoming; },
                             seconds(10)));
  town.tell(phone, command::Answer{});
  ASSERT_TRUE(until(*alice, CallState::talking));
  ASSERT_TRUE(until(*bob, std::nullopt));
  EXPECT_EQ(result(*bob), CallResult::cancelled);
  EXPECT_EQ(bob->summary()->text, "Answered elsewhere.");
  EXPECT_EQ(state(phone), CallState::talking);
  EXPECT_EQ(bob->count<event::AudioStart>(), 0U);
}

TEST_F(Calls, DeclinedAtOneDeviceStopRingingAtTheOthers) {
  meet();
  auto& phone = town.add(town.another_device_of(*bob));
  settle();
  town.call(*alice, kBob);
  ASSERT_TRUE(town.run_until([&] { return state(*bob) == CallState::incoming && state(phone) == CallState::incoming; },
                             seconds(10)));
  town.tell(*bob, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  ASSERT_TRUE(until(phone, std::nullopt));
  EXPECT_EQ(result(*alice), CallResult::declined);
  EXPECT_EQ(result(phone), CallResult::declined);
}

TEST_F(Calls, ToAPinnedNameWithAnotherKeyAreRefused) {
  const auto real = town.identity(kBob);
  meet(pinned(kBob, real.account_key()));
  town.call(*alice, kBob);
  ASSERT_TRUE(over(*alice, seconds(30)));
  EXPECT_EQ(result(*alice), CallResult::identity);
  EXPECT_NE(alice->summary()->text.find("IDENTITY CHANGED"), std::string::npos);
  EXPECT_EQ(bob->count<event::IncomingCall>(), 0U);
  EXPECT_EQ(alice->node->memory().pins.begin()->second, crypto::key_hash(real.account_key()));
}

TEST_F(Calls, FromAPinnedNameWithAnotherKeyNeverRing) {
  const auto real = town.identity(kAlice);
  meet({}, pinned(kAlice, real.account_key()));
  town.call(*alice, kBob);
  ASSERT_TRUE(over(*alice));
  EXPECT_EQ(result(*alice), CallResult::identity);
  EXPECT_EQ(bob->count<event::IncomingCall>(), 0U);
  ASSERT_NE(bob->summary(), nullptr);
  EXPECT_EQ(result(*bob), CallResult::identity);
  EXPECT_NE(bob->summary()->text.find("IDENTITY CHANGED"), std::string::npos);
  // Trying again makes no further noise.
  town.call(*alice, kBob);
  ASSERT_TRUE(over(*alice));
  EXPECT_EQ(bob->count<event::CallEnded>(), 1U);
}

TEST_F(Calls, ToAnUnpinnedNameWithTwoClaimantsAreRefused) {
  meet();
  auto& other = town.add(town.identity(kBob));
  settle();
  town.call(*alice, kBob);
  ASSERT_TRUE(over(*alice));
  EXPECT_EQ(result(*alice), CallResult::identity);
  for (const auto* claimant : {bob, &other}) {
    const auto key = claimant->node->identity().account_key();
    EXPECT_NE(alice->summary()->text.find(crypto::fingerprint(key)), std::string::npos);
    EXPECT_EQ(claimant->count<event::IncomingCall>(), 0U);
  }
}

TEST_F(Calls, ReachThePinnedPersonWhateverElseClaimsTheName) {
  const auto real = town.identity(kBob);
  alice = &town.add(kAlice, {}, pinned(kBob, real.account_key()));
  auto& squatter = town.add(town.identity(kBob));
  bob = &town.add(real);
  settle();
  bob->answers = true;
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*alice, CallState::talking));
  EXPECT_EQ(state(*bob), CallState::talking);
  EXPECT_EQ(squatter.count<event::IncomingCall>(), 0U);
}

TEST_F(Calls, GoToAKeyNameToo) {
  meet();
  bob->answers = true;
  town.call(*alice, bob->node->identity().key_name().text());
  ASSERT_TRUE(until(*alice, CallState::talking));
  EXPECT_TRUE(alice->node->status(town.now()).calls.front().verified);
}

TEST_F(Calls, AreAnsweredByThemselvesWhenToldSo) {
  alice = &town.add(kAlice);
  bob = &town.add(kBob, [](NodeConfig& config) { config.auto_answer = true; });
  settle();
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*alice, CallState::talking));
  EXPECT_TRUE(alice->last<event::Done>()->outcome == Outcome::ok);
}

TEST_F(Calls, AreEndedWhenTheNodeLeaves) {
  meet();
  talk();
  town.tell(*bob, command::Leave{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  EXPECT_EQ(result(*alice), CallResult::ended);
  ASSERT_TRUE(town.run_until([&] { return bob->count<event::Left>() == 1; }, seconds(11)));
  town.call(*bob, kAlice);
  EXPECT_EQ(bob->last<event::Done>()->outcome, Outcome::shutting_down);
}

TEST_F(Calls, OfSeveralPeopleRunSideBySide) {
  meet();
  auto& carol = town.add("carol@c.example");
  settle();
  talk();
  carol.answers = true;
  carol.says = tone(900, seconds(20));
  town.call(*alice, "carol@c.example");
  ASSERT_TRUE(town.run_until(
      [&] {
        const auto calls = alice->node->status(town.now()).calls;
        return calls.size() == 2 && calls[0].state == CallState::talking && calls[1].state == CallState::talking;
      },
      seconds(10)));
  town.tell(*alice, command::Hold{});
  EXPECT_EQ(alice->last<event::Done>()->outcome, Outcome::no_such_call) << "which of the two?";
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(carol, std::nullopt));
  ASSERT_TRUE(until(*bob, std::nullopt));
}

TEST_F(Calls, WhoSaysWhatIsKnownAboutAName) {
  meet();
  const auto id = town.tell(*alice, command::Who{kBob});
  ASSERT_TRUE(town.run_until([&] { return alice->count<event::WhoResult>() == 1; }, seconds(10)));
  const auto& who = *alice->last<event::WhoResult>();
  EXPECT_EQ(who.command, id);
  ASSERT_EQ(who.devices.size(), 1U);
  EXPECT_EQ(who.devices[0].fingerprint, crypto::fingerprint(bob->node->identity().account_key()));
  EXPECT_GT(who.devices[0].expires_in_s, 60);
  EXPECT_FALSE(who.devices[0].homes.empty());
  EXPECT_FALSE(who.pinned);
  EXPECT_EQ(alice->last<event::Done>()->outcome, Outcome::ok);
  town.tell(*alice, command::Who{"nobody@b.example"});
  ASSERT_TRUE(town.run_until([&] { return alice->count<event::WhoResult>() == 2; }, seconds(10)));
  EXPECT_EQ(alice->last<event::WhoResult>()->outcome, Outcome::not_found);
}

}  // namespace
}  // namespace linnet::node
