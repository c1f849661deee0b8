// security.md, check 14: what was newer once stays newer, though the record has gone and though the store began anew.
#include "dht/floors.h"

#include "dht/store.h"
#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
const crypto::Suite& kSuite = crypto::typed_suite();
const crypto::Address kName = address("victim");

IpAddress writer(std::uint32_t prefix) { return IpAddress::v4(0x08000000U + (prefix << 8) + 1); }

SignedRecord of(const crypto::Identity& who, std::uint64_t sequence, Wall made = kNow, std::uint64_t variant = 0) {
  return record_for(kSuite, who, kName, sequence, made, variant);
}

crypto::Identity device_of(const crypto::Identity& owner, std::uint64_t seed, std::uint32_t epoch) {
  auto out = owner;
  out.device = person(kSuite, seed).device;
  out.certificate.device = out.device_key();
  out.certificate.epoch = epoch;
  crypto::renew_certificate(kSuite, out, kNow);
  return out;
}

// A store that was told what another one kept before it ended.
RecordStore restarted(const RecordStore& before, const std::vector<SignedRecord>& kept) {
  std::vector<Floor> floors;
  for (const auto& record : kept) {
    const auto floor = before.floor(record.user, record.account(), record.device());
    EXPECT_TRUE(floor);
    if (floor) floors.push_back(*floor);
  }
  RecordStore out(1000);
  out.restore(floors);
  return out;
}

TEST(Floors, ARestartedStoreRefusesALowerSequenceAndASecondRecordOfTheSame) {
  const auto alice = person(kSuite, 1);
  RecordStore before(1000);
  ASSERT_TRUE(before.put(kNow, of(alice, 5), writer(1)));
  auto store = restarted(before, {of(alice, 5)});
  EXPECT_EQ(store.put(kNow, of(alice, 4), writer(2)).error(), Fault::replayed);
  EXPECT_EQ(store.put(kNow, of(alice, 5, kNow, 77), writer(2)).error(), Fault::mismatch);
  EXPECT_TRUE(store.put(kNow, of(alice, 5), writer(2))) << "the very same: a neighbour hands it back";
  EXPECT_TRUE(store.put(kNow, of(alice, 6), writer(2)));
  EXPECT_EQ(store.put(kNow, of(alice, 5), writer(2)).error(), Fault::replayed);
}

TEST(Floors, ARestartedStoreRefusesARevokedDeviceAsLongAsItsCertificateLives) {
  const auto owner = person(kSuite, 1);
  const auto stolen = device_of(owner, 11, 0);
  const auto kept = device_of(owner, 12, 1);
  RecordStore before(1000);
  ASSERT_TRUE(before.put(kNow, of(kept, 1), writer(1)));
  auto store = restarted(before, {of(kept, 1)});
  for (const auto later : {hours(0), hours(48), hours(29 * 24)}) {
    store.purge(kNow + later);
    const auto fresh = of(stolen, 900, kNow + later);
    EXPECT_EQ(store.put(kNow + later, fresh, writer(2)).error(), Fault::replayed) << later.count();
  }
}

TEST(Floors, WithoutARestartTheyOutliveTheRecordToo) {
  const auto owner = person(kSuite, 1);
  const auto stolen = device_of(owner, 11, 0);
  RecordStore store(1000);
  ASSERT_TRUE(store.put(kNow, of(device_of(owner, 12, 1), 1), writer(1)));
  const auto later = kNow + hours(24);
  store.purge(later);
  ASSERT_EQ(store.size(), 0U);
  EXPECT_EQ(store.put(later, of(stolen, 9, later), writer(2)).error(), Fault::replayed);

  // A short record that ended does not bring back a long one that was signed before it.
  const auto bob = person(kSuite, 2);
  const auto longer = of(bob, 1);
  const auto shorter = make_record(kSuite, bob, network(), kName, {}, 2, kNow, seconds(60));
  ASSERT_TRUE(shorter);
  ASSERT_TRUE(store.put(kNow, *shorter, writer(1)));
  store.purge(kNow + minutes(2));
  EXPECT_EQ(store.put(kNow + minutes(2), longer, writer(2)).error(), Fault::replayed);
}

TEST(Floors, GoWhenNothingTheyRefuseIsWithinItsTime) {
  Floors floors(1000);
  const auto alice = person(kSuite, 1);
  floors.raise(floor_of(of(alice, 5), {}));
  floors.purge(kNow + hours(2) - seconds(1));
  EXPECT_EQ(floors.size(), 1U);
  floors.purge(kNow + hours(2));
  EXPECT_EQ(floors.size(), 0U);
  EXPECT_TRUE(floors.judge(of(alice, 4), kNow));
}

