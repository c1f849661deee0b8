#include "overlay/host_cache.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/suite.h"
#include "tests/base/damage.h"
#include "tests/overlay/hosts.h"

namespace linnet::overlay {
namespace {

using std::chrono::milliseconds;
using test::host;
using test::lan_host;

const IpAddress kTeller = IpAddress::v4(192, 168, 7, 7);

HostCache keyed(std::uint64_t seed = 1) {
  SeededRng rng(seed);
  HostCache cache;
  cache.key(rng.array<16>());
  return cache;
}
void meet(HostCache& cache, const dht::Contact& contact, Wall at = Wall{1000}) {
  cache.succeeded(contact, Way::udp, at, milliseconds(12));
}
const CachedHost* find(const HostCache& cache, const dht::Contact& contact) {
  for (const auto& h : cache.hosts()) {
    if (h.contact == contact) return &h;
  }
  return nullptr;
}
bool in(const HostCache& cache, const dht::Contact& contact, HostTable table) {
  const auto* there = find(cache, contact);
  return there != nullptr && there->table == table;
}
std::size_t count(const HostCache& cache, HostTable table) {
  return static_cast<std::size_t>(
      std::count_if(cache.hosts().begin(), cache.hosts().end(), [&](const CachedHost& h) { return h.table == table; }));
}

TEST(HostCache, SurvivesSavingAndLoading) {
  auto cache = keyed();
  cache.heard_of(lan_host(1), kTeller);
  meet(cache, lan_host(2));
  cache.serves(lan_host(2), Wall{2000});
  cache.failed(lan_host(2).endpoint);
  const auto loaded = HostCache::load(cache.save());
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->keyed());
  ASSERT_EQ(loaded->size(), 2U);
  const auto* met = find(*loaded, lan_host(2));
  ASSERT_NE(met, nullptr);
  EXPECT_EQ(met->contact.position, lan_host(2).position);
  EXPECT_EQ(met->last_success, Wall{1000});
  EXPECT_EQ(met->served, Wall{2000});
  EXPECT_EQ(met->rtt_us, 12'000U);
  EXPECT_EQ(met->failures, 1U);
  EXPECT_EQ(met->table, HostTable::tried);
  EXPECT_TRUE(in(*loaded, lan_host(1), HostTable::fresh));
  EXPECT_EQ(loaded->save(), cache.save());
}

// As the versions before wrote it: no secret, no buckets, a flag.
TEST(HostCache, ReadsTheFlatListOfBefore) {
  for (const std::uint32_t magic : {0x4c484331U, 0x4c484332U}) {
    Writer file;
    file.u32(magic).u16(2);
    for (std::uint8_t tried : {0, 1}) {
      dht::write(file, lan_host(tried));
      file.u64(tried == 1 ? 1000 : 0).u32(12'000).u32(0).u8(tried);
      if (magic == 0x4c484332U) file.u64(0).u64(tried == 1 ? 1000 : 0).zeros(8 * (kWays - 2));
    }
    file.bytes(ByteView(crypto::hash256({file.written()})).first(8));
    auto loaded = HostCache::load(file.written());
    ASSERT_TRUE(loaded);
    EXPECT_FALSE(loaded->keyed());
    loaded->key(SeededRng(1).array<16>());
    EXPECT_TRUE(in(*loaded, lan_host(0), HostTable::fresh));
    EXPECT_TRUE(in(*loaded, lan_host(1), HostTable::tried));
    EXPECT_EQ(loaded->latest_way(), magic == 0x4c484332U ? std::optional(Way::tcp) : std::nullopt);
  }
}

TEST(HostCache, RefusesEveryTruncationAndEveryFlippedBit) {
  auto cache = keyed();
  cache.heard_of(lan_host(1), kTeller);
  meet(cache, lan_host(2));
  const auto whole = cache.save();
  damage::each_truncation(whole, [](ByteView cut) { EXPECT_FALSE(HostCache::load(cut)) << cut.size(); });
  damage::each_flipped_bit(whole,
                           [](ByteView flipped, std::size_t bit) { EXPECT_FALSE(HostCache::load(flipped)) << bit; });
}

TEST(HostCache, RefusesAHostInAPlaceThatIsNotItsOwn) {
  auto cache = keyed();
  meet(cache, host(1, IpAddress::v4(8, 8, 8, 8)));
  const auto file = cache.save();
  for (int slot = 0; slot < 256; ++slot) {
    Bytes other(file.begin(), file.end() - 8);
    auto& place = other[other.size() - 8 * kWays - 8 - 1];
    const bool same = place / HostCache::kSlots == static_cast<std::size_t>(slot) / HostCache::kSlots;
    place = static_cast<std::uint8_t>(slot);
    append(other, ByteView(crypto::hash256({other})).first(8));
    EXPECT_EQ(HostCache::load(other).has_value(), same) << slot;
  }
}

TEST(HostCache, NeverHoldsMoreThanItsCapacity) {
  auto cache = keyed();
  for (std::uint32_t i = 0; i < 3000; ++i) {
    cache.heard_of(lan_host(i), IpAddress::v4(i));
    meet(cache, lan_host(5000 + i));
    ASSERT_LE(cache.size(), HostCache::kCapacity);
  }
  EXPECT_EQ(count(cache, HostTable::tried), HostCache::kSlots * HostCache::kTriedBuckets);
  EXPECT_EQ(count(cache, HostTable::fresh), HostCache::kSlots * HostCache::kFreshBuckets);
  EXPECT_EQ(count(cache, HostTable::waiting), HostCache::kWaiting);
}

TEST(HostCache, GivesOnePrefixTwoBucketsOfThoseThatAnswered) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto four = keyed(seed), six = keyed(seed);
    for (std::uint32_t i = 0; i < 1000; ++i) {
      meet(four, host(i, IpAddress::v4(0x08080000U + 41 * i)));
      meet(six, host(i, *IpAddress::parse("2001:db9:" + std::to_string(i) + "::1")));
    }
    for (const auto* cache : {&four, &six}) {
      EXPECT_LE(count(*cache, HostTable::tried), HostCache::kTriedOfGroup * HostCache::kSlots);
      EXPECT_LE(count(*cache, HostTable::waiting), HostCache::kTriedOfGroup);
    }
  }
}

TEST(HostCache, GivesOneInformantFourBucketsAndOnePrefixOneOfThem) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto one = keyed(seed), prefix = keyed(seed);
    for (std::uint32_t i = 0; i < 1000; ++i) {
      one.heard_of(host(i, IpAddress::v4(0x20000000U + (i << 16))), IpAddress::v4(9, 9, 9, i % 251));
      prefix.heard_of(host(i, IpAddress::v4(0x08080000U + i)), IpAddress::v4(9, 9, 9, 9));
    }
    EXPECT_LE(one.size(), HostCache::kFreshOfInformant * HostCache::kSlots);
    EXPECT_LE(prefix.size(), HostCache::kSlots);
  }
}

