#include <gtest/gtest.h>

#include <algorithm>

#include "conference_hall.h"

namespace linnet::node::conference {
namespace {

struct ConferenceRoom : ::testing::Test {
  Hall hall;
  void gather(std::size_t members) {
    for (std::size_t i = 0; i < members; ++i) hall.add();
    hall.found(0);
    hall.run(milliseconds(300));
    for (std::size_t i = 1; i < members; ++i) hall.invite(0, i);
    hall.run(seconds(4));
  }
};

TEST_F(ConferenceRoom, WhoStartsItMixesAloneAtFirst) {
  gather(1);
  EXPECT_EQ(hall.people[0].room->duty(), Duty::mixer);
  EXPECT_EQ(hall.people[0].room->roster().members.size(), 1u);
}

TEST_F(ConferenceRoom, EverybodyHasTheSameRosterWithinASecondOfAJoin) {
  gather(5);
  const auto late = hall.add();
  hall.invite(0, late);
  hall.run(seconds(1));
  EXPECT_TRUE(hall.agree());
  EXPECT_EQ(hall.people[late].room->roster().members.size(), 6u);
}

// Who comes in by another says what he is good for as soon as the mixer has called him, not when he would again.
TEST_F(ConferenceRoom, WhomAMemberBringsInIsInEveryRosterAsSoonAsTheMixerHasCalledHim) {
  gather(5);
  const auto guest = hall.add();
  hall.invite(2, guest);
  const auto in_all = [&] {
    return std::all_of(hall.people.begin(), hall.people.end(),
                       [&](const auto& p) { return p.room->roster().has(hall.key(guest)); });
  };
  while (!hall.people[guest].room->has_leg(hall.key(0), false)) hall.run(milliseconds(5));
  const auto called = hall.now;
  while (!in_all() && hall.now < called + seconds(2)) hall.run(milliseconds(5));
  EXPECT_LE(hall.now - called, Room::kPublish + 2 * Hall::kWay + milliseconds(25));
}

TEST_F(ConferenceRoom, TheDeputyIsConnectedToAllAheadOfTime) {
  gather(5);
  const auto deputy = hall.index(*hall.people[0].room->deputy());
  ASSERT_TRUE(deputy);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(i == *deputy || hall.people[*deputy].room->has_leg(hall.key(i), true)) << i;
  }
}

TEST_F(ConferenceRoom, OneWhoIsWorthMuchMoreTakesOverWithoutAGap) {
  gather(4);
  const auto strong = hall.add(400);
  hall.invite(0, strong);
  hall.run(seconds(1));
  hall.forget_silence();
  hall.run(seconds(4));
  EXPECT_EQ(hall.mixer(), strong);
  EXPECT_TRUE(hall.agree());
  for (const auto& p : hall.people) EXPECT_LE(p.longest, milliseconds(40));
}

TEST_F(ConferenceRoom, OneWhoIsWorthALittleMoreDoesNot) {
  gather(4);
  hall.invite(0, hall.add(140));
  hall.run(seconds(6));
  EXPECT_EQ(hall.mixer(), 0u);
}

TEST_F(ConferenceRoom, WithEightMembersADeadMixerIsNotMissed) {
  gather(8);
  hall.forget_silence();
  hall.kill(0);
  hall.run(seconds(2));
  for (std::size_t i = 1; i < 8; ++i) {
    const bool leads = hall.people[i].room->duty() == Duty::mixer;
    EXPECT_LE(leads ? Duration{} : hall.people[i].longest, milliseconds(40)) << i;
  }
  EXPECT_TRUE(hall.agree());
  EXPECT_EQ(hall.people[1].room->roster().members.size(), 7u);
  EXPECT_EQ(hall.people[1].room->roster().head.term, 2u);
}

TEST_F(ConferenceRoom, WithSixteenTheDeputyIsHeardWithinAQuarterOfASecond) {
  gather(16);
  hall.forget_silence();
  hall.kill(0);
  hall.run(seconds(2));
  for (std::size_t i = 1; i < 16; ++i) {
    const bool leads = hall.people[i].room->duty() == Duty::mixer;
    EXPECT_LE(leads ? Duration{} : hall.people[i].longest, milliseconds(250)) << i;
  }
  EXPECT_TRUE(hall.agree());
  EXPECT_EQ(hall.people[1].room->roster().members.size(), 15u);
}

TEST_F(ConferenceRoom, MixerAndDeputyTogetherAreFollowedByTheNextInRank) {
  gather(6);
  const auto deputy = *hall.index(*hall.people[0].room->deputy());
  hall.kill(0);
  hall.kill(deputy);
  hall.run(seconds(8));
  EXPECT_TRUE(hall.agree());
  ASSERT_LT(hall.mixer(), hall.people.size());
  EXPECT_TRUE(hall.people[hall.mixer()].alive);
  EXPECT_EQ(hall.people[hall.mixer()].room->roster().members.size(), 4u);
}

TEST_F(ConferenceRoom, ALoneVictimHearsTheDeputyAndNobodyElseIsMoved) {
  gather(6);
  hall.forget_silence();
  const auto deputy = *hall.index(*hall.people[0].room->deputy());
  const std::size_t victim = deputy == 5 ? 4 : 5;
  hall.people[victim].deaf_to_mixer = true;
  hall.run(seconds(3));
  EXPECT_EQ(hall.mixer(), 0u);
  EXPECT_EQ(hall.people[0].room->roster().head.term, 1u);
  EXPECT_LE(hall.people[victim].longest, milliseconds(40));
}

TEST_F(ConferenceRoom, OfTwoMixersAfterAPartitionOneStaysAndEverybodyIsWithIt) {
  for (const std::size_t at : {1, 2, 3, 4, 5}) {
    Hall parted(at);
    for (std::size_t i = 0; i < 6; ++i) parted.add();
    parted.found(0);
    parted.run(milliseconds(300));
    for (std::size_t i = 1; i < 6; ++i) parted.invite(0, i);
    parted.run(seconds(4));
    parted.parted = at;
    parted.run(seconds(15));
    EXPECT_FALSE(parted.agree());
    parted.parted.reset();
    parted.run(seconds(15));
    EXPECT_TRUE(parted.agree()) << at << " of six were cut off";
    EXPECT_EQ(parted.people[0].room->roster().members.size(), 6u) << at;
  }
}

// The mixer of the other half came in after it was parted, so neither of the two knows of the other: a member of both
// does.
TEST_F(ConferenceRoom, OfTwoMixersWhoNeverHeardOfEachOtherOneStaysToo) {
  for (const std::size_t at : {1, 2}) {
    Hall parted(at);
    for (std::size_t i = 0; i < 4; ++i) parted.add();
    parted.found(0);
    parted.run(milliseconds(300));
    for (std::size_t i = 1; i < 4; ++i) parted.invite(0, i);
    parted.run(seconds(4));
    parted.parted = at;
    parted.run(seconds(15));
    const auto strong = parted.add(400);
    parted.invite(3, strong);
    parted.run(seconds(15));
    ASSERT_EQ(parted.people[strong].room->duty(), Duty::mixer) << at;
    ASSERT_EQ(parted.people[0].room->duty(), Duty::mixer) << at;
    parted.parted.reset();
    parted.run(seconds(20));
    EXPECT_TRUE(parted.agree()) << at << " of four were cut off";
    EXPECT_EQ(parted.people[0].room->roster().members.size(), 5u) << at;
    EXPECT_EQ(parted.mixer(), strong) << at;
  }
}

TEST_F(ConferenceRoom, AnyMemberBringsInAnother) {
  gather(4);
  const auto guest = hall.add();
  hall.invite(2, guest);
  hall.run(seconds(3));
  EXPECT_TRUE(hall.agree());
  EXPECT_EQ(hall.people[0].room->roster().members.size(), 5u);
  EXPECT_TRUE(hall.people[guest].room->has_leg(hall.key(0), false)) << "the mixer has no leg to it";
  EXPECT_FALSE(hall.people[2].room->has_leg(hall.key(guest), true)) << "who brought it still has one";
}

TEST_F(ConferenceRoom, NobodyComesIntoALockedOneButByTheFounder) {
  gather(3);
  EXPECT_FALSE(hall.people[1].room->lock(hall.now, true));
  EXPECT_TRUE(hall.people[0].room->lock(hall.now, true));
  hall.run(seconds(1));
  EXPECT_TRUE(hall.people[2].room->roster().head.locked);
  const auto guest = hall.add();
  hall.invite(1, guest);
  hall.run(seconds(3));
  EXPECT_FALSE(hall.people[0].room->roster().has(hall.key(guest)));
}

TEST_F(ConferenceRoom, WhoIsRemovedIsToldAndDoesNotComeBack) {
  gather(4);
  EXPECT_TRUE(hall.people[0].room->remove(hall.now, hall.key(3)));
  hall.run(seconds(1));
  EXPECT_TRUE(hall.people[3].removed);
  hall.people[3].room.reset();
  hall.invite(1, 3);
  hall.run(seconds(3));
  EXPECT_FALSE(hall.people[0].room->roster().has(hall.key(3)));
}

// A word that was lost, or died with whoever mixed, is said again.
TEST_F(ConferenceRoom, WhoRecordsIsSeenByAllAlsoWhenAnotherComesToMix) {
  gather(6);
  const auto seen_by_all = [&](std::size_t who, bool on) {
    for (const auto& p : hall.people)
      if (p.alive && p.room->roster().members.at(hall.key(who)).recording != on) return false;
    return true;
  };
  const auto recorder = (hall.mixer() + 1) % 6;
  EXPECT_TRUE(seen_by_all(recorder, false));
  hall.people[recorder].room->recording(hall.now, true);
  hall.run(seconds(1));
  EXPECT_TRUE(seen_by_all(recorder, true));
  const auto died = hall.mixer();
  hall.kill(died);
  hall.people[recorder].room->recording(hall.now, false);  // told to the dead
  hall.run(seconds(3));
  EXPECT_NE(hall.mixer(), died);
  EXPECT_TRUE(seen_by_all(recorder, false));
  const auto mixes = hall.mixer();
  hall.people[mixes].room->recording(hall.now, true);
  hall.run(seconds(1));
  EXPECT_TRUE(seen_by_all(mixes, true)) << "the mixer itself";
}

// Nobody sees the mark go and come back: it is in the first roster of the new term.
TEST_F(ConferenceRoom, WhoComesToMixGoesOnBeingMarkedAsRecordingAndMuted) {
  gather(6);
  const auto deputy = *hall.index(*hall.people[0].room->deputy());
  hall.people[deputy].room->recording(hall.now, true);
  ASSERT_TRUE(hall.people[0].room->mute(hall.now, hall.key(deputy), true));
  hall.run(seconds(1));
  const std::size_t sees = deputy == 5 ? 4 : 5;
  const auto marked = [&] {
    const auto& member = hall.people[sees].room->roster().members.at(hall.key(deputy));
    return member.recording && member.muted;
  };
  ASSERT_TRUE(marked());
  hall.kill(0);
  for (int i = 0; i < 200; ++i) {
    hall.run(milliseconds(10));
    ASSERT_TRUE(marked()) << i * 10 << " ms after the mixer died";
  }
  EXPECT_EQ(*hall.index(hall.people[sees].room->roster().head.mixer), deputy);
}

TEST_F(ConferenceRoom, AForgedScoreARosterOfAnOutsiderAndOneOfAMemberChangeNothing) {
  gather(4);
  auto& member = hall.people[2];
  const auto room = hall.people[0].room->id();
  Claim high;
  high.room = room;
  high.mixes = 2000;
  high.version = 99;
  high.address = member.identity.address;
  auto forged = sign(hall.suite, member.identity, high);
  forged.claim.mixes = 1999;  // after it was signed
  hall.people[0].room->handle_message(hall.now, hall.wall, hall.key(2), Message(forged));
  EXPECT_EQ(hall.people[0].room->roster().members.at(hall.key(2)).claim.claim.mixes, 100u);

  const auto outsider = hall.add();
  for (const std::size_t who : {outsider, std::size_t{2}}) {
    auto roster = hall.people[0].room->roster();
    roster.head.term = 7;
    roster.head.mixer = hall.key(who);
    auto news = difference(Roster{}, roster);
    news.signature = sign_head(hall.suite, hall.people[who].identity, news.head, news.members_hash);
    hall.people[3].room->handle_message(hall.now, hall.wall, hall.key(who), Message(news));
    EXPECT_EQ(hall.people[3].room->roster().head.term, 1u) << who;
  }
  hall.run(seconds(2));
  EXPECT_FALSE(hall.people[0].strange.empty());
  EXPECT_FALSE(hall.people[3].strange.empty());
}

TEST_F(ConferenceRoom, WhoComesInWhileTheMixerDiesIsInAfterwards) {
  gather(5);
  const auto guest = hall.add();
  hall.invite(2, guest);
  hall.kill(0);
  hall.run(seconds(6));
  EXPECT_TRUE(hall.agree());
  EXPECT_EQ(hall.people[2].room->roster().members.size(), 5u);
  EXPECT_TRUE(hall.people[2].room->roster().has(hall.key(guest)));
}

// People come and die, the room is parted and healed, and messages are lost: half a minute later all who live have one
// mixer and one roster.
TEST_F(ConferenceRoom, WhateverHappensAllWhoLiveAgreeAfterwards) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Hall one(seed);
    for (int i = 0; i < 4; ++i) one.add(50 + static_cast<std::uint32_t>(one.rng.below(300)));
    one.found(0);
    one.run(milliseconds(300));
    for (std::size_t i = 1; i < 4; ++i) one.invite(0, i);
    one.run(seconds(3));
    one.loss = 0.02;
    for (int step = 0; step < 8; ++step) {
      std::vector<std::size_t> alive;
      for (std::size_t i = 0; i < one.people.size(); ++i)
        if (one.people[i].alive && one.people[i].room) alive.push_back(i);
      const auto what = one.rng.below(4);
      const auto who = alive[one.rng.below(alive.size())];
      if (what == 0 && alive.size() > 3) one.kill(who);
      if (what == 1) one.invite(who, one.add(50 + static_cast<std::uint32_t>(one.rng.below(300))));
      if (what == 2) one.parted = one.parted ? std::nullopt : std::optional(one.rng.below(one.people.size()));
      one.run(milliseconds(one.rng.below(4000)));
    }
    one.parted.reset();
    one.loss = 0;
    one.run(seconds(30));
    std::string told;
    for (std::size_t i = 0; i < one.people.size(); ++i) told += one.tell_of(i);
    ASSERT_TRUE(one.agree()) << "seed " << seed << "\n" << told;
  }
}

