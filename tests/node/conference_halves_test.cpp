// Conferences under one number that were begun at once or grew apart, as at the address of a room: they become one.
#include "conference_hall.h"

namespace linnet::node::conference {
namespace {

struct ConferenceHalves : ::testing::Test {
  static constexpr RoomId kNumber{7};

  static void begin(Hall& hall, std::size_t who, std::uint64_t term) {
    auto& p = hall.people[who];
    p.room = Room::found(hall.self(p), hall.now, "room@office", hall.claim(p), kNumber, term);
  }
  // What each mixer finds at the address: the other mixers.
  static void look(Hall& hall) {
    for (std::size_t i = 0; i < hall.people.size(); ++i)
      for (std::size_t j = 0; j < hall.people.size(); ++j) {
        auto& p = hall.people[i];
        const auto& other = hall.people[j];
        if (i != j && p.room && other.room && other.room->duty() == Duty::mixer)
          p.room->other_half(hall.now, hall.key(j), other.identity.address);
      }
  }
  // They find each other in `members`, of whom those from `second` on are the second's.
  static std::string become_one(Hall& hall, std::size_t members, std::size_t second, std::uint64_t term,
                                std::uint64_t other_term) {
    while (hall.people.size() < members) hall.add();
    begin(hall, 0, term);
    begin(hall, second, other_term);
    hall.run(milliseconds(300));
    for (std::size_t i = 1; i < members; ++i)
      if (i != second) hall.invite(i < second ? 0 : second, i);
    hall.run(seconds(2));
    for (int round = 0; round < 3; ++round) {
      look(hall);
      hall.run(seconds(20));
    }
    std::string out;
    for (std::size_t i = 0; i < members; ++i)
      if (!hall.agree() || hall.people[i].room->roster().members.size() != members || !hall.hears_all(i))
        out += hall.tell_of(i);
    return out;
  }
};

TEST_F(ConferenceHalves, OfTwoWhoAreAloneOneGoesToTheOther) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Hall hall(seed);
    hall.most_jitter = seed % 2 == 0 ? milliseconds(30) : Duration{};
    const std::uint64_t term = 1'700'000'000;
    const auto apart = become_one(hall, 2, 1, term, seed % 3 == 0 ? term + 2 : term);
    EXPECT_TRUE(apart.empty()) << "seed " << seed << "\n" << apart;
  }
}

TEST_F(ConferenceHalves, WhoIsAloneGoesToThoseWhoAreNotWhateverTheirTerms) {
  for (const std::uint64_t other : {1'600'000'000u, 1'700'000'000u, 1'800'000'000u})
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      Hall hall(seed);
      const auto apart = become_one(hall, 4, 3, 1'700'000'000, other);
      EXPECT_TRUE(apart.empty()) << other << " seed " << seed << "\n" << apart;
    }
}

TEST_F(ConferenceHalves, ThatWereBegunADayApartBecomeOne) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Hall hall(seed);
    const auto apart = become_one(hall, 6, 3, 1'700'000'000, 1'700'086'400);
    EXPECT_TRUE(apart.empty()) << "seed " << seed << "\n" << apart;
  }
}

TEST_F(ConferenceHalves, WhatWasSignedInAnEarlierConferenceIsWorthNothing) {
  Hall hall;
  for (int i = 0; i < 3; ++i) hall.add();
  begin(hall, 0, 1'700'000'000);
  hall.run(milliseconds(300));
  for (const std::size_t i : {1u, 2u}) hall.invite(0, i);
  hall.run(seconds(3));
  auto earlier = hall.people[0].room->roster();
  earlier.head.term = 1'600'000'900;
  earlier.head.version = 99;
  auto news = difference(Roster{}, earlier);
  news.signature = sign_head(hall.suite, hall.people[0].identity, news.head, news.members_hash);
  for (const std::size_t from : {0u, 2u})
    hall.people[1].room->handle_message(hall.now, hall.wall, hall.key(from), news);
  EXPECT_EQ(hall.people[1].room->roster().head.term, 1'700'000'000u);
  hall.run(seconds(2));
  EXPECT_TRUE(hall.agree());
}

// Who keeps the room may be found at its address: that is no right to a term after which there is none.
TEST_F(ConferenceHalves, ATermThatNoClockExplainsIsBelievedOfNobody) {
  Hall hall;
  for (int i = 0; i < 3; ++i) hall.add();
  begin(hall, 0, 1'700'000'000);
  hall.run(milliseconds(300));
  hall.invite(0, 1);
  hall.run(seconds(3));
  auto& mixer = *hall.people[0].room;
  mixer.other_half(hall.now, hall.key(2), hall.people[2].identity.address);
  auto theirs = mixer.roster();
  theirs.head.mixer = hall.key(2);
  auto claim = hall.claim(hall.people[2]);
  claim.room = kNumber;
  claim.address = hall.people[2].identity.address;
  theirs.members[hall.key(2)] = Member{sign(hall.suite, hall.people[2].identity, claim)};
  for (const std::uint64_t term : {~std::uint64_t{0}, std::uint64_t{1} << 33}) {
    theirs.head.term = term;
    auto news = difference(Roster{}, theirs);
    news.signature = sign_head(hall.suite, hall.people[2].identity, news.head, news.members_hash);
    mixer.handle_message(hall.now, hall.wall, hall.key(2), news);
    EXPECT_EQ(mixer.roster().head.mixer, hall.key(0));
    EXPECT_EQ(mixer.roster().head.term, 1'700'000'000u);
  }
}

TEST_F(ConferenceHalves, NobodyWhoWasPutOutIsSoughtAtTheAddress) {
  Hall hall;
  for (int i = 0; i < 3; ++i) hall.add();
  begin(hall, 0, 1'700'000'000);
  hall.run(milliseconds(300));
  for (const std::size_t i : {1u, 2u}) hall.invite(0, i);
  hall.run(seconds(3));
  ASSERT_TRUE(hall.people[0].room->remove(hall.now, hall.key(2)));
  hall.run(seconds(1));
  EXPECT_TRUE(hall.people[0].room->put_out(hall.key(2)));
  begin(hall, 2, 1'700'000'500);
  for (int round = 0; round < 3; ++round) {
    hall.people[0].room->other_half(hall.now, hall.key(2), hall.people[2].identity.address);
    hall.run(seconds(5));
  }
  EXPECT_EQ(hall.people[0].room->roster().members.size(), 2u);
  EXPECT_FALSE(hall.people[1].room->roster().has(hall.key(2)));
}

}  // namespace
}  // namespace linnet::node::conference
