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
    const auto floor = before.floor(record.user, record.device());
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
  EXPECT_TRUE(floors.judge(of(alice, 4)));
}

TEST(Floors, AreNeverLowered) {
  Floors floors(1000);
  const auto alice = person(kSuite, 1);
  floors.raise(floor_of(of(device_of(alice, 3, 2), 5), {}));
  floors.raise(floor_of(of(device_of(alice, 3, 1), 4), {}));
  EXPECT_EQ(floors.judge(of(device_of(alice, 3, 2), 4)).error(), Fault::replayed);
  EXPECT_EQ(floors.judge(of(device_of(alice, 3, 1), 9)).error(), Fault::replayed);
}

// One prefix with any number of identities: what others wrote is remembered.
TEST(Floors, AFloodOfOnePrefixDrivesOutItsOwn) {
  constexpr std::size_t kCapacity = 50;
  Floors floors(kCapacity);
  const auto alice = person(kSuite, 1);
  floors.raise(floor_of(of(alice, 5), writer(1).prefix()));
  for (std::uint64_t i = 0; i < 500; ++i) floors.raise(floor_of(of(person(kSuite, 100 + i), 5), writer(2).prefix()));
  EXPECT_EQ(floors.size(), kCapacity);
  EXPECT_EQ(floors.judge(of(alice, 4)).error(), Fault::replayed);
  floors.raise(floor_of(of(person(kSuite, 2), 5), writer(3).prefix()));
  EXPECT_EQ(floors.size(), kCapacity);
  EXPECT_EQ(floors.judge(of(person(kSuite, 2), 4)).error(), Fault::replayed);
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

}  // namespace
}  // namespace linnet::dht::test
