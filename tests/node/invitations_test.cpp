// Invitations between whole nodes: nothing else is configured, and both sides know each other afterwards.
#include "node/invitations.h"

#include "people_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct InvitationCodes : People {
  std::string invite(Resident& who, std::chrono::seconds life = hours(24)) {
    const auto reply = ask(who, ask::Invite{life});
    EXPECT_EQ(reply.refusal, Refusal::none) << reply.text;
    return reply.code;
  }
  // Knows nobody, and no address to join through.
  Resident& newcomer(const std::string& name) {
    return town.add(name, [](NodeConfig& config) { config.peer.bootstrap.clear(); });
  }
};

TEST_F(InvitationCodes, MakeContactsOfBothAndJoinTheNewcomerToTheOverlay) {
  alice = &town.add(kAlice);
  settle();
  const auto code = invite(*alice);
  bob = &newcomer(kBob);
  town.run_for(seconds(5));
  ASSERT_NE(bob->node->peer().state(), overlay::State::online);
  const auto reply = ask(*bob, ask::Accept{code, {}});
  EXPECT_EQ(reply.refusal, Refusal::none) << reply.text;
  EXPECT_FALSE(reply.waiting) << reply.text;
  EXPECT_EQ(bob->node->peer().state(), overlay::State::online);
  const auto* of_bob = contact(*bob, "alice");
  ASSERT_NE(of_bob, nullptr);
  EXPECT_EQ(of_bob->key, key(*alice));
  EXPECT_EQ(of_bob->source, Source::invitation);
  EXPECT_EQ(of_bob->address.text(), kAlice);
  ASSERT_TRUE(town.run_until([&] { return contact(*alice, "bob") != nullptr; }, seconds(5)));
  EXPECT_EQ(contact(*alice, "bob")->key, key(*bob));
  // The plain name is pinned once nobody else was found to claim it.
  EXPECT_TRUE(town.run_until([&] { return alice->pins().size() == 1; }, seconds(10)));
  EXPECT_TRUE(bob->node->memory().acceptances.empty());
  // Both ring each other as contacts, by short name.
  town.call(*bob, "alice");
  ASSERT_TRUE(until(*alice, CallState::incoming));
  EXPECT_TRUE(alice->last<event::IncomingCall>()->known);
}

TEST_F(InvitationCodes, AreGoodForOnePersonOnce) {
  meet();
  auto& carol = town.add("carol@c.example");
  settle();
  const auto code = invite(*alice);
  EXPECT_EQ(ask(*bob, ask::Accept{code, {}}).refusal, Refusal::none);
  const auto again = ask(*bob, ask::Accept{code, {}});
  EXPECT_EQ(again.refusal, Refusal::none) << "the same person may lose the answer: " << again.text;
  const auto late = ask(carol, ask::Accept{code, {}});
  EXPECT_EQ(late.refusal, Refusal::refused);
  EXPECT_NE(late.text.find("used by somebody else"), std::string::npos) << late.text;
  EXPECT_EQ(contact(*alice, "carol"), nullptr);
  EXPECT_TRUE(carol.node->memory().acceptances.empty()) << "nothing is tried for ever";
}

TEST_F(InvitationCodes, AreRefusedWithTheReason) {
  meet();
  const auto code = invite(*alice);
  EXPECT_NE(ask(*alice, ask::Accept{code, {}}).text.find("your own invitation"), std::string::npos);
  auto forged = code;
  forged[forged.size() - 5] = forged[forged.size() - 5] == 'A' ? 'B' : 'A';
  const auto reply = ask(*bob, ask::Accept{forged, {}});
  EXPECT_EQ(reply.refusal, Refusal::identity);
  EXPECT_NE(reply.text.find("forged or damaged"), std::string::npos) << reply.text;
  EXPECT_EQ(ask(*bob, ask::Accept{"hello", {}}).refusal, Refusal::bad);
  EXPECT_EQ(ask(*bob, ask::Accept{code.substr(0, 100), {}}).refusal, Refusal::bad);
  const auto brief = invite(*alice, seconds(60));
  town.run_for(seconds(60 + 310));  // five minutes of grace, and clocks that tell whole seconds
  const auto late = ask(*bob, ask::Accept{brief, {}});
  EXPECT_NE(late.text.find("expired on"), std::string::npos) << late.text;
  EXPECT_TRUE(bob->node->memory().contacts.empty());
  EXPECT_EQ(ask(*alice, ask::Invite{hours(24 * 91)}).refusal, Refusal::bad);
}