TEST(HostCache, TellsAddressesOfALanApartByThemselves) {
  auto cache = keyed();
  for (std::uint32_t i = 0; i < 60; ++i) meet(cache, lan_host(i));
  EXPECT_GT(count(cache, HostTable::tried), 40U);
  auto loopback = keyed();
  for (std::uint32_t i = 0; i < 60; ++i) meet(loopback, host(i, IpAddress::v4(127, 0, 0, 1)));
  EXPECT_GT(count(loopback, HostTable::tried), 40U);
}

TEST(HostCache, PutsAnAddressElsewhereWithAnotherSecret) {
  std::set<int> slots;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    auto cache = keyed(seed);
    meet(cache, host(1, IpAddress::v4(8, 8, 8, 8)));
    slots.insert(cache.hosts()[0].slot);
  }
  EXPECT_GT(slots.size(), 10U);
}

TEST(HostCache, GivesNoPlaceOfOneThatAnsweredToOneItHeardOf) {
  auto cache = keyed();
  for (std::uint32_t i = 0; i < 200; ++i) meet(cache, lan_host(i));
  const auto before = count(cache, HostTable::tried);
  for (std::uint32_t i = 0; i < 5000; ++i) cache.heard_of(lan_host(10'000 + i), IpAddress::v4(i));
  EXPECT_EQ(count(cache, HostTable::tried), before);
  for (const auto& h : cache.hosts()) {
    EXPECT_TRUE(h.table == HostTable::fresh || h.last_success != Wall{});
  }
}

// One bucket of a prefix, full, and one more of it that answered.
struct Contested {
  HostCache cache = keyed();
  std::vector<dht::Contact> incumbents;
  dht::Contact rival;

  Contested() {
    for (std::uint32_t i = 0; count(cache, HostTable::waiting) == 0; ++i) {
      rival = host(i, IpAddress::v4(0x08080000U + i));
      meet(cache, rival);
      incumbents.push_back(rival);
    }
    incumbents.pop_back();
  }
  // The one to give way is the only one that is to be tested.
  dht::Contact tested() {
    SeededRng rng(1);
    return *cache.to_test(rng);
  }
};

TEST(HostCache, TestsOneThatAnsweredBeforeAnotherTakesItsPlace) {
  Contested c;
  const auto tested = c.tested();
  EXPECT_NE(std::find(c.incumbents.begin(), c.incumbents.end(), tested), c.incumbents.end());
  meet(c.cache, tested);
  for (const auto& i : c.incumbents) EXPECT_TRUE(in(c.cache, i, HostTable::tried));
  EXPECT_TRUE(in(c.cache, c.rival, HostTable::fresh));
}

TEST(HostCache, ReplacesTheOneThatDoesNotAnswerItsTests) {
  Contested c;
  const auto tested = c.tested();
  c.cache.failed(tested.endpoint);
  EXPECT_TRUE(in(c.cache, tested, HostTable::tried)) << "once may be chance";
  c.cache.failed(tested.endpoint);
  EXPECT_EQ(find(c.cache, tested), nullptr);
  EXPECT_TRUE(in(c.cache, c.rival, HostTable::tried));
  EXPECT_EQ(count(c.cache, HostTable::waiting), 0U);
}

TEST(HostCache, KeepsWhoWaitsAcrossARestart) {
  Contested c;
  auto loaded = HostCache::load(c.cache.save());
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(in(*loaded, c.rival, HostTable::waiting));
  for (int i = 0; i < 2; ++i) loaded->failed(c.tested().endpoint);
  EXPECT_TRUE(in(*loaded, c.rival, HostTable::tried));
}

TEST(HostCache, FollowsASupernodeToAnotherAddress) {
  auto cache = keyed();
  meet(cache, host(1, IpAddress::v4(8, 8, 8, 8)));
  auto moved = host(1, IpAddress::v4(9, 9, 9, 9));
  meet(cache, moved);
  ASSERT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.hosts()[0].contact, moved);
  auto other_keys = host(2, IpAddress::v4(9, 9, 9, 9));
  other_keys.endpoint = moved.endpoint;
  meet(cache, other_keys);
  ASSERT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.hosts()[0].contact, other_keys);
}

