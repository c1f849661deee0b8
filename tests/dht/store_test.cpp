#include "dht/store.h"

#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

using std::chrono::seconds;
const crypto::Suite& kTyped = crypto::typed_suite();
const crypto::Address kVictim = address("victim");
const auto kKey = crypto::user_key(kVictim);

IpAddress writer_at(std::uint32_t prefix, std::uint8_t host = 1) {
  return IpAddress::v4(0x08000000U + (prefix << 8) + host);
}

SignedRecord of(std::uint64_t person_seed, std::uint64_t sequence = 1, std::uint64_t variant = 0) {
  return record_for(kTyped, person(kTyped, person_seed), kVictim, sequence, kNow, variant);
}

// A second device of the same account.
crypto::Identity further_device(const crypto::Identity& owner, std::uint64_t seed, std::uint32_t epoch = 0) {
  auto out = owner;
  out.device = person(kTyped, seed).device;
  out.certificate.device = out.device_key();
  out.certificate.epoch = epoch;
  crypto::renew_certificate(kTyped, out, kNow);
  return out;
}

TEST(RecordStore, KeepsSixteenOfTenThousandSigners) {
  RecordStore store(100'000);
  std::vector<SignedRecord> first;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const auto record = of(1000 + i);
    const auto put = store.put(kNow, record, writer_at(i));
    ASSERT_EQ(put.has_value(), i < RecordStore::kPerKey) << i;
    if (i < RecordStore::kPerKey) first.push_back(record);
  }
  const auto held = store.find(kKey, kNow);
  ASSERT_EQ(held.size(), RecordStore::kPerKey);
  for (std::size_t i = 0; i < held.size(); ++i) EXPECT_EQ(held[i]->wire, first[i].wire);  // the oldest stay
}

TEST(RecordStore, KeepsFourOfAWriterPrefixButAnyNumberOnAPrivateNetwork) {
  RecordStore store(1000);
  for (std::uint32_t i = 0; i < 6; ++i)
    EXPECT_EQ(store.put(kNow, of(i), writer_at(1, static_cast<std::uint8_t>(i))).has_value(), i < 4);
  EXPECT_TRUE(store.put(kNow, of(50), writer_at(2)));
  for (std::uint32_t i = 10; i < 16; ++i) EXPECT_TRUE(store.put(kNow, of(i), IpAddress::v4(10, 0, 0, 1))) << i;
}

TEST(RecordStore, KeepsFourDevicesOfAnAccountAndTheFifthTakesThePlaceOfTheOneThatExpiresFirst) {
  RecordStore store(1000);
  const auto owner = person(kTyped, 1);
  for (std::uint32_t i = 0; i < 5; ++i) {
    const auto record = record_for(kTyped, further_device(owner, 100 + i), kVictim, 1, kNow + seconds(i));
    EXPECT_TRUE(store.put(kNow, record, writer_at(i))) << i;
  }
  const auto held = store.find(kKey, kNow);
  ASSERT_EQ(held.size(), RecordStore::kPerAccount);
  for (const auto* record : held) EXPECT_GT(record->not_before, kNow) << "the first to expire went";
  EXPECT_EQ(store.size(), RecordStore::kPerAccount);
}

// A household behind one address, and a name whose sixteen places are taken: the further device takes only its own's.
TEST(RecordStore, AFurtherDeviceTakesItsAccountsPlaceAlsoWhereThePrefixOrTheNameIsFull) {
  const auto owner = person(kTyped, 1);
  const auto device = [&](std::uint32_t i) {
    return record_for(kTyped, further_device(owner, 100 + i), kVictim, 1, kNow + seconds(i));
  };
  RecordStore store(1000);
  for (std::uint32_t i = 0; i < 6; ++i) EXPECT_TRUE(store.put(kNow, device(i), writer_at(1))) << i;
  EXPECT_EQ(store.find(kKey, kNow).size(), RecordStore::kPerAccount);
  EXPECT_EQ(store.put(kNow, of(50), writer_at(1)).error(), Fault::refused) << "another account has no place to give";
  for (std::uint32_t i = 0; i < 12; ++i) ASSERT_TRUE(store.put(kNow, of(200 + i), writer_at(20 + i))) << i;
  ASSERT_EQ(store.find(kKey, kNow).size(), RecordStore::kPerKey);
  EXPECT_TRUE(store.put(kNow, device(6), writer_at(1)));
  EXPECT_EQ(store.find(kKey, kNow).size(), RecordStore::kPerKey);
}

// Others' records under the name are not what makes room.
TEST(RecordStore, AnAccountTakesNoPlaceOfAnother) {
  RecordStore store(1000);
  for (std::uint32_t i = 0; i < RecordStore::kPerKey; ++i) ASSERT_TRUE(store.put(kNow, of(100 + i), writer_at(i)));
  EXPECT_EQ(store.put(kNow, of(1), writer_at(50)).error(), Fault::refused);
}

TEST(RecordStore, RefusesALowerSequenceAndAlarmsAtAnEqualOneWithOtherBytes) {
  RecordStore store(1000);
  EXPECT_EQ(*store.put(kNow, of(1, 5), writer_at(1)), RecordStore::Put::added);
  EXPECT_EQ(*store.put(kNow, of(1, 5), writer_at(2)), RecordStore::Put::same);
  EXPECT_EQ(store.put(kNow, of(1, 4), writer_at(1)).error(), Fault::replayed);
  EXPECT_EQ(store.put(kNow, of(1, 5, 77), writer_at(1)).error(), Fault::mismatch);
  EXPECT_EQ(*store.put(kNow, of(1, 6), writer_at(1)), RecordStore::Put::replaced);
  EXPECT_EQ(store.find(kKey, kNow).at(0)->sequence, 6U);
  EXPECT_EQ(store.size(), 1U);
}

