#include "node/node.h"

#include <gtest/gtest.h>

#include "node/reception.h"
#include "town.h"

namespace linnet::node {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

static_assert(Machine<Node>);

TEST(Node, RenewsItsCertificateAtHalfItsLifeAndHasItStored) {
  Town town;
  auto& alice = town.add("alice@a.example");
  const auto before = alice.node->identity().certificate;
  alice.node->handle_wall(town.now(), before.not_before + hours(14 * 24));
  town.run_for(seconds(0));
  EXPECT_EQ(alice.count<event::SaveIdentity>(), 0U);
  alice.node->handle_wall(town.now(), before.not_before + hours(16 * 24));
  while (auto event = alice.node->poll_event()) alice.events.push_back(std::move(*event));
  EXPECT_EQ(alice.count<event::SaveIdentity>(), 1U);
  const auto& after = alice.node->identity().certificate;
  EXPECT_EQ(after.device, before.device);
  EXPECT_EQ(after.account, before.account);
  EXPECT_GT(after.not_after, before.not_after);
  EXPECT_TRUE(crypto::verify(crypto::shipped_suite(), after, before.not_before + hours(16 * 24)));
}

TEST(Node, SaysWhoItIs) {
  Town town;
  auto& alice = town.add("alice@a.example");
  const auto status = alice.node->status(town.now());
  EXPECT_EQ(status.uri.text(), "alice@a.example");
  EXPECT_TRUE(status.key_name.proves(alice.node->identity().account_key()));
  EXPECT_EQ(status.role, overlay::Role::leaf);
  EXPECT_EQ(status.listen, std::vector<Endpoint>{alice.endpoint});
  EXPECT_TRUE(status.calls.empty());
}

TEST(Node, NamesItsNewAddressesOnceItIsToldOfThem) {
  Town town;
  town.build(1);
  auto& supernode = *town.supernodes.front();
  ASSERT_TRUE(town.all_online());
  const auto moved = *Endpoint::parse("198.51.9.1:4400");
  while (supernode.node->poll_event()) {
  }
  supernode.node->handle_addresses(town.now(), {moved});
  EXPECT_EQ(supernode.node->status(town.now()).listen, std::vector<Endpoint>{moved});
  const auto event = supernode.node->poll_event();
  EXPECT_TRUE(event && std::holds_alternative<event::StatusChanged>(*event)) << "nobody would read the status again";
  town.tell(supernode, command::People{ask::Invite{}});
  const auto* done = supernode.last<event::PeopleDone>();
  ASSERT_NE(done, nullptr);
  const auto invitation =
      crypto::read_invitation(crypto::shipped_suite(), supernode.config.peer.network, done->reply.code);
  ASSERT_TRUE(invitation.has_value());
  ASSERT_FALSE(invitation->via.empty());
  EXPECT_EQ(invitation->via.front().endpoint, moved) << "who accepts would knock at the old door";
}

TEST(Node, GivesTheAnswerOfALookupToWhoAskedForIt) {
  Town town;
  town.build();
  auto& alice = town.add("alice@a.example");
  auto& bob = town.add("bob@b.example");
  bob.answers = true;
  ASSERT_TRUE(town.all_online());
  // All three at once, and about the same name.
  const auto who = town.tell(alice, command::Who{"bob@b.example"});
  const auto add = town.tell(alice, command::People{ask::Add{"bob@b.example", {}, "bobby"}});
  town.call(alice, "bob@b.example", seconds(1));
  ASSERT_TRUE(town.run_until([&] { return alice.summary() != nullptr; }, seconds(20)));
  EXPECT_EQ(alice.summary()->result, CallResult::ended);
  EXPECT_TRUE(alice.summary()->lookup_hops.has_value());
  ASSERT_EQ(alice.count<event::WhoResult>(), 1U);
  EXPECT_EQ(alice.last<event::WhoResult>()->command, who);
  EXPECT_EQ(alice.last<event::WhoResult>()->devices.size(), 1U);
  ASSERT_EQ(alice.count<event::PeopleDone>(), 1U);
  EXPECT_EQ(alice.last<event::PeopleDone>()->command, add);
  EXPECT_EQ(alice.last<event::PeopleDone>()->reply.refusal, Refusal::none);
}

TEST(Node, SaysAtOnceThatADigitWasKeyed) {
  Town town;
  town.build();
  auto& alice = town.add("alice@a.example");
  auto& bob = town.add("bob@b.example");
  bob.answers = true;
  ASSERT_TRUE(town.all_online());
  town.call(alice, "bob@b.example");
  ASSERT_TRUE(town.run_until([&] { return !alice.sounding.empty() && !bob.sounding.empty(); }, seconds(20)));
  const auto digits = [&] { return bob.node->status(town.now()).calls.front().digits; };
  town.run_for(seconds(2));
  const auto before = bob.count<event::CallChanged>();
  town.run_for(seconds(2));
  ASSERT_EQ(bob.count<event::CallChanged>(), before) << "a call that goes on as it was is no news";
  town.tell(alice, command::Dtmf{{}, "4#"});
  ASSERT_TRUE(town.run_until([&] { return digits() == "4#"; }, seconds(5)));
  EXPECT_EQ(bob.count<event::CallChanged>(), before + 2);
}

TEST(Node, LetsABoundedNumberOfStrangersRing) {
  Town town;
  town.build();
  auto& bob = town.add("bob@b.example");
  std::vector<Resident*> strangers;
  for (int i = 0; i < 6; ++i) strangers.push_back(&town.add("s" + std::to_string(i) + "@s.example"));
  ASSERT_TRUE(town.all_online());
  for (auto* stranger : strangers) {
    town.call(*stranger, "bob@b.example");
    town.run_for(seconds(1));
  }
  EXPECT_EQ(bob.count<event::IncomingCall>(), 4U);
  for (std::size_t i = 0; i < strangers.size(); ++i) {
    if (i < 4) {
      EXPECT_EQ(strangers[i]->summary(), nullptr);
    } else {
      ASSERT_NE(strangers[i]->summary(), nullptr);
      EXPECT_EQ(strangers[i]->summary()->result, CallResult::busy);
    }
  }
}

TEST(Node, IsNotRungByAStrangerAThousandTimes) {
  Town town;
  town.build();
  auto& bob = town.add("bob@b.example");
  auto& eve = town.add("eve@e.example");
  ASSERT_TRUE(town.all_online());
  const auto begun = town.now();
  for (int i = 0; i < 60; ++i) {
    town.call(eve, "bob@b.example");
    town.run_for(milliseconds(400));
    town.tell(eve, command::Hangup{});
    town.run_for(milliseconds(100));
  }
  const auto given_back = static_cast<std::size_t>((town.now() - begun) / StrangerGate::kKeyInterval);
  EXPECT_GE(bob.count<event::IncomingCall>(), StrangerGate::kKeyBurst);
  EXPECT_LE(bob.count<event::IncomingCall>(), StrangerGate::kKeyBurst + given_back);
  EXPECT_EQ(bob.count<event::CallEnded>(), bob.count<event::IncomingCall>());
  EXPECT_EQ(eve.summary()->result, CallResult::busy);
  // Patience helps.
  town.run_for(StrangerGate::kKeyInterval);
  const auto before = bob.count<event::IncomingCall>();
  town.call(eve, "bob@b.example");
  town.run_for(milliseconds(400));
  EXPECT_EQ(bob.count<event::IncomingCall>(), before + 1);
}

TEST(Node, LeavesAsSoonAsAHomeKnowsWhenNothingIsToBeEnded) {
  Town town;
  town.build();
  auto& alice = town.add("alice@a.example");
  ASSERT_TRUE(town.all_online());
  const auto begin = town.now();
  town.tell(alice, command::Leave{});
  ASSERT_TRUE(town.run_until([&] { return alice.count<event::Left>() == 1; }, seconds(2)));
  EXPECT_LE(town.now() - begin, Duration(milliseconds(500)));
}

TEST(Node, SurvivesWhateverComesOnItsPort) {
  Town town;
  town.build();
  auto& alice = town.add("alice@a.example");
  ASSERT_TRUE(town.all_online());
  SeededRng rng(3);
  for (int i = 0; i < 5000; ++i) {
    Bytes bytes(rng.below(1300));
    rng.fill(bytes);
    alice.node->handle_datagram(town.now(), Datagram{town.supernodes[0]->endpoint, bytes});
  }
  auto& bob = town.add("bob@b.example");
  ASSERT_TRUE(town.all_online());
  bob.answers = true;
  town.call(alice, "bob@b.example", seconds(1));
  ASSERT_TRUE(town.run_until([&] { return alice.summary() != nullptr; }, seconds(20)));
  EXPECT_EQ(alice.summary()->result, CallResult::ended);
}

}  // namespace
}  // namespace linnet::node
