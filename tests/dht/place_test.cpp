// Supernodes of one network prefix are one place: it counts once before any counts twice.
#include "dht/place.h"

#include <map>

#include "dht/lookup.h"
#include "dht/routing_table.h"
#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

std::vector<Contact> of_prefix(SeededRng& rng, std::uint32_t prefix, std::uint32_t n) {
  std::vector<Contact> out;
  for (std::uint32_t i = 1; i <= n; ++i) out.push_back(paper_contact(rng, endpoint(prefix + i)));
  return out;
}

// One each of so many prefixes.
std::vector<Contact> of_many(SeededRng& rng, std::uint32_t first, std::uint32_t n) {
  std::vector<Contact> out;
  for (std::uint32_t i = 0; i < n; ++i) out.push_back(paper_contact(rng, endpoint(first + 0x10300U * i + 1)));
  return out;
}

void sort_by_distance(std::vector<Contact>& contacts, const Id& target) {
  std::sort(contacts.begin(), contacts.end(),
            [&](const Contact& a, const Contact& b) { return nearer(target, a.position, b.position); });
}

// A target at the place of this contact.
Id beside(const Contact& contact) {
  Id out = contact.position;
  out.bytes[31] ^= 1;
  return out;
}

TEST(Place, TheNearestOfEachComesFirst) {
  SeededRng rng(1);
  auto all = of_prefix(rng, 0x09010100, 5);
  const auto others = of_many(rng, 0x0b000000, 20);
  all.insert(all.end(), others.begin(), others.end());
  const auto target = beside(all[2]);
  sort_by_distance(all, target);
  const auto by_distance = all;
  EXPECT_EQ(one_of_each_place_first(all, [](const Contact& c) { return lead(c.position); }), 21U);
  EXPECT_EQ(all[0], by_distance[0]);
  EXPECT_EQ(all[1], by_distance[5]) << "the other four of that prefix come after everybody else";
  EXPECT_TRUE(std::equal(all.begin() + 21, all.end(), by_distance.begin() + 1));
}

TEST(Place, WhereAllAreAtOneItIsDistanceAlone) {
  SeededRng rng(2);
  auto all = of_prefix(rng, 0x09010100, 9);
  const auto target = beside(all[4]);
  sort_by_distance(all, target);
  const auto by_distance = all;
  EXPECT_EQ(one_of_each_place_first(all, [](const Contact& c) { return lead(c.position); }), 1U);
  EXPECT_EQ(all, by_distance);
}

TEST(Place, OneIsAmongTheFirstAsIfOneStoodInTheList) {
  SeededRng rng(3);
  std::size_t inside = 0;
  for (int round = 0; round < 3000; ++round) {
    auto all = of_many(rng, 0x0b000000, static_cast<std::uint32_t>(rng.below(12)));
    for (std::uint32_t prefix = 0; prefix < 3; ++prefix) {
      const auto more = of_prefix(rng, 0x09010100 + (prefix << 8), static_cast<std::uint32_t>(rng.below(4)));
      all.insert(all.end(), more.begin(), more.end());
    }
    if (all.empty()) continue;
    const auto self = all[rng.below(all.size())];
    const auto target = round % 2 == 0 ? Id{rng.array<32>()} : beside(all[rng.below(all.size())]);
    const auto n = 1 + rng.below(8);
    const auto lead_of = [](const Contact& c) { return lead(c.position); };
    sort_by_distance(all, target);
    auto with = all;
    one_of_each_place_first(with, lead_of);
    const auto rank = static_cast<std::size_t>(std::find(with.begin(), with.end(), self) - with.begin());
    std::erase(all, self);
    one_of_each_place_first(all, lead_of);
    const auto among =
        among_first(target, self.position, n, all.size(), [&](std::size_t i) -> const Id& { return all[i].position; });
    ASSERT_EQ(among, rank < n) << round;
    inside += among ? 1 : 0;
  }
  EXPECT_GT(inside, 600U);
  EXPECT_LT(inside, 2400U);
}

// Two of a prefix stand in a bucket: here they are of 40 prefixes, in two of them each time.
TEST(Place, ATableNamesOneOfEachAndKnowsItsOwnRankAmongThem) {
  SeededRng rng(4);
  const auto self = paper_contact(rng, endpoint(0x08080101));
  RoutingTable table(self, 16, 1000, 3);
  std::vector<Contact> all;
  for (std::uint32_t prefix = 0; prefix < 40; ++prefix) {
    for (const auto& c : of_prefix(rng, 0x09000000 + 0x10300U * prefix, 2)) {
      if (table.answered(Time{}, c, std::nullopt)) all.push_back(c);
    }
  }
  for (const auto& c : of_prefix(rng, 0x08080100, 4)) {  // at our own place
    if (c.endpoint != self.endpoint && table.answered(Time{}, c, std::nullopt)) all.push_back(c);
  }
  ASSERT_TRUE(table.sane());
  ASSERT_GE(table.crowded(), 20U);
  for (int round = 0; round < 500; ++round) {
    const auto target =
        round % 2 == 0 ? Id{rng.array<32>()} : beside(round % 4 == 1 ? self : all[rng.below(all.size())]);
    const auto n = 1 + rng.below(14);
    auto expected = all;
    sort_by_distance(expected, target);
    one_of_each_place_first(expected, [](const Contact& c) { return lead(c.position); });
    const auto near = table.nearest(target, n);
    ASSERT_EQ(near.size(), n);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(table.book().at(near[i]).contact, expected[i]) << round;
    auto with = all;
    with.push_back(self);
    sort_by_distance(with, target);
    one_of_each_place_first(with, [](const Contact& c) { return lead(c.position); });
    const auto rank = static_cast<std::size_t>(std::find(with.begin(), with.end(), self) - with.begin());
    ASSERT_EQ(table.self_among_nearest(target, n), rank < n) << round;
  }
  for (const auto& c : all) {  // five failures each: they go
    for (int i = 0; i < 5; ++i) table.failed(c);
    ASSERT_TRUE(table.sane());
  }
  EXPECT_EQ(table.crowded(), 0U);
}

