#include "dht/routing_table.h"

#include <algorithm>

#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

Contact at(SeededRng& rng, std::uint32_t host) { return paper_contact(rng, endpoint(host)); }
Contact somewhere(SeededRng& rng) {
  return at(rng, 0x0a000000U | (rng.u32() & 0xffffffU));
}  // private: no rule of prefixes

TEST(RoutingTable, NearestAgreesWithAFullScan) {
  SeededRng rng(1);
  const auto self = somewhere(rng);
  RoutingTable table(self, 16, 4000);
  for (int i = 0; i < 3000; ++i) table.answered(Time{}, somewhere(rng), std::nullopt);
  ASSERT_TRUE(table.sane());
  std::vector<Contact> live;
  for (std::size_t i = 0; i < table.book().size(); ++i) {
    const auto& entry = table.book().at(table.book().nth(i));
    if (entry.live) live.push_back(entry.contact);
  }
  EXPECT_EQ(live.size(), table.size());
  for (int round = 0; round < 200; ++round) {
    const Id target = round % 4 == 0 ? self.position : Id{rng.array<32>()};
    std::sort(live.begin(), live.end(),
              [&](const Contact& a, const Contact& b) { return nearer(target, a.position, b.position); });
    const auto near = table.nearest(target, 20);
    ASSERT_EQ(near.size(), 20U);
    for (std::size_t i = 0; i < near.size(); ++i) EXPECT_EQ(table.book().at(near[i]).contact, live[i]);
  }
}

// A contact that died is waited for as long as its answer might still come: with one round trip known, RFC 6298 would
// say three of them.
TEST(RoutingTable, AContactHeardOnceVariesByWhatOthersDo) {
  SeededRng rng(7);
  RoutingTable table(somewhere(rng), 16, 1000);
  const auto timeout_of_a_newcomer = [&] {
    const auto newcomer = somewhere(rng);
    table.answered(Time{}, newcomer, std::chrono::milliseconds(100));
    return millis(table.book().find(newcomer.device)->rtt.timeout());
  };
  EXPECT_NEAR(timeout_of_a_newcomer(), 300, 1) << "nobody was measured twice";
  std::vector<Contact> others;
  for (int i = 0; i < 10; ++i) others.push_back(somewhere(rng));
  for (int n = 0; n < 200; ++n) {
    const auto off = std::chrono::milliseconds(n / 10 % 2 == 0 ? 4 : -4);
    table.answered(Time{}, others[static_cast<std::size_t>(n % 10)], std::chrono::milliseconds(80) + off);
  }
  EXPECT_LT(timeout_of_a_newcomer(), 150);
  EXPECT_GT(timeout_of_a_newcomer(), 120);
}

// Karn: such an answer tells no round trip. Were nothing done, one that became slow would be asked twice for ever.
TEST(RoutingTable, WhoAnswersOnlyWhenAskedTwiceIsGivenMoreTime) {
  SeededRng rng(8);
  RoutingTable table(somewhere(rng), 16, 1000);
  const auto slow = somewhere(rng);
  for (int n = 0; n < 40; ++n) table.answered(Time{}, slow, std::chrono::milliseconds(100));
  const auto timeout = [&] { return millis(table.book().find(slow.device)->rtt.timeout()); };
  EXPECT_NEAR(timeout(), 100, 1);
  for (int n = 0; n < 6; ++n) table.answered(Time{}, slow, std::nullopt);
  EXPECT_GE(timeout(), 400);
  for (int n = 0; n < 100; ++n) table.answered(Time{}, slow, std::nullopt);
  EXPECT_LE(timeout(), 500) << "and not for ever";
}

