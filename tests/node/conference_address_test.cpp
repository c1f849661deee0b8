// A room with an address: founded, called, begun anew by whoever comes first, and kept from others.
#include "room_nodes.h"

#include "crypto/room_key.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(ConferenceAddress, WhoIsCalledInMayCallItLater) {
  alice = &careful("alice", 400);
  bob = &careful("bob", 700);
  settle();
  found(*alice, {bob->name});
  ASSERT_TRUE(comes_to({alice, bob})) << told();
  ASSERT_TRUE(town.run_until([&] { return keeps(*bob); }, seconds(10)));
  EXPECT_FALSE(bob->node->status(town.now()).rooms[0].founded);
  EXPECT_TRUE(alice->node->status(town.now()).rooms[0].founded);
  ASSERT_TRUE(leaves(*bob));
  town.call(*bob, kRoom);
  ASSERT_TRUE(comes_to({alice, bob})) << told();
  EXPECT_EQ(view(*bob)->address, kRoom);
  town.run_for(seconds(2));
  forget_sound();
  town.run_for(seconds(2));
  EXPECT_GT(share_of(400, bob->heard), 0.8);
  EXPECT_GT(share_of(700, alice->heard), 0.8);
  EXPECT_EQ(bob->sounding.size(), 1u) << "one call to programs";
}

TEST_F(ConferenceAddress, WhoComesFirstBeginsItThoughTheFounderIsGone) {
  founded();
  town.kill(*alice);
  join(*bob);
  ASSERT_TRUE(comes_to({bob})) << told();
  town.run_for(seconds(3));
  town.call(*carol, kRoom);
  EXPECT_TRUE(comes_to({bob, carol})) << told();
}

TEST_F(ConferenceAddress, OutlivesARestartOfItsFounderAndItsKeepers) {
  founded();
  town.restart(*alice);
  town.restart(*bob);
  settle();
  join(*alice);
  ASSERT_TRUE(comes_to({alice})) << told();
  town.run_for(seconds(3));
  join(*bob);
  EXPECT_TRUE(comes_to({alice, bob})) << told();
}

TEST_F(ConferenceAddress, IsFoundAgainBesideAMixerThatDiedWithoutAWord) {
  founded();
  ASSERT_TRUE(come_in_turn()) << told();
  town.run_for(seconds(4));
  town.kill(*alice);
  ASSERT_TRUE(comes_to({bob}, seconds(30))) << told();
  town.run_for(seconds(3));
  join(*carol);
  EXPECT_TRUE(comes_to({bob, carol}, seconds(30))) << told();
}

TEST_F(ConferenceAddress, OfTwoBegunAtOnceOneIsMade) {
  founded();
  join(*bob);
  join(*carol);
  ASSERT_TRUE(town.run_until([&] { return view(*bob) && view(*carol); }, seconds(10))) << told();
  EXPECT_TRUE(comes_to({bob, carol}, seconds(40))) << told();
  town.run_for(seconds(60));
  EXPECT_TRUE(in_it({bob, carol})) << "and stays so\n" << told();
}

TEST_F(ConferenceAddress, OfTwoBegunAtOnceNobodyWhoCameInMeanwhileIsLost) {
  founded();
  join(*bob);
  join(*carol);
  ASSERT_TRUE(town.run_until([&] { return view(*bob) && view(*carol); }, seconds(10))) << told();
  town.run_for(milliseconds(500));
  join(*alice);
  ASSERT_TRUE(comes_to({alice, bob, carol}, seconds(60))) << told();
  town.run_for(seconds(60));
  EXPECT_TRUE(in_it({alice, bob, carol})) << "and stays so\n" << told();
}

