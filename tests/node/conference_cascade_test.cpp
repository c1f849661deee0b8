// Rooms that one member cannot carry: links, legs and words without sound.
#include <gtest/gtest.h>

#include "conference_hall.h"

namespace linnet::node::conference {
namespace {

struct ConferenceCascade : ::testing::Test {
  Hall hall;

  void gather(Hall& in, std::size_t members, std::uint32_t mixes, Duration between = milliseconds(60)) {
    for (std::size_t i = 0; i < members; ++i) in.add(mixes);
    in.found(0);
    in.run(milliseconds(300));
    for (std::size_t i = 1; i < members; ++i) {
      in.invite(in.rng.below(i), i);
      in.run(between);
    }
    in.run(seconds(15));
  }
  std::string told(const Hall& of) const {
    std::string out;
    for (std::size_t i = 0; i < of.people.size(); ++i) out += of.tell_of(i);
    return out;
  }
  static std::size_t in_it(const Hall& of) {
    return static_cast<std::size_t>(std::count_if(of.people.begin(), of.people.end(), [](const auto& p) {
      return p.alive && p.room && !p.removed && p.room->roster().has(p.identity.device_key());
    }));
  }
  // Who mixes for a section, as the mixer says.
  static std::vector<std::size_t> section_mixers(const Hall& of) {
    std::vector<std::size_t> out;
    for (const auto& device : of.people[of.mixer()].room->roster().head.sections)
      if (const auto i = of.index(device)) out.push_back(*i);
    return out;
  }
};

TEST_F(ConferenceCascade, FortyWithMixersOfTwelveAreHeardByFourAndAllHearAll) {
  gather(hall, 40, 12);
  hall.run(seconds(5));
  EXPECT_TRUE(hall.agree());
  EXPECT_EQ(in_it(hall), 40u) << told(hall);
  EXPECT_EQ(hall.people[0].room->roster().members.size(), 40u);
  EXPECT_EQ(section_mixers(hall).size(), 3u);
  EXPECT_TRUE(hall.all_hear_all()) << told(hall);
  for (std::size_t i = 0; i < 40; ++i) {
    std::size_t legs = 0;
    std::string whose;
    for (std::size_t k = 0; k < 40; ++k) {
      if (!hall.people[i].room->has_leg(hall.key(k), true)) continue;
      ++legs;
      whose += " " + std::to_string(k);
    }
    EXPECT_LE(legs, 13u) << i << " has legs to" << whose;
  }
}

TEST_F(ConferenceCascade, AFounderWhoInvitesThemAllHandsThemOn) {
  for (std::size_t i = 0; i < 30; ++i) hall.add(12);
  hall.found(0);
  hall.run(milliseconds(300));
  for (std::size_t i = 1; i < 30; ++i) hall.invite(0, i);
  hall.run(seconds(3));
  hall.forget_silence();
  hall.run(seconds(20));
  EXPECT_TRUE(hall.agree());
  EXPECT_TRUE(hall.all_hear_all()) << told(hall);
  std::size_t legs = 0;
  for (std::size_t k = 0; k < 30; ++k) legs += hall.people[hall.mixer()].room->has_leg(hall.key(k), true) ? 1 : 0;
  EXPECT_LE(legs, 12u);
}

TEST_F(ConferenceCascade, WhenAMixerOfASectionDiesAnotherTakesItsMembers) {
  gather(hall, 40, 12);
  const auto died = section_mixers(hall)[1];
  std::vector<std::size_t> orphans;
  for (std::size_t i = 0; i < 40; ++i)
    if (hall.people[i].room->mixer() == hall.key(died)) orphans.push_back(i);
  ASSERT_GE(orphans.size(), 5u);
  hall.forget_silence();
  hall.kill(died);
  hall.run(seconds(6));
  EXPECT_TRUE(hall.agree());
  EXPECT_TRUE(hall.all_hear_all()) << told(hall);
  EXPECT_EQ(hall.people[hall.mixer()].room->roster().members.size(), 39u);
  for (const auto i : orphans) EXPECT_LE(hall.people[i].longest, milliseconds(2500)) << i;
  for (std::size_t i = 0; i < 40; ++i) {
    const bool orphan = std::find(orphans.begin(), orphans.end(), i) != orphans.end();
    const bool moved = hall.people[i].alive && hall.people[i].room->duty() != Duty::member;
    if (!orphan && !moved && i != died) {
      EXPECT_LE(hall.people[i].longest, milliseconds(100)) << i << " was of another";
    }
  }
}

TEST_F(ConferenceCascade, WhenTheMixerDiesTheDeputyTakesHisSectionAndTheOthersAreNotMoved) {
  gather(hall, 40, 12);
  const auto sections = section_mixers(hall);
  const auto died = hall.mixer();
  hall.forget_silence();
  hall.kill(died);
  hall.run(seconds(6));
  EXPECT_TRUE(hall.agree());
  EXPECT_TRUE(hall.all_hear_all()) << told(hall);
  EXPECT_NE(hall.mixer(), died);
  std::size_t stayed = 0;
  for (const auto i : section_mixers(hall)) stayed += std::find(sections.begin(), sections.end(), i) != sections.end();
  EXPECT_EQ(stayed, 3u);
  for (std::size_t i = 0; i < 40; ++i) {
    if (i == died || hall.people[i].room->mixes()) continue;
    EXPECT_LE(hall.people[i].longest, milliseconds(300)) << i;
  }
}

TEST_F(ConferenceCascade, MixerDeputyAndASectionsMixerTogetherAreFollowed) {
  gather(hall, 40, 12);
  hall.kill(section_mixers(hall)[0]);
  hall.kill(*hall.index(*hall.people[hall.mixer()].room->deputy()));
  hall.kill(hall.mixer());
  hall.run(seconds(40));
  EXPECT_TRUE(hall.agree()) << told(hall);
  EXPECT_TRUE(hall.all_hear_all()) << told(hall);
  EXPECT_EQ(in_it(hall), 37u) << told(hall);
}

// Words of who has no leg to the mixer.
TEST_F(ConferenceCascade, AMemberOfASectionBringsInAnotherMutesHimselfAndIsSeenToRecord) {
  gather(hall, 30, 12);
  std::size_t who = 0;
  while (hall.people[who].room->roster().members.at(hall.key(who)).section == 0) ++who;
  ASSERT_FALSE(hall.people[who].room->has_leg(hall.key(hall.mixer()), false));
  hall.people[who].room->recording(hall.now, true);
  EXPECT_TRUE(hall.people[who].room->mute(hall.now, hall.key(who), true));
  const auto guest = hall.add(12);
  hall.invite(who, guest);
  hall.run(seconds(8));
  const auto& seen = hall.people[hall.mixer()].room->roster();
  EXPECT_TRUE(seen.members.at(hall.key(who)).recording && seen.members.at(hall.key(who)).muted);
  EXPECT_TRUE(seen.has(hall.key(guest)));
  EXPECT_TRUE(hall.agree() && hall.all_hear_all()) << told(hall);
}

TEST_F(ConferenceCascade, WhoIsRemovedFromASectionIsToldAndIsNotInItAnyMore) {
  gather(hall, 30, 12);
  std::size_t who = 1;
  while (hall.people[who].room->roster().members.at(hall.key(who)).section == 0) ++who;
  EXPECT_TRUE(hall.people[0].room->remove(hall.now, hall.key(who)));
  hall.run(seconds(3));
  EXPECT_TRUE(hall.people[who].removed);
  EXPECT_FALSE(hall.people[hall.mixer()].room->roster().has(hall.key(who)));
}

// A section's mixer passes on, and cannot put words into a mouth.
TEST_F(ConferenceCascade, WhatAMemberDidNotSignIsNotHisWord) {
  gather(hall, 30, 12);
  std::size_t who = 1;
  while (hall.people[who].room->roster().members.at(hall.key(who)).section == 0) ++who;
  const auto via = *hall.index(*hall.people[who].room->mixer());
  auto& mixer = hall.people[hall.mixer()];
  Passed passed{mixer.room->id(),
                hall.key(who),
                mixer.room->roster().head.term,
                1000,
                write(Records{mixer.room->id(), true}),
                {}};
  passed.signature = sign_passed(hall.suite, hall.people[via].identity, passed);
  mixer.room->handle_message(hall.now, hall.wall, hall.key(via), Message(passed));
  EXPECT_FALSE(mixer.room->roster().members.at(hall.key(who)).recording);
  passed.signature = sign_passed(hall.suite, hall.people[who].identity, passed);
  mixer.room->handle_message(hall.now, hall.wall, hall.key(via), Message(passed));
  EXPECT_TRUE(mixer.room->roster().members.at(hall.key(who)).recording);
  passed.words = write(Records{mixer.room->id(), false});
  passed.signature = sign_passed(hall.suite, hall.people[who].identity, passed);
  mixer.room->handle_message(hall.now, hall.wall, hall.key(via), Message(passed));
  EXPECT_TRUE(mixer.room->roster().members.at(hall.key(who)).recording) << "the same number twice";
}

TEST_F(ConferenceCascade, ARosterOfManyIsTheSameToAllThoughMostAreToldThin) {
  constexpr std::size_t kMany = kAllWithClaims + 10;
  gather(hall, kMany, 60, milliseconds(20));
  EXPECT_TRUE(hall.agree());
  EXPECT_EQ(in_it(hall), kMany);
  EXPECT_TRUE(hall.all_hear_all()) << told(hall);
}

// People come and die, those who mix for sections too, and words are lost: in the end all agree, and each reaches the
// mixer by one way. With the room's own mixer dying again and again as well it is not always so (decision 039).
TEST_F(ConferenceCascade, WhoeverComesAndDiesEverybodyReachesTheMixerAfterwards) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Hall one(seed);
    gather(one, 12 + one.rng.below(14), 5, milliseconds(40));
    one.loss = 0.02;
    for (int step = 0; step < 10; ++step) {
      std::vector<std::size_t> alive;
      for (std::size_t i = 0; i < one.people.size(); ++i)
        if (one.people[i].alive && one.people[i].room) alive.push_back(i);
      const auto what = one.rng.below(3);
      auto who = alive[one.rng.below(alive.size())];
      const auto sections = section_mixers(one);
      if (who == one.mixer()) who = alive.front() == who ? alive.back() : alive.front();
      if (what == 0 && alive.size() > 8) one.kill(who);
      if (what == 1) one.invite(who, one.add(5 + static_cast<std::uint32_t>(one.rng.below(5))));
      if (what == 2 && alive.size() > 8 && !sections.empty()) one.kill(sections[one.rng.below(sections.size())]);
      one.run(milliseconds(one.rng.below(4000)));
    }
    one.loss = 0;
    one.run(seconds(30));
    ASSERT_TRUE(one.agree()) << "seed " << seed << "\n" << told(one);
    ASSERT_TRUE(one.all_hear_all()) << "seed " << seed << "\n" << told(one);
  }
}

// Wherever the line runs between those who still reach each other.
TEST_F(ConferenceCascade, OfARoomThatWasPartedOneMixerStaysAndEverybodyIsWithIt) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Hall one(seed);
    const auto members = 12 + one.rng.below(14);
    gather(one, members, 6, milliseconds(40));
    one.parted = 1 + one.rng.below(members - 1);
    one.run(seconds(5 + static_cast<int>(one.rng.below(30))));
    one.parted.reset();
    one.run(seconds(60));
    ASSERT_TRUE(one.agree()) << "seed " << seed << "\n" << told(one);
    ASSERT_EQ(in_it(one), members) << "seed " << seed << "\n" << told(one);
    ASSERT_TRUE(one.all_hear_all()) << "seed " << seed << "\n" << told(one);
  }
}

}  // namespace
}  // namespace linnet::node::conference