TEST(RoutingTable, KnowsWhetherItIsAmongTheNearestWithoutLookingAtAnybody) {
  SeededRng rng(31);
  const auto self = somewhere(rng);
  RoutingTable table(self, 8, 1000);
  std::vector<Contact> known;
  for (int i = 0; i < 300; ++i) {
    known.push_back(somewhere(rng));
    table.answered(Time{}, known.back(), std::nullopt);
  }
  std::size_t inside = 0;
  for (int round = 0; round < 4000; ++round) {
    const auto before = table.generation();
    if (round % 8 == 0) table.failed(known[rng.below(known.size())]);
    if (round % 8 == 1) table.answered(Time{}, known[rng.below(known.size())], std::nullopt);
    Id target{rng.array<32>()};
    const auto shared = rng.below(12);  // many targets near ourselves, where it is not clear
    for (std::size_t i = 0; i < shared; ++i) {
      const auto mask = static_cast<std::uint8_t>(0x80 >> (i % 8));
      target.bytes[i / 8] =
          static_cast<std::uint8_t>((target.bytes[i / 8] & ~mask) | (self.position.bytes[i / 8] & mask));
    }
    std::size_t nearer_ones = 0;
    std::size_t good = 0;
    for (std::size_t i = 0; i < table.book().size(); ++i) {
      const auto& entry = table.book().at(table.book().nth(i));
      if (!entry.live || entry.failures >= RoutingTable::kBad) continue;
      ++good;
      nearer_ones += nearer(target, entry.contact.position, self.position) ? 1 : 0;
    }
    ASSERT_EQ(table.nearer_than_self(target), nearer_ones) << round;
    const auto near = table.nearest(target, 12);
    const bool among = near.size() < 12 || nearer(target, self.position, table.book().at(near.back()).contact.position);
    ASSERT_EQ(table.self_among_nearest(target, 12), among) << round;
    inside += among ? 1 : 0;
    if (table.generation() == before) continue;
    ASSERT_TRUE(table.sane());
    ASSERT_EQ(good, table.size());
  }
  EXPECT_GT(inside, 400U);
  EXPECT_LT(inside, 3600U);
}

TEST(RoutingTable, WhoMovesPlacesEverybodyAnewAndForgetsNobodyForWhomThereIsRoom) {
  SeededRng rng(32);
  auto self = somewhere(rng);
  RoutingTable table(self, 16, 1000);
  for (int i = 0; i < 60; ++i) table.answered(Time{}, somewhere(rng), std::nullopt);
  const auto before = table.book().size();
  self.position = Id{rng.array<32>()};
  table.move_to(self);
  ASSERT_TRUE(table.sane());
  EXPECT_GE(table.book().size() + 12, before);
  const auto near = table.nearest(self.position, 8);
  ASSERT_EQ(near.size(), 8U);
  std::size_t nearer_ones = 0;
  for (std::size_t i = 0; i < table.book().size(); ++i) {
    const auto& entry = table.book().at(table.book().nth(i));
    if (entry.live && nearer(self.position, entry.contact.position, table.book().at(near[7]).contact.position))
      ++nearer_ones;
  }
  EXPECT_EQ(nearer_ones, 7U);
}

TEST(RoutingTable, OldLiveContactsKeepTheirPlaceAndCandidatesWait) {
  SeededRng rng(2);
  const auto self = somewhere(rng);
  RoutingTable table(self, 2, 100);
  std::vector<Contact> far;  // all in the other half of the key space: one bucket
  while (far.size() < 8) {
    const auto c = somewhere(rng);
    if (common_prefix(self.position, c.position) == 0) far.push_back(c);
  }
  for (const auto& c : far) table.answered(Time{}, c, std::nullopt);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.book().size(), 2U + RoutingTable::kCandidates);
  EXPECT_TRUE(table.book().find(far[0].device)->live);
  table.failed(far[0]);
  EXPECT_TRUE(table.book().find(far[0].device)->live);  // one failure is no death
  table.failed(far[0]);
  EXPECT_EQ(table.book().find(far[0].device), nullptr);  // a candidate has its place
  EXPECT_EQ(table.size(), 2U);
  EXPECT_TRUE(table.sane());
}

TEST(RoutingTable, WithoutACandidateAFailingContactStaysButIsNotNamed) {
  SeededRng rng(3);
  RoutingTable table(somewhere(rng), 16, 100);
  const auto c = somewhere(rng);
  table.answered(Time{}, c, std::nullopt);
  table.failed(c);
  table.failed(c);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_TRUE(table.nearest(c.position, 5).empty());
  EXPECT_NE(table.book().find(c.device), nullptr);
  table.answered(Time{}, c, std::nullopt);  // our own network was away for a while
  EXPECT_EQ(table.size(), 1U);
  for (int i = 0; i < 5; ++i) table.failed(c);
  EXPECT_EQ(table.book().find(c.device), nullptr);
}