TEST(Place, ManyOfOnePrefixDoNotMakeANetworkLookLarge) {
  SeededRng rng(5);
  RoutingTable table(paper_contact(rng, endpoint(0x08080101)), 16, 1000, 3);
  for (const auto& c : of_prefix(rng, 0x08080100, 30)) table.answered(Time{}, c, std::nullopt);
  EXPECT_LE(table.estimated_network_size(), 31);
  EXPECT_GE(table.estimated_network_size(), 3);
}

struct Crowded : testing::Test {
  // Everybody answers and names what `names` says.
  template <class Names>
  std::map<std::uint32_t, int> walk(Lookup& lookup, Names names) {
    std::map<std::uint32_t, int> asked;  // by /24
    for (;;) {
      const auto step = lookup.next(Time{});
      const auto* ask = std::get_if<Lookup::Ask>(&step);
      if (!ask) break;
      const auto& ip = ask->contact->endpoint.ip.bytes;
      ++asked[static_cast<std::uint32_t>(ip[12] << 16 | ip[13] << 8 | ip[14])];
      const auto named = names(*ask->contact);
      lookup.on_answer(ask->slot, named);
    }
    return asked;
  }
  SeededRng rng{6};
  std::vector<Contact> honest = of_many(rng, 0x0b000000, 30);
};

TEST_F(Crowded, AWalkAsksOneOfAPlaceThoughManyOfItAreNearest) {
  const auto crowd = of_prefix(rng, 0x09010100, 40);
  const auto target = beside(crowd[0]);
  std::vector<Contact> seeds = honest;
  seeds.insert(seeds.end(), crowd.begin(), crowd.begin() + 3);
  sort_by_distance(seeds, target);
  Lookup lookup({target, 1, 4, 6}, {}, seeds);
  const auto asked = walk(lookup, [&](const Contact& c) {
    return c.endpoint.ip.bytes[12] == 9 ? crowd : std::vector<Contact>();  // he names his own
  });
  EXPECT_LE(asked.at(0x090101), static_cast<int>(Lookup::kMaxAtOnePlace));
  const auto near = lookup.nearest(6);
  ASSERT_EQ(near.size(), 6U);
  sort_by_distance(honest, target);
  for (std::size_t i = 1; i < 6; ++i) EXPECT_EQ(near[i], honest[i - 1]);
}

TEST_F(Crowded, WhereNobodyElseIsKnownAWalkAsksTheOthersOfAPlaceToo) {
  const auto all = of_prefix(rng, 0x09010100, 40);
  Lookup lookup({beside(all[0]), 1, 4, 6}, {}, std::vector<Contact>{all[7]});
  const auto asked = walk(lookup, [&](const Contact&) { return all; });
  EXPECT_GE(asked.at(0x090101), 6);
  EXPECT_EQ(lookup.nearest(6).size(), 6U);
}

TEST_F(Crowded, ManyThatAreNamedDoNotPushOutWhoStandsElsewhere) {
  std::vector<Contact> crowd;
  for (std::uint32_t i = 0; i < 15; ++i) {
    const auto more = of_prefix(rng, 0x09010100 + 0x10300U * i, 20);
    crowd.insert(crowd.end(), more.begin(), more.end());
  }
  const auto target = beside(crowd[0]);
  sort_by_distance(crowd, target);
  sort_by_distance(honest, target);
  const std::vector<Contact> seeds{honest[0], honest[1], honest[2], honest[3], crowd[0]};
  Lookup lookup({target, 1, 4, 20}, {}, seeds);
  const auto asked = walk(lookup, [&](const Contact& c) { return c == crowd[0] ? crowd : std::vector<Contact>(); });
  EXPECT_EQ(asked.size(), 19U) << "fifteen places of his and the four";
}

TEST_F(Crowded, WithinTheReachAllPlacesAreAskedHoweverManyThereAre) {
  const auto target = honest[0].position;
  sort_by_distance(honest, target);
  Lookup lookup({target, 1, 4, 3}, {}, honest);
  lookup.widen(3, lead(honest[12].position) ^ lead(target));
  walk(lookup, [](const Contact&) { return std::vector<Contact>(); });
  EXPECT_EQ(lookup.asked(), 12U);
}

}  // namespace
}  // namespace linnet::dht::test
