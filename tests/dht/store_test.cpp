#include "dht/store.h"

#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

using std::chrono::seconds;
const crypto::Suite& kSuite = crypto::typed_suite();
const crypto::Address kName = address("victim");
const auto kKey = crypto::user_key(kName);

IpAddress writer(std::uint32_t prefix, std::uint8_t host = 1) {
  return IpAddress::v4(0x08000000U + (prefix << 8) + host);
}

SignedRecord of(std::uint64_t person_seed, std::uint64_t sequence = 1, std::uint64_t variant = 0) {
  return record_for(kSuite, person(kSuite, person_seed), kName, sequence, kNow, variant);
}

// A second device of the same account.
crypto::Identity further_device(const crypto::Identity& owner, std::uint64_t seed, std::uint32_t epoch = 0) {
  auto out = owner;
  out.device = person(kSuite, seed).device;
  out.certificate.device = out.device_key();
  out.certificate.epoch = epoch;
  crypto::renew_certificate(kSuite, out, kNow);
  return out;
}

TEST(RecordStore, KeepsSixteenOfTenThousandSigners) {
  RecordStore store(100'000);
  std::vector<SignedRecord> first;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const auto record = of(1000 + i);
    const auto put = store.put(kNow, record, writer(i));
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
    EXPECT_EQ(store.put(kNow, of(i), writer(1, static_cast<std::uint8_t>(i))).has_value(), i < 4);
  EXPECT_TRUE(store.put(kNow, of(50), writer(2)));
  for (std::uint32_t i = 10; i < 16; ++i) EXPECT_TRUE(store.put(kNow, of(i), IpAddress::v4(10, 0, 0, 1))) << i;
}

TEST(RecordStore, KeepsFourDevicesOfAnAccountAndTheFifthTakesThePlaceOfTheOneThatExpiresFirst) {
  RecordStore store(1000);
  const auto owner = person(kSuite, 1);
  for (std::uint32_t i = 0; i < 5; ++i) {
    const auto record = record_for(kSuite, further_device(owner, 100 + i), kName, 1, kNow + seconds(i));
    EXPECT_TRUE(store.put(kNow, record, writer(i))) << i;
  }
  const auto held = store.find(kKey, kNow);
  ASSERT_EQ(held.size(), RecordStore::kPerAccount);
  for (const auto* record : held) EXPECT_GT(record->not_before, kNow) << "the first to expire went";
  EXPECT_EQ(store.size(), RecordStore::kPerAccount);
}

// A household behind one address, and a name whose sixteen places are taken: the further device takes only its own's.
TEST(RecordStore, AFurtherDeviceTakesItsAccountsPlaceAlsoWhereThePrefixOrTheNameIsFull) {
  const auto owner = person(kSuite, 1);
  const auto device = [&](std::uint32_t i) {
    return record_for(kSuite, further_device(owner, 100 + i), kName, 1, kNow + seconds(i));
  };
  RecordStore store(1000);
  for (std::uint32_t i = 0; i < 6; ++i) EXPECT_TRUE(store.put(kNow, device(i), writer(1))) << i;
  EXPECT_EQ(store.find(kKey, kNow).size(), RecordStore::kPerAccount);
  EXPECT_EQ(store.put(kNow, of(50), writer(1)).error(), Fault::refused) << "another account has no place to give";
  for (std::uint32_t i = 0; i < 12; ++i) ASSERT_TRUE(store.put(kNow, of(200 + i), writer(20 + i))) << i;
  ASSERT_EQ(store.find(kKey, kNow).size(), RecordStore::kPerKey);
  EXPECT_TRUE(store.put(kNow, device(6), writer(1)));
  EXPECT_EQ(store.find(kKey, kNow).size(), RecordStore::kPerKey);
}

// Others' records under the name are not what makes room.
TEST(RecordStore, AnAccountTakesNoPlaceOfAnother) {
  RecordStore store(1000);
  for (std::uint32_t i = 0; i < RecordStore::kPerKey; ++i) ASSERT_TRUE(store.put(kNow, of(100 + i), writer(i)));
  EXPECT_EQ(store.put(kNow, of(1), writer(50)).error(), Fault::refused);
}

TEST(RecordStore, RefusesALowerSequenceAndAlarmsAtAnEqualOneWithOtherBytes) {
  RecordStore store(1000);
  EXPECT_EQ(*store.put(kNow, of(1, 5), writer(1)), RecordStore::Put::added);
  EXPECT_EQ(*store.put(kNow, of(1, 5), writer(2)), RecordStore::Put::same);
  EXPECT_EQ(store.put(kNow, of(1, 4), writer(1)).error(), Fault::replayed);
  EXPECT_EQ(store.put(kNow, of(1, 5, 77), writer(1)).error(), Fault::mismatch);
  EXPECT_EQ(*store.put(kNow, of(1, 6), writer(1)), RecordStore::Put::replaced);
  EXPECT_EQ(store.find(kKey, kNow).at(0)->sequence, 6U);
  EXPECT_EQ(store.size(), 1U);
}

TEST(RecordStore, RefusesALowerEpochAndDropsWhatAHigherOneRevokes) {
  RecordStore store(1000);
  const auto owner = person(kSuite, 1);
  const auto lost = further_device(owner, 11, 1);
  const auto kept = further_device(owner, 12, 1);
  EXPECT_TRUE(store.put(kNow, record_for(kSuite, lost, kName, 3), writer(1)));
  EXPECT_TRUE(store.put(kNow, record_for(kSuite, kept, kName, 3), writer(2)));
  const auto again = further_device(owner, 12, 2);
  EXPECT_EQ(*store.put(kNow, record_for(kSuite, again, kName, 4), writer(3)), RecordStore::Put::replaced);
  ASSERT_EQ(store.find(kKey, kNow).size(), 1U);
  EXPECT_EQ(store.put(kNow, record_for(kSuite, lost, kName, 9), writer(1)).error(), Fault::replayed);
}

TEST(RecordStore, ForgetsWhatExpires) {
  RecordStore store(1000);
  EXPECT_TRUE(store.put(kNow, of(1), writer(1)));
  EXPECT_GT(store.bytes(), 300U);
  EXPECT_TRUE(store.find(kKey, kNow + seconds(3600)).empty());
  store.purge(kNow + seconds(3600));
  EXPECT_EQ(store.size(), 0U);
  EXPECT_EQ(store.bytes(), 0U);
  EXPECT_EQ(store.put(kNow + seconds(3600), of(1), writer(1)).error(), Fault::expired);
}

TEST(RecordStore, IsBoundedAsAWhole) {
  RecordStore store(3);
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto name = address("n" + std::to_string(i));
    const auto put =
        store.put(kNow, record_for(kSuite, person(kSuite, i), name), writer(static_cast<std::uint32_t>(i)));
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
    return record_for(kSuite, person(kSuite, 5000 + n), name);
  };
  for (std::uint64_t n = 0; n < 10; ++n)
    ASSERT_TRUE(store.put(kNow, named(n), writer(static_cast<std::uint32_t>(100 + n))));
  std::size_t taken = 0;
  for (std::uint64_t n = 10; n < 200; ++n) taken += store.put(kNow, named(n), writer(1)) ? 1U : 0U;
  EXPECT_EQ(taken, kMost - 10);
  EXPECT_EQ(store.size(), kMost);
  // Newcomers of other prefixes are taken in; those who were there stay.
  for (std::uint64_t n = 300; n < 320; ++n)
    EXPECT_TRUE(store.put(kNow, named(n), writer(static_cast<std::uint32_t>(n)))) << n;
  EXPECT_EQ(store.size(), kMost);
  for (std::uint64_t n = 0; n < 10; ++n)
    EXPECT_EQ(store.find(crypto::user_key(address("u" + std::to_string(n))), kNow).size(), 1U) << n;
  for (std::uint64_t n = 300; n < 320; ++n)
    EXPECT_EQ(store.find(crypto::user_key(address("u" + std::to_string(n))), kNow).size(), 1U) << n;
  // Its oldest are left, its youngest went.
  EXPECT_EQ(store.find(crypto::user_key(address("u10")), kNow).size(), 1U);
  EXPECT_EQ(store.find(crypto::user_key(address("u59")), kNow).size(), 0U);
}

}  // namespace
}  // namespace linnet::dht::test