TEST(RoutingTable, TwoOfAPrefixInABucketAndTenInTheTable) {
  SeededRng rng(4);
  RoutingTable table(at(rng, 0x08080101), 16, 4000);
  for (std::uint32_t i = 0; i < 5000; ++i) table.answered(Time{}, at(rng, 0x09010100U + i % 250), std::nullopt);
  EXPECT_TRUE(table.sane());
  EXPECT_LE(table.size(), RoutingTable::kPerPrefixInTable);
  EXPECT_GE(table.size(), 2U);
  const auto before = table.size();
  EXPECT_TRUE(table.answered(Time{}, at(rng, 0x0b010101), std::nullopt));  // another prefix is welcome
  EXPECT_EQ(table.size(), before + 1);
}

TEST(RoutingTable, WithoutChoiceTheWaitingOnesOfAPrefixAreUsed) {
  SeededRng rng(5);
  RoutingTable table(at(rng, 0x08080101), 16, 4000);
  std::size_t known = 0;
  for (std::uint32_t i = 0; i < 6; ++i) {
    table.answered(Time{}, at(rng, 0x08080110U + i), std::nullopt);
    known = table.book().size();
  }
  EXPECT_LE(table.size(), known);
  EXPECT_EQ(table.nearest(Id{}, 20).size(), known);
}

TEST(RoutingTable, AnotherEndpointOfALiveKeyDoesNotReplaceIt) {
  SeededRng rng(6);
  RoutingTable table(somewhere(rng), 16, 100);
  const auto c = somewhere(rng);
  auto moved = c;
  moved.endpoint.port = 9;
  table.answered(Time{}, c, std::nullopt);
  EXPECT_FALSE(table.answered(Time{}, moved, std::nullopt));
  EXPECT_EQ(table.book().find(c.device)->contact.endpoint, c.endpoint);
  table.failed(c);
  EXPECT_TRUE(table.answered(Time{}, moved, std::nullopt));
  EXPECT_EQ(table.book().find(c.device)->contact.endpoint, moved.endpoint);
  EXPECT_TRUE(table.sane());
}

TEST(RoutingTable, RandomPlacesOfABucketLieInIt) {
  SeededRng rng(7);
  const auto self = somewhere(rng);
  const RoutingTable table(self, 16, 100);
  for (std::size_t bucket : {0U, 1U, 7U, 8U, 63U, 255U}) {
    for (int i = 0; i < 20; ++i)
      EXPECT_EQ(common_prefix(self.position, table.random_in(bucket, rng)), static_cast<int>(bucket));
  }
}

TEST(RoutingTable, KeepsItsRulesUnderRandomAnswersAndFailures) {
  SeededRng rng(8);
  RoutingTable table(at(rng, 0x08080101), 4, 60);
  std::vector<Contact> met;
  for (int i = 0; i < 20'000; ++i) {
    if (met.empty() || rng.below(3) == 0) met.push_back(at(rng, 0x09000000U | (rng.u32() & 0x0f0fffU)));
    const auto& c = met[rng.below(met.size())];
    rng.below(2) == 0 ? (void)table.answered(Time{}, c, std::chrono::milliseconds(rng.below(100))) : table.failed(c);
    if (i % 50 == 0) {
      ASSERT_TRUE(table.sane()) << i;
    }
    ASSERT_LE(table.book().size(), 60U);
  }
}

TEST(RttEstimate, FollowsTheMeanAndItsVariation) {
  RttEstimate rtt;
  EXPECT_FALSE(rtt.measured());
  for (int i = 0; i < 100; ++i) rtt.add(std::chrono::milliseconds(80));
  EXPECT_NEAR(millis(rtt.timeout()), 80, 5);
  for (int i = 0; i < 100; ++i) rtt.add(std::chrono::milliseconds(i % 2 == 0 ? 60 : 100));
  EXPECT_NEAR(millis(rtt.timeout()), 160, 25);
}

}  // namespace
}  // namespace linnet::dht::test
