#include "node/conference_conduct.h"

#include "conference_hall.h"

namespace linnet::node {
namespace {

using conference::Claim;
using conference::Hall;
using conference::Message;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

crypto::DeviceKey somebody(std::uint8_t nr) {
  crypto::DeviceKey out{};
  out.bytes[0] = nr;
  return out;
}

TEST(ConferenceConduct, VoiceByTwoWaysInTheShortestFramesIsNothingStrange) {
  ConferenceConduct conduct;
  Time now{};
  for (int i = 0; i < 2000; ++i, now += milliseconds(5)) {
    EXPECT_TRUE(conduct.admits(now, somebody(1)));
    conduct.voice(now, somebody(1), true);
    conduct.voice(now, somebody(1), false);  // the deputy's other leg
  }
  EXPECT_FALSE(conduct.poll());
}

TEST(ConferenceConduct, OfTenTimesAsMuchAQuarterIsLookedAtAndItsSenderNamed) {
  ConferenceConduct conduct;
  Time now{};
  int looked_at = 0;
  for (int i = 0; i < 10'000; ++i, now += milliseconds(1)) {  // ten seconds of 1,000 a second
    if (!conduct.admits(now, somebody(1))) continue;
    ++looked_at;
    conduct.voice(now, somebody(1), true);
  }
  EXPECT_EQ(looked_at, 5 * 500);
  const auto found = conduct.poll();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->who, somebody(1));
  EXPECT_TRUE(conduct.admits(now, somebody(2)));
}

TEST(ConferenceConduct, PacketsOfALegThatHasJustEndedAreNobodysFault) {
  ConferenceConduct conduct;
  for (int i = 0; i < 50; ++i) conduct.foreign(Time{} + milliseconds(20 * i), somebody(1));
  EXPECT_FALSE(conduct.poll());
  for (int i = 0; i < 100; ++i) conduct.foreign(Time{} + seconds(10) + milliseconds(10 * i), somebody(1));
  EXPECT_TRUE(conduct.poll());
}

struct ConferenceBounds : ::testing::Test {
  Hall hall;
  void gather(std::size_t members) {
    for (std::size_t i = 0; i < members; ++i) hall.add();
    hall.found(0);
    hall.run(milliseconds(300));
    for (std::size_t i = 1; i < members; ++i) hall.invite(0, i);
    hall.run(seconds(4));
  }
  std::size_t orders_of(std::size_t who) {
    std::size_t out = 0;
    while (hall.people[who].room->poll()) ++out;
    return out;
  }
  void renew(std::size_t who) { crypto::renew_certificate(hall.suite, hall.people[who].identity, hall.wall); }
};

TEST_F(ConferenceBounds, WhoAsksForTheRosterWithoutEndIsToldItTwentyTimesASecond) {
  gather(3);
  auto& mixer = *hall.people[0].room;
  for (int i = 0; i < 5000; ++i)
    mixer.handle_message(hall.now, hall.wall, hall.key(1), Message(conference::Want{mixer.id()}));
  EXPECT_LE(orders_of(0), conference::Room::kMostCostly + 1);  // and his name
}

TEST_F(ConferenceBounds, OfClaimsWithoutEndTwentyASecondAreVerified) {
  gather(3);
  auto& mixer = *hall.people[0].room;
  Claim claim;
  claim.room = mixer.id();
  claim.address = hall.people[1].identity.address;
  for (std::uint32_t i = 10; i < 200; ++i) {
    claim.version = i;
    const auto word = conference::sign(hall.suite, hall.people[1].identity, claim);
    mixer.handle_message(hall.now, hall.wall, hall.key(1), Message(word));
  }
  const auto version = mixer.roster().members.at(hall.key(1)).claim.claim.version;
  EXPECT_LE(version, 10 + conference::Room::kMostCostly);
}

TEST_F(ConferenceBounds, WhoMixesForASectionBringsInTwoHundredASecondAtTheMost) {
  for (int i = 0; i < 8; ++i) hall.add(4);
  hall.found(0);
  hall.run(milliseconds(300));
  for (std::size_t i = 1; i < 8; ++i) hall.invite(0, i);
  hall.run(seconds(10));
  auto& mixer = *hall.people[hall.mixer()].room;
  ASSERT_FALSE(mixer.roster().head.sections.empty());
  const auto section = mixer.roster().head.sections.front();
  const auto before = mixer.roster().members.size();
  for (std::size_t i = 0; i < 400; ++i) {
    const auto& stranger = hall.people[hall.add()].identity;
    Claim claim;
    claim.room = mixer.id();
    claim.address = stranger.address;
    const conference::Introduce word{conference::sign(hall.suite, stranger, claim)};
    mixer.handle_message(hall.now, hall.wall, section, Message(word));
  }
  EXPECT_GT(mixer.roster().members.size(), before + 20);
  EXPECT_LE(mixer.roster().members.size(), before + conference::Room::kMostRelayed);
}

// Pages lie one after the other in one place, whose owner is whoever sent the last first page.
TEST_F(ConferenceBounds, PagesOfRostersThatNeverEndKeepNobodyFromTheRoster) {
  gather(3);
  auto& room = *hall.people[2].room;
  conference::RosterNews page;
  page.head = room.roster().head;
  page.head.version += 1000;
  page.pages = conference::kMaxPages;
  for (int i = 0; i < 3000; ++i) {
    page.page = static_cast<std::uint8_t>(i % (conference::kMaxPages - 1));
    room.handle_message(hall.now, hall.wall, hall.key(1), Message(page));
  }
  hall.invite(0, hall.add());
  hall.run(seconds(3));
  EXPECT_TRUE(hall.agree());
  EXPECT_EQ(room.roster().members.size(), 4U);
}

// A month: certificates last thirty days and are renewed half-way.
TEST_F(ConferenceBounds, ARoomOlderThanItsCertificatesStillLetsSomebodyIn) {
  gather(4);
  hall.wall_ahead = hours(24 * 20);
  hall.run(seconds(1));
  for (std::size_t i = 0; i < 4; ++i) renew(i);
  hall.run(seconds(2));
  hall.wall_ahead = hours(24 * 40);
  hall.run(seconds(2));
  hall.invite(0, hall.add());
  hall.run(seconds(3));
  EXPECT_TRUE(hall.agree());
  EXPECT_EQ(hall.people[4].room->roster().members.size(), 5U);
  EXPECT_TRUE(hall.people[0].strange.empty());
}

TEST_F(ConferenceBounds, WhoShowsNoNewCertificateIsNamedAndLeftOut) {
  gather(4);
  hall.wall_ahead = hours(24 * 20);
  hall.run(seconds(1));
  for (std::size_t i = 0; i < 3; ++i) renew(i);
  hall.run(seconds(2));
  hall.wall_ahead = hours(24 * 40);
  hall.run(seconds(2));
  EXPECT_FALSE(hall.people[0].strange.empty());
  EXPECT_FALSE(hall.people[0].room->roster().has(hall.key(3)));
  hall.invite(0, hall.add());
  hall.run(seconds(3));
  for (const std::size_t who : {0, 1, 2, 4}) EXPECT_EQ(hall.people[who].room->roster().members.size(), 4U) << who;
}

TEST_F(ConferenceBounds, AMixerWhoseClockIsWrongLeavesNobodyOut) {
  gather(4);
  hall.people[0].room->handle_wall(hall.now, hall.wall + hours(24 * 3650));
  hall.run(seconds(2));
  EXPECT_EQ(hall.people[0].room->roster().members.size(), 4U);
  EXPECT_TRUE(hall.people[0].strange.empty());
}

}  // namespace
}  // namespace linnet::node