TEST(Floors, AreNeverLowered) {
  Floors floors(1000);
  const auto alice = person(kSuite, 1);
  floors.raise(floor_of(of(device_of(alice, 3, 2), 5), {}));
  floors.raise(floor_of(of(device_of(alice, 3, 1), 4), {}));
  EXPECT_EQ(floors.judge(of(device_of(alice, 3, 2), 4), kNow).error(), Fault::replayed);
  EXPECT_EQ(floors.judge(of(device_of(alice, 3, 1), 9), kNow).error(), Fault::replayed);
}

// One prefix with any number of identities: what others wrote is remembered.
TEST(Floors, AFloodOfOnePrefixDrivesOutItsOwn) {
  constexpr std::size_t kCapacity = 50;
  Floors floors(kCapacity);
  const auto alice = person(kSuite, 1);
  floors.raise(floor_of(of(alice, 5), writer(1).prefix()));
  for (std::uint64_t i = 0; i < 500; ++i) floors.raise(floor_of(of(person(kSuite, 100 + i), 5), writer(2).prefix()));
  EXPECT_EQ(floors.size(), kCapacity);
  EXPECT_EQ(floors.judge(of(alice, 4), kNow).error(), Fault::replayed);
  floors.raise(floor_of(of(person(kSuite, 2), 5), writer(3).prefix()));
  EXPECT_EQ(floors.size(), kCapacity);
  EXPECT_EQ(floors.judge(of(person(kSuite, 2), 4), kNow).error(), Fault::replayed);
  // Of the flood the oldest are left, the youngest went.
  EXPECT_EQ(floors.judge(of(person(kSuite, 100), 4), kNow).error(), Fault::replayed);
  EXPECT_TRUE(floors.judge(of(person(kSuite, 100 + kCapacity - 2), 4), kNow));
}

// A new device under a new epoch each time: one floor stands for all that went before.
TEST(Floors, OfAnAccountAreThoseOfItsNewestEpoch) {
  Floors floors(1000);
  const auto owner = person(kSuite, 1);
  for (std::uint32_t i = 0; i < 200; ++i) {
    floors.raise(floor_of(of(device_of(owner, 100 + i, i), 5), writer(1).prefix()));
    ASSERT_EQ(floors.size(), 1U) << i;
  }
  floors.raise(floor_of(of(device_of(owner, 50, 198), 5), writer(1).prefix()));
  EXPECT_EQ(floors.size(), 1U) << "an older epoch adds nothing";
  EXPECT_EQ(floors.judge(of(device_of(owner, 100, 0), 900), kNow).error(), Fault::replayed);
  EXPECT_EQ(floors.judge(of(device_of(owner, 298, 198), 900), kNow).error(), Fault::replayed);
  EXPECT_EQ(floors.judge(of(device_of(owner, 299, 199), 4), kNow).error(), Fault::replayed);
  EXPECT_TRUE(floors.judge(of(device_of(owner, 299, 199), 6), kNow));
}

// Any number of devices under one epoch: those that matter longest are kept.
TEST(Floors, OfAnAccountAreSixteenAtMost) {
  Floors floors(1000);
  const auto owner = person(kSuite, 1);
  const auto late = of(device_of(owner, 100, 1), 5, kNow + seconds(1000));
  floors.raise(floor_of(late, writer(1).prefix()));
  for (std::uint32_t i = 1; i < 200; ++i)
    floors.raise(floor_of(of(device_of(owner, 100 + i, 1), 5, kNow + seconds(i)), writer(1).prefix()));
  EXPECT_EQ(floors.size(), Floors::kPerAccount);
  EXPECT_EQ(floors.judge(of(device_of(owner, 100, 1), 4), kNow).error(), Fault::replayed);
  EXPECT_EQ(floors.judge(of(device_of(owner, 299, 1), 4), kNow).error(), Fault::replayed);
  EXPECT_TRUE(floors.judge(of(device_of(owner, 101, 1), 4), kNow)) << "it ended first";
  floors.raise(floor_of(of(person(kSuite, 2), 5), writer(1).prefix()));
  EXPECT_EQ(floors.size(), Floors::kPerAccount + 1) << "another account has its own";
}