TEST_F(InvitationCodes, AreJudgedByTheInvitersClockToo) {
  meet();
  const auto code = invite(*alice, seconds(60));
  town.kill(*alice);
  EXPECT_TRUE(ask(*bob, ask::Accept{code, {}}, seconds(30)).waiting);
  town.run_for(seconds(600));
  alice->alive = true;
  town.restart(*alice);
  town.run_for(seconds(60));
  EXPECT_EQ(contact(*alice, "bob"), nullptr) << "it had expired before its secret was said";
  EXPECT_TRUE(bob->node->memory().acceptances.empty());
}

TEST_F(InvitationCodes, OutliveTheProcessesOnBothSides) {
  meet();
  const auto code = invite(*alice);
  town.kill(*alice);
  const auto reply = ask(*bob, ask::Accept{code, {}}, seconds(30));
  EXPECT_EQ(reply.refusal, Refusal::none);
  EXPECT_TRUE(reply.waiting);
  ASSERT_NE(contact(*bob, "alice"), nullptr) << "the token alone proves who invites";
  town.restart(*bob);
  town.run_for(seconds(30));
  alice->alive = true;
  town.restart(*alice);
  ASSERT_TRUE(town.run_until([&] { return contact(*alice, "bob") != nullptr; }, seconds(120)));
  EXPECT_TRUE(town.run_until([&] { return bob->node->memory().acceptances.empty(); }, seconds(10)));
}

TEST_F(InvitationCodes, CanBeWithdrawn) {
  meet();
  const auto made = ask(*alice, ask::Invite{});
  EXPECT_EQ(ask(*alice, ask::CancelInvitation{"ffff0000"}).refusal, Refusal::not_found);
  EXPECT_EQ(ask(*alice, ask::CancelInvitation{made.id}).refusal, Refusal::none);
  const auto reply = ask(*bob, ask::Accept{made.code, {}});
  EXPECT_EQ(reply.refusal, Refusal::refused);
  EXPECT_EQ(contact(*alice, "bob"), nullptr);
}

TEST_F(InvitationCodes, AreBoundedInNumber) {
  alice = &town.add(kAlice);
  settle();
  for (std::size_t i = 0; i < Invitations::kMaxOpen; ++i)
    ASSERT_EQ(ask(*alice, ask::Invite{seconds(60)}).refusal, Refusal::none);
  const auto reply = ask(*alice, ask::Invite{});
  EXPECT_EQ(reply.refusal, Refusal::refused);
  EXPECT_NE(reply.text.find("invitations are open already"), std::string::npos);
  town.run_for(seconds(60 + 310));  // five minutes of grace, and clocks that tell whole seconds
  EXPECT_EQ(ask(*alice, ask::Invite{}).refusal, Refusal::none) << "what has expired is not open";
}

TEST_F(InvitationCodes, NeverMoveAPin) {
  alice = &town.add(kAlice);
  Memory memory;
  const auto other = town.identity(kAlice);
  memory.pins.emplace(*crypto::Address::parse(kAlice), crypto::key_hash(other.account_key()));
  bob = &town.add(kBob, {}, memory);
  settle();
  const auto reply = ask(*bob, ask::Accept{invite(*alice), {}});
  EXPECT_EQ(reply.refusal, Refusal::identity);
  EXPECT_EQ(reply.text.find("IDENTITY CHANGED: alice"), 0U) << reply.text;
  EXPECT_EQ(bob->node->memory().pins.at(*crypto::Address::parse(kAlice)), crypto::key_hash(other.account_key()));
  EXPECT_EQ(contact(*alice, "bob"), nullptr);
}

TEST_F(InvitationCodes, AloneNameNobodyToJoinThrough) {
  Town empty;
  auto& lonely = empty.add(kAlice);
  empty.run_for(seconds(5));
  const auto id = empty.tell(lonely, command::People{ask::Invite{}});
  const auto* done = lonely.last<event::PeopleDone>();
  ASSERT_TRUE(done != nullptr && done->command == id);
  EXPECT_FALSE(done->reply.code.empty());
  EXPECT_NE(done->reply.text.find("You are alone"), std::string::npos);
}

}  // namespace
}  // namespace linnet::node