TEST(RecordStore, RefusesALowerEpochAndDropsWhatAHigherOneRevokes) {
  RecordStore store(1000);
  const auto owner = person(kTyped, 1);
  const auto lost = further_device(owner, 11, 1);
  const auto kept = further_device(owner, 12, 1);
  EXPECT_TRUE(store.put(kNow, record_for(kTyped, lost, kVictim, 3), writer_at(1)));
  EXPECT_TRUE(store.put(kNow, record_for(kTyped, kept, kVictim, 3), writer_at(2)));
  const auto again = further_device(owner, 12, 2);
  EXPECT_EQ(*store.put(kNow, record_for(kTyped, again, kVictim, 4), writer_at(3)), RecordStore::Put::replaced);
  ASSERT_EQ(store.find(kKey, kNow).size(), 1U);
  EXPECT_EQ(store.put(kNow, record_for(kTyped, lost, kVictim, 9), writer_at(1)).error(), Fault::replayed);
}

TEST(RecordStore, ForgetsWhatExpires) {
  RecordStore store(1000);
  EXPECT_TRUE(store.put(kNow, of(1), writer_at(1)));
  EXPECT_GT(store.bytes(), 300U);
  EXPECT_TRUE(store.find(kKey, kNow + seconds(3600)).empty());
  store.purge(kNow + seconds(3600));
  EXPECT_EQ(store.size(), 0U);
  EXPECT_EQ(store.bytes(), 0U);
  EXPECT_EQ(store.put(kNow + seconds(3600), of(1), writer_at(1)).error(), Fault::expired);
}

TEST(RecordStore, IsBoundedAsAWhole) {
  RecordStore store(3);
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto name = address("n" + std::to_string(i));
    const auto put =
        store.put(kNow, record_for(kTyped, person(kTyped, i), name), writer_at(static_cast<std::uint32_t>(i)));
    EXPECT_EQ(put.has_value(), i < 3);
    if (!put) {
      EXPECT_EQ(put.error(), Fault::full);
    }
  }
}

// One prefix with many identities and names fills the store; others still get in, at its cost.
TEST(RecordStore, AFullStoreTakesFromThePrefixThatHasMost) {
  constexpr std::size_t kMost = 60;
  RecordStore store(kMost);
  const auto named = [](std::uint64_t n) {
    const auto name = address("u" + std::to_string(n));
    return record_for(kTyped, person(kTyped, 5000 + n), name);
  };
  for (std::uint64_t n = 0; n < 10; ++n)
    ASSERT_TRUE(store.put(kNow, named(n), writer_at(static_cast<std::uint32_t>(100 + n))));
  std::size_t taken = 0;
  for (std::uint64_t n = 10; n < 200; ++n) taken += store.put(kNow, named(n), writer_at(1)) ? 1U : 0U;
  EXPECT_EQ(taken, kMost - 10);
  EXPECT_EQ(store.size(), kMost);
  // Newcomers of other prefixes are taken in; those who were there stay.
  for (std::uint64_t n = 300; n < 320; ++n)
    EXPECT_TRUE(store.put(kNow, named(n), writer_at(static_cast<std::uint32_t>(n)))) << n;
  EXPECT_EQ(store.size(), kMost);
  for (std::uint64_t n = 0; n < 10; ++n)
    EXPECT_EQ(store.find(crypto::user_key(address("u" + std::to_string(n))), kNow).size(), 1U) << n;
  for (std::uint64_t n = 300; n < 320; ++n)
    EXPECT_EQ(store.find(crypto::user_key(address("u" + std::to_string(n))), kNow).size(), 1U) << n;
  // Its oldest are left, its youngest went.
  EXPECT_EQ(store.find(crypto::user_key(address("u10")), kNow).size(), 1U);
  EXPECT_EQ(store.find(crypto::user_key(address("u59")), kNow).size(), 0U);
}

TEST(RecordStore, KeepsKeysInOrderHoweverTheyAreCrowded) {
  RecordStore store(10'000);
  std::map<crypto::UserKey, std::uint64_t> naive;
  SeededRng rng(17);
  const auto who = person(kTyped, 1);
  auto record = record_for(kTyped, who, address("somebody"), 1, kNow, 0);
  for (int step = 0; step < 3000; ++step) {
    crypto::UserKey key{rng.array<32>()};
    if (step % 3 != 0) key.bytes[0] = 0x77;  // who chooses names may look for such
    if (step % 3 == 2) std::fill_n(key.bytes.begin(), 8, std::uint8_t{0x77});
    record.user = key;
    ASSERT_TRUE(store.put(kNow, record, IpAddress::v4(10, 0, 0, 1)));
    naive[key] = 1;
    if (rng.below(3) == 0) {
      const auto from = naive.lower_bound(crypto::UserKey{rng.array<32>()});
      if (from == naive.end()) continue;
      store.drop(from->first);
      naive.erase(from);
    }
  }
  std::vector<crypto::UserKey> all;
  for (const auto& [key, n] : naive) all.push_back(key);
  EXPECT_EQ(store.keys_after({}, 10'000), all);
  for (std::size_t i = 0; i < all.size(); i += 7) {
    EXPECT_EQ(store.find(all[i], kNow).size(), 1U);
    const auto after = store.keys_after(all[i], 3);
    EXPECT_TRUE(std::equal(after.begin(), after.end(), all.begin() + static_cast<std::ptrdiff_t>(i) + 1));
  }
  EXPECT_TRUE(store.find(crypto::UserKey{}, kNow).empty());
}

}  // namespace
}  // namespace linnet::dht::test