TEST_F(ConferenceAddress, NobodyIsLedThereOutOfAnotherConference) {
  founded();
  join(*bob);
  ASSERT_TRUE(comes_to({bob})) << told();
  town.run_for(seconds(3));
  auto& dave = careful("dave");
  ASSERT_TRUE(town.all_online());
  town.tell(*alice, command::Confer{"team", {dave.name}, {}});
  ASSERT_TRUE(town.run_until([&] { return view(dave) && view(dave)->members.size() == 2; }, seconds(10))) << told();
  // Of a member's address it would be the same: whoever mixes calls it, and its record is the member's own to make.
  town.tell(*alice, command::InviteToConference{"team", kRoom});
  town.run_for(seconds(20));
  EXPECT_EQ(alice->sounding.size(), 1u) << "the microphone is heard by the team alone";
  ASSERT_EQ(alice->node->status(town.now()).conferences.size(), 1u) << told();
  EXPECT_EQ(view(*alice)->name, "team");
  EXPECT_TRUE(view(*alice)->invited.empty()) << "nobody is called any more";
  EXPECT_TRUE(in_it({bob})) << told();
  const auto* said = alice->last<event::ConferenceSaid>();
  ASSERT_NE(said, nullptr);
  EXPECT_NE(said->text.find("the address of a room"), std::string::npos) << said->text;
}

TEST_F(ConferenceAddress, WhoJoinsWhereHeIsAlreadyIsTold) {
  founded();
  auto& dave = careful("dave");
  ASSERT_TRUE(town.all_online());
  ASSERT_TRUE(come_in_turn()) << told();
  town.tell(*bob, command::InviteToConference{{}, dave.name});  // of whom is no founder: no certificate
  ASSERT_TRUE(comes_to({alice, bob, &dave})) << told();
  town.run_for(seconds(5));
  const auto ended = dave.count<event::CallEnded>();
  town.tell(dave, command::JoinConference{kRoom, seconds(3)});
  ASSERT_TRUE(town.run_until([&] { return dave.count<event::CallEnded>() == ended + 1; }, seconds(10)));
  EXPECT_EQ(result(dave), CallResult::failed) << told();
  EXPECT_NE(last_text(dave).find("You are in room@office already"), std::string::npos) << last_text(dave);
  town.tell(dave, command::JoinConference{bob->name, seconds(3)});
  const auto* refused = dave.last<event::Done>();
  EXPECT_EQ(refused->outcome, Outcome::refused);
  EXPECT_NE(refused->text.find("You are in room@office already, and so is bob"), std::string::npos) << refused->text;
  town.run_for(seconds(20));
  EXPECT_TRUE(in_it({alice, bob, &dave})) << "it goes on, whatever time was given\n" << told();
  EXPECT_EQ(dave.sounding.size(), 1u);
}

TEST_F(ConferenceAddress, AStrangerIsNotLetInAndBeginsNothing) {
  founded();
  join(*bob);
  ASSERT_TRUE(comes_to({bob})) << told();
  town.run_for(seconds(3));
  auto& mallory = careful("mallory");
  ASSERT_TRUE(town.all_online());
  join(mallory);
  ASSERT_TRUE(over(mallory, seconds(30)));
  EXPECT_EQ(result(mallory), CallResult::declined);
  EXPECT_NE(last_text(mallory).find("Nobody is let in to room@office"), std::string::npos) << last_text(mallory);
  EXPECT_TRUE(in_it({bob})) << told();
  ASSERT_TRUE(leaves(*bob));
  town.run_for(seconds(90));  // what mallory remembers of it
  join(mallory);
  ASSERT_TRUE(over(mallory, seconds(30)));
  EXPECT_NE(result(mallory), CallResult::ended);
  EXPECT_FALSE(view(mallory)) << "nobody but a keeper begins it";
}

TEST_F(ConferenceAddress, LockedItIsNotBegunASecondTime) {
  founded();
  join(*bob);
  ASSERT_TRUE(comes_to({bob})) << told();
  town.run_for(seconds(3));
  command::RuleConference rule;
  rule.rule = command::ConferenceRule::lock;
  town.tell(*bob, rule);
  town.run_for(seconds(1));
  join(*carol);
  ASSERT_TRUE(over(*carol, seconds(30)));
  EXPECT_EQ(result(*carol), CallResult::declined) << last_text(*carol);
  EXPECT_FALSE(view(*carol));
  EXPECT_TRUE(in_it({bob}));
}