TEST(HostCache, ForgetsAHostThatNeverAnswered) {
  auto cache = keyed();
  cache.heard_of(lan_host(1), kTeller);
  for (int i = 0; i < 3; ++i) cache.failed(lan_host(1).endpoint);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(HostCache, OffersThoseThatServedUsLastThenOthersOfOtherPrefixesAndOneItHeardOf) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto cache = keyed(seed);
    for (std::uint32_t i = 0; i < 20; ++i) meet(cache, host(i, IpAddress::v4(0x20000001U + (i << 16))), Wall{1000 + i});
    for (std::uint32_t i = 100; i < 130; ++i) cache.heard_of(host(i, IpAddress::v4(0x20000000U + (i << 16))), kTeller);
    std::vector<dht::Contact> homes;
    for (const auto& h : cache.hosts()) {
      if (h.proven() && homes.size() < 2) homes.push_back(h.contact);
    }
    for (const auto& home : homes) cache.serves(home, Wall{900});  // whatever answered since
    SeededRng rng(seed);
    const auto chosen = cache.candidates(8, rng);
    ASSERT_EQ(chosen.size(), 8U);
    std::set<HostCache::Group> groups;
    for (const auto& h : chosen) groups.insert(HostCache::group_of(h.contact.endpoint));
    EXPECT_EQ(groups.size(), 8U);
    EXPECT_EQ(std::count_if(chosen.begin(), chosen.end(), [](const auto& h) { return !h.proven(); }), 1);
    EXPECT_NE(std::find(homes.begin(), homes.end(), chosen[0].contact), homes.end());
  }
}

TEST(HostCache, OffersAllThatItHasWhenTheyAreFew) {
  auto cache = keyed();
  for (std::uint32_t i = 0; i < 3; ++i) meet(cache, host(i, IpAddress::v4(8, 8, 8, i)));
  cache.heard_of(host(9, IpAddress::v4(8, 8, 8, 99)), kTeller);
  for (int i = 0; i < 5; ++i) cache.failed(host(2, IpAddress::v4(8, 8, 8, 2)).endpoint);
  SeededRng rng(1);
  const auto chosen = cache.candidates(8, rng);
  ASSERT_EQ(chosen.size(), 4U);
  EXPECT_EQ(chosen.back().contact, host(2, IpAddress::v4(8, 8, 8, 2))) << "the one that fails comes last";
  EXPECT_TRUE(cache.candidates(0, rng).empty());
}

}  // namespace
}  // namespace linnet::overlay