// Who lost store.db after a revocation begins at sequence 1 again.
TEST(Floors, ASequenceBindsForTwoHoursThoughTheEpochBindsForAMonth) {
  const auto owner = person(kSuite, 1);
  const auto kept = device_of(owner, 12, 1);
  RecordStore before(1000);
  ASSERT_TRUE(before.put(kNow, of(kept, 700), writer(1)));
  auto store = restarted(before, {of(kept, 700)});
  const auto soon = kNow + hours(2) - seconds(1);
  EXPECT_EQ(store.put(soon, of(kept, 1, soon), writer(1)).error(), Fault::replayed);
  const auto later = kNow + hours(2);
  EXPECT_EQ(store.put(later, of(device_of(owner, 11, 0), 900, later), writer(2)).error(), Fault::replayed);
  EXPECT_TRUE(store.put(later, of(kept, 1, later), writer(1)));
  EXPECT_EQ(store.put(later, of(device_of(owner, 11, 0), 900, later), writer(2)).error(), Fault::replayed);
}

// One device key may be certified by two accounts: each has its floor.
TEST(Floors, AreOfADeviceUnderAnAccount) {
  const auto first = person(kSuite, 1);
  auto second = person(kSuite, 2);
  second.device = first.device;
  second.certificate.device = second.device_key();
  crypto::renew_certificate(kSuite, second, kNow);
  RecordStore store(1000);
  ASSERT_TRUE(store.put(kNow, of(first, 5), writer(1)));
  ASSERT_TRUE(store.put(kNow, of(second, 9), writer(2)));
  const auto record = of(second, 9);
  const auto floor = store.floor(record.user, record.account(), record.device());
  ASSERT_TRUE(floor);
  EXPECT_EQ(floor->account, record.account());
  EXPECT_EQ(floor->sequence, 9U);
}

TEST(Floors, AreToldOfAsTheyRiseAndTakenOverByTheNextRun) {
  const auto alice = person(kSuite, 1, "victim");
  SeededRng rng(5);
  const auto identity = person(kSuite, 9);
  Config config;
  config.network = network();
  config.report_floors = true;
  const auto keep = [&](Dht& dht, std::uint64_t sequence) {
    dht.handle_wall(Time{}, kNow);
    EXPECT_TRUE(dht.publish(Time{}, of(alice, sequence)));
    std::vector<Floor> raised;
    while (const auto event = dht.poll_event()) {
      if (const auto* floor = std::get_if<FloorRaised>(&*event)) raised.push_back(floor->floor);
    }
    return raised;
  };
  Dht first(config, kSuite, rng, identity, endpoint(0x08000001));
  const auto raised = keep(first, 5);
  ASSERT_EQ(raised.size(), 1U);
  EXPECT_EQ(raised[0].sequence, 5U);
  EXPECT_TRUE(keep(first, 5).empty()) << "nothing new";
  config.floors = raised;
  Dht second(config, kSuite, rng, identity, endpoint(0x08000001));
  EXPECT_TRUE(keep(second, 4).empty());
  EXPECT_EQ(second.record_count(), 0U);
  EXPECT_EQ(keep(second, 6).size(), 1U);
}

TEST(WriterShares, AgreeWithACountOfEveryEntry) {
  struct Known {
    WriterShares::Prefix prefix{};
    std::uint64_t serial = 0;
    WriterShares::Place place = WriterShares::kNone;
  };
  SeededRng rng(5);
  WriterShares shares;
  std::vector<Known> naive;  // oldest first
  for (std::uint64_t step = 1; step <= 20'000; ++step) {
    if (naive.empty() || rng.below(100) < (step / 2000 % 2 == 0 ? 60U : 40U)) {
      const auto prefix = writer(static_cast<std::uint32_t>(rng.below(20))).prefix();
      naive.push_back({prefix, step, shares.add(prefix, {step, {}, {}})});
    } else {
      const auto gone = naive.begin() + static_cast<std::ptrdiff_t>(rng.below(naive.size()));
      shares.remove(gone->place);
      naive.erase(gone);
    }
    std::map<WriterShares::Prefix, std::size_t> count;
    for (const auto& k : naive) ++count[k.prefix];
    const auto of = writer(static_cast<std::uint32_t>(rng.below(20))).prefix();
    ASSERT_EQ(shares.of(of), count.contains(of) ? count[of] : 0);
    std::pair<std::size_t, WriterShares::Prefix> most{};
    for (const auto& [prefix, n] : count) most = std::max(most, std::pair(n, prefix));
    std::uint64_t youngest = 0;
    for (const auto& k : naive) youngest = k.prefix == most.second ? k.serial : youngest;
    const auto out = shares.excess(0);
    ASSERT_EQ(out.has_value(), !naive.empty());
    ASSERT_EQ(out ? out->serial : 0, youngest);
    ASSERT_FALSE(shares.excess(most.first));
  }
}

}  // namespace
}  // namespace linnet::dht::test