// Whoever learnt the number of a room is told nothing for it.
TEST_F(ConferenceRoom, AStrangerWhoSendsARosterIsNotAnsweredWithOurs) {
  gather(3);
  const auto stranger = hall.add();
  auto old = hall.people[0].room->roster();
  old.head.version = 1;
  old.head.mixer = hall.key(stranger);
  auto news = difference(Roster{}, old);
  news.signature = sign_head(hall.suite, hall.people[stranger].identity, news.head, news.members_hash);
  hall.people[0].room->handle_message(hall.now, hall.wall, hall.key(stranger), Message(news));
  while (const auto order = hall.people[0].room->poll()) {
    const auto* tell = std::get_if<order::Tell>(&*order);
    EXPECT_FALSE(tell != nullptr && tell->to == hall.key(stranger));
  }
}

TEST_F(ConferenceRoom, TheStrongestOfManyIsElectedEveryTime) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Hall one(seed);
    const std::size_t members = 3 + one.rng.below(6);
    const std::size_t strong = one.rng.below(members);
    for (std::size_t i = 0; i < members; ++i)
      one.add(i == strong ? 400 : 40 + static_cast<std::uint32_t>(one.rng.below(60)));
    one.found(0);
    one.run(milliseconds(300));
    for (std::size_t i = 1; i < members; ++i) {
      one.invite(0, i);
      one.run(milliseconds(one.rng.below(500)));
    }
    one.run(seconds(6));
    ASSERT_EQ(one.mixer(), strong) << "seed " << seed;
    ASSERT_TRUE(one.agree()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace linnet::node::conference