TEST_F(ConferenceAddress, WhoWasPutOutIsNotLetInAgain) {
  founded();
  join(*bob);
  ASSERT_TRUE(comes_to({bob})) << told();
  town.run_for(seconds(3));
  join(*carol);
  ASSERT_TRUE(comes_to({bob, carol})) << told();
  town.run_for(seconds(2));
  command::RuleConference rule;
  rule.rule = command::ConferenceRule::remove;
  rule.who = carol->name;
  town.tell(*bob, rule);
  ASSERT_TRUE(town.run_until([&] { return !view(*carol); }, seconds(5)));
  town.run_for(seconds(2));
  join(*carol);
  ASSERT_TRUE(over(*carol, seconds(30)));
  EXPECT_EQ(result(*carol), CallResult::declined) << last_text(*carol);
  EXPECT_TRUE(in_it({bob})) << told();
}

TEST_F(ConferenceAddress, WhoHasAnAddressKeepsIt) {
  founded();
  auto& mallory = careful("mallory");
  ASSERT_TRUE(town.all_online());
  join(*bob);
  ASSERT_TRUE(comes_to({bob})) << told();
  town.run_for(seconds(3));
  found(mallory, {});
  ASSERT_TRUE(over(mallory, seconds(30)));
  EXPECT_EQ(result(mallory), CallResult::identity);
  EXPECT_FALSE(keeps(mallory));
  // Nobody is there to be asked: then he has it in his own eyes, and in nobody's who keeps it.
  ASSERT_TRUE(leaves(*bob));
  town.run_for(seconds(3));
  found(mallory, {});
  ASSERT_TRUE(comes_to({&mallory})) << told();
  town.run_for(seconds(5));
  join(*bob);
  ASSERT_TRUE(comes_to({bob})) << told();
  EXPECT_NE(view(*bob)->room, view(mallory)->room);
  town.run_for(seconds(60));
  EXPECT_TRUE(in_it({bob})) << told();
}

TEST_F(ConferenceAddress, AKeeperWhoseCertificateHasRunOutBeginsNothing) {
  auto identity = town.identity("alice@office.example");
  const auto address = *crypto::Address::parse(kRoom);
  const auto founder = town.identity("founder@office.example");
  const auto pair = crypto::room_account(crypto::shipped_suite(), founder.account, address);
  StoredRoom room;
  room.address = address;
  const Wall long_ago{1'700'000'000 - 40 * 86'400};
  room.certificate = crypto::certify(crypto::shipped_suite(), pair, identity.device_key(), 0, long_ago);
  Memory memory;
  memory.rooms.push_back(room);
  alice = &town.add(std::move(identity), {}, std::move(memory));
  all.push_back(alice);
  settle();
  join(*alice);
  ASSERT_TRUE(over(*alice, seconds(30)));
  EXPECT_EQ(result(*alice), CallResult::unreachable);
  EXPECT_NE(last_text(*alice).find("meet the founder"), std::string::npos) << last_text(*alice);
}

TEST_F(ConferenceAddress, BadAddressesAreRefusedWithAReason) {
  alice = &careful("alice");
  bob = &careful("bob");
  settle();
  const auto refusal = [&](const std::string& at) {
    command::Confer what;
    what.at = at;
    what.who = {bob->name};
    town.tell(*alice, what);
    const auto* done = alice->last<event::Done>();
    return done == nullptr || done->outcome == Outcome::ok ? std::string() : done->text;
  };
  EXPECT_NE(refusal("office").find("is no address"), std::string::npos);
  EXPECT_NE(refusal(std::string(60, 'r') + "@office").find("at most 64"), std::string::npos);
  EXPECT_NE(refusal(alice->name).find("your own address"), std::string::npos);
  EXPECT_NE(refusal(alice->node->identity().key_name().text()).find("key name"), std::string::npos);
  EXPECT_TRUE(alice->node->status(town.now()).rooms.empty());
}

TEST_F(ConferenceAddress, OfAPersonIsNotFounded) {
  alice = &careful("alice");
  bob = &careful("bob");
  settle();
  command::Confer what;
  what.at = bob->name;
  town.tell(*alice, what);
  ASSERT_TRUE(over(*alice, seconds(30)));
  EXPECT_EQ(result(*alice), CallResult::identity);
  EXPECT_FALSE(keeps(*alice));
}

}  // namespace
}  // namespace linnet::node
