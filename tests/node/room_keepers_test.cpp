// Who keeps a room with an address, against who says so: forged and stale certificates, floods of them, and keepers
// that were dismissed.
#include "conference_offender.h"
#include "crypto/room_key.h"
#include "node/room_book.h"
#include "room_nodes.h"

namespace linnet::node {
namespace {

using std::chrono::seconds;

struct RoomKeepers : ConferenceAddress {
  crypto::SigningPair room_pair() const {
    return crypto::room_account(crypto::shipped_suite(), alice->node->identity().account,
                                *crypto::Address::parse(kRoom));
  }
  // Of the room's own key: good, whoever brings it.
  conference::Message certified(const Resident& who, std::uint32_t epoch) const {
    const auto pair = room_pair();
    const auto certificate = crypto::certify(crypto::shipped_suite(), pair, who.node->identity().device_key(), epoch,
                                             who.node->peer().wall(town.now()));
    return conference::Certified{room_number(certificate.account), *crypto::Address::parse(kRoom), certificate};
  }
  conference::Message forged(const Resident& who, std::uint32_t epoch) const {
    auto out = certified(who, epoch);
    std::get<conference::Certified>(out).certificate.signature[7] ^= 1U;
    return out;
  }
  std::size_t taken(const Resident& who) const { return who.stored<StoredRoom>().size(); }
  Outcome dismiss(Resident& who, const std::string& whom) {
    command::RuleConference rule{kRoom, command::ConferenceRule::dismiss, whom};
    town.tell(who, rule);
    return who.last<event::Done>()->outcome;
  }
  // A node of another program with a link to bob, whom it called.
  Resident& stranger(Offender& offender, const std::string& name) {
    auto& out = careful(name);
    offender.is(out);
    EXPECT_TRUE(town.all_online());
    town.call(out, bob->name);
    EXPECT_TRUE(until(out, CallState::talking));
    return out;
  }
};

TEST_F(RoomKeepers, OfAllCertificatesTwentyAreLookedAtInASecond) {
  founded();
  Offender mallory(town);
  (void)stranger(mallory, "mallory");
  const auto before = taken(*bob);
  for (std::uint32_t epoch = 1; epoch <= 30; ++epoch) mallory.says(certified(*bob, epoch));
  town.run_for(std::chrono::milliseconds(900));
  EXPECT_EQ(taken(*bob) - before, 20u) << "though each is good and newer than the last";
  town.run_for(seconds(1));
  for (std::uint32_t epoch = 31; epoch <= 35; ++epoch) mallory.says(certified(*bob, epoch));
  town.run_for(std::chrono::milliseconds(500));
  EXPECT_EQ(taken(*bob) - before, 25u) << "a second later others are";
}

TEST_F(RoomKeepers, WhoForgesOneIsNotHeardAgainAndKeepsNobodyElseFromIt) {
  founded();
  Offender mallory(town);
  (void)stranger(mallory, "mallory");
  const auto before = taken(*bob);
  for (std::uint32_t epoch = 1; epoch <= 100; ++epoch) mallory.says(forged(*bob, epoch));
  mallory.says(certified(*bob, 101));
  town.run_for(std::chrono::milliseconds(300));
  EXPECT_EQ(taken(*bob), before);
  // In the same second, by the link of somebody else.
  Offender trent(town);
  trent.is(*carol);
  town.call(*carol, bob->name);
  ASSERT_TRUE(until(*carol, CallState::talking));
  mallory.says(forged(*bob, 102));
  trent.says(certified(*bob, 103));
  town.run_for(std::chrono::milliseconds(300));
  EXPECT_EQ(taken(*bob), before + 1);
}

TEST_F(RoomKeepers, TheFounderKnowsThemAndDismissesThem) {
  founded();
  const auto keepers = alice->node->keepers(kRoom);
  ASSERT_TRUE(keepers);
  ASSERT_EQ(keepers->size(), 2u);
  EXPECT_FALSE(alice->node->keepers("lunch@office"));
  EXPECT_FALSE(bob->node->keepers(kRoom)) << "he did not found it";
  EXPECT_EQ(dismiss(*alice, "dave@office.example"), Outcome::not_found);
  EXPECT_EQ(dismiss(*bob, carol->name), Outcome::refused) << "he did not found it";
  EXPECT_EQ(dismiss(*alice, bob->name), Outcome::ok);
  EXPECT_EQ(dismiss(*alice, bob->name), Outcome::not_found) << "twice";
  ASSERT_EQ(alice->node->keepers(kRoom)->size(), 1u);
  EXPECT_EQ(alice->node->keepers(kRoom)->front().address, carol->name);
  EXPECT_EQ(alice->stored<StoredRoom>().back().certificate.epoch, 1u);
}

TEST_F(RoomKeepers, WhoWasDismissedBeginsNothingThatTheOthersComeTo) {
  founded();
  ASSERT_EQ(dismiss(*alice, bob->name), Outcome::ok);
  town.call(*alice, carol->name);  // they meet
  ASSERT_TRUE(until(*carol, CallState::talking));
  ASSERT_EQ(carol->stored<StoredRoom>().back().certificate.epoch, 1u);
  ASSERT_EQ(bob->stored<StoredRoom>().back().certificate.epoch, 0u);
  ASSERT_TRUE(leaves(*carol));
  town.run_for(seconds(3));
  join(*bob);
  ASSERT_TRUE(comes_to({bob})) << "he does not know it";
  town.run_for(seconds(5));
  join(*carol);
  ASSERT_TRUE(comes_to({carol})) << told();
  town.run_for(seconds(5));
  join(*alice);
  ASSERT_TRUE(comes_to({alice, carol})) << told();
  town.run_for(seconds(150));
  EXPECT_TRUE(in_it({alice, carol})) << "nor does he bring them to him later\n" << told();
}

TEST_F(RoomKeepers, WhoForgetsItWhileHeIsInItIsNotMadeAKeeperAgainThere) {
  founded();
  ASSERT_TRUE(come_in_turn()) << told();
  town.tell(*bob, command::RuleConference{kRoom, command::ConferenceRule::forget, {}});
  EXPECT_FALSE(keeps(*bob));
  town.run_for(seconds(60));
  EXPECT_FALSE(keeps(*bob));
  EXPECT_TRUE(in_it({alice, bob})) << "he stays in it\n" << told();
  ASSERT_TRUE(leaves(*bob));
  town.run_for(seconds(3));
  town.tell(*alice, command::InviteToConference{{}, bob->name});
  EXPECT_TRUE(town.run_until([&] { return keeps(*bob); }, seconds(20))) << "called in anew he is";
}

TEST_F(RoomKeepers, InTheConferenceTheOthersAreCertifiedAnewAtOnce) {
  founded();
  for (auto* one : {alice, bob, carol}) {
    join(*one);
    ASSERT_TRUE(town.run_until([&] { return view(*one) && !view(*one)->mixer.empty(); }, seconds(15))) << told();
    town.run_for(seconds(3));
  }
  ASSERT_TRUE(comes_to({alice, bob, carol})) << told();
  ASSERT_EQ(dismiss(*alice, bob->name), Outcome::ok);
  town.run_for(seconds(1));
  EXPECT_EQ(carol->stored<StoredRoom>().back().certificate.epoch, 1u);
  EXPECT_EQ(bob->stored<StoredRoom>().back().certificate.epoch, 0u);
  EXPECT_TRUE(in_it({alice, bob, carol})) << "nobody is put out by it";
  for (auto* one : {alice, carol}) ASSERT_TRUE(leaves(*one));
  town.run_for(seconds(30));
  join(*carol);
  town.run_for(seconds(20));
  EXPECT_TRUE(in_it({carol})) << "who was dismissed is not whom she comes to\n" << told();
}

// Else whoever is called into a conference by a stranger would have his calls to others led there.
TEST_F(RoomKeepers, ARoomThatIsCalledLikeSomebodyElseIsNotKept) {
  alice = &careful("alice");
  auto& mallory = careful("mallory");
  settle();
  command::Confer what;
  what.at = "bob@office.example";
  town.tell(mallory, what);
  ASSERT_TRUE(town.run_until([&] { return view(mallory).has_value(); }, seconds(15)));
  bob = &careful("bob");
  ASSERT_TRUE(town.all_online());
  town.run_for(seconds(3));
  town.tell(mallory, command::InviteToConference{{}, alice->name});
  ASSERT_TRUE(town.run_until([&] { return view(*alice) && view(*alice)->members.size() == 2; }, seconds(15)));
  town.run_for(seconds(20));
  EXPECT_FALSE(keeps(*alice));
  const auto* said = alice->last<event::ConferenceSaid>();
  ASSERT_NE(said, nullptr);
  EXPECT_NE(said->text.find("address of somebody else"), std::string::npos) << said->text;
  ASSERT_TRUE(leaves(*alice));
  town.call(*alice, bob->name);
  ASSERT_TRUE(town.run_until([&] { return result(*alice) == CallResult::identity; }, seconds(15)))
      << "two claim the name: she is led to neither\n"
      << told();
  EXPECT_FALSE(view(*alice));
}

// What they say of themselves is signed by themselves alone, and stores take nothing from them.
TEST_F(RoomKeepers, TwoWhoFalselyClaimToKeepItDoNotHideIt) {
  founded();
  join(*bob);
  ASSERT_TRUE(comes_to({bob})) << told();
  std::vector<Resident*> here{bob};
  for (const std::string name : {"mallory", "malvin"}) {
    auto identity = town.identity(name + "@office.example");
    auto certificate = std::get<conference::Certified>(certified(*bob, 0)).certificate;
    certificate.device = identity.device_key();
    Memory memory;
    memory.rooms.push_back({*crypto::Address::parse(kRoom), certificate, false, {}});
    auto& liar = town.add(std::move(identity), {}, std::move(memory));
    liar.answers = true;
    all.push_back(&liar);
    ASSERT_TRUE(town.all_online());
    ConferenceMeans strong;
    strong.mixes = 1000;
    liar.node->set_conference_means(town.now(), strong);
    town.tell(*bob, command::InviteToConference{{}, liar.name});
    here.push_back(&liar);
    ASSERT_TRUE(comes_to(here)) << told();
    town.run_for(seconds(10));
  }
  ASSERT_NE(view(*bob)->duty, "mixer") << told();
  ASSERT_NE(view(*bob)->duty, "deputy") << told();
  town.run_for(seconds(150));
  join(*carol);
  here.push_back(carol);
  EXPECT_TRUE(comes_to(here, seconds(30))) << told();
}

TEST_F(RoomKeepers, AFounderThatWasRestoredLearnsOfTheEpochThatHeHadBegun) {
  founded();
  ASSERT_EQ(dismiss(*alice, bob->name), Outcome::ok);
  town.call(*alice, carol->name);
  ASSERT_TRUE(until(*carol, CallState::talking));
  ASSERT_TRUE(leaves(*carol));
  auto identity = town.another_device_of(*alice);
  town.kill(*alice);
  town.run_for(seconds(5));
  join(*carol);
  ASSERT_TRUE(comes_to({carol})) << told();
  town.run_for(seconds(5));
  auto& again = town.add(std::move(identity), [](NodeConfig& c) { c.auto_answer = true; });
  all.push_back(&again);
  ASSERT_TRUE(town.all_online());
  found(again, {});
  ASSERT_TRUE(town.run_until([&] { return keeps(again); }, seconds(20))) << told();
  EXPECT_EQ(again.stored<StoredRoom>().back().certificate.epoch, 1u);
}

}  // namespace
}  // namespace linnet::node
