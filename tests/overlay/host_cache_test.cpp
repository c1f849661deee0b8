#include "overlay/host_cache.h"

#include <gtest/gtest.h>

#include "tests/base/damage.h"

namespace linnet::overlay {
namespace {

using std::chrono::milliseconds;

dht::Contact contact(std::uint32_t n, IpAddress ip) {
  dht::Contact out;
  out.endpoint = {ip, static_cast<std::uint16_t>(1000 + n % 60000), Transport::udp};
  Writer w;
  w.u32(n);
  std::copy(w.written().begin(), w.written().end(), out.device.bytes.begin());
  out.session.bytes = out.device.bytes;
  out.position = dht::position(out.endpoint.ip, out.device);
  return out;
}
dht::Contact lan(std::uint32_t n) { return contact(n, IpAddress::v4(0x0a000000U + n)); }

TEST(HostCache, SurvivesSavingAndLoading) {
  HostCache cache;
  cache.heard_of(lan(1));
  cache.succeeded(lan(2), Way::udp, Wall{1000}, milliseconds(12));
  cache.failed(lan(2));
  const auto loaded = HostCache::load(cache.save());
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->size(), 2U);
  EXPECT_EQ(loaded->hosts()[1].contact, lan(2));
  EXPECT_EQ(loaded->hosts()[1].contact.position, lan(2).position);
  EXPECT_EQ(loaded->hosts()[1].last_success, Wall{1000});
  EXPECT_EQ(loaded->hosts()[1].rtt_us, 12'000U);
  EXPECT_EQ(loaded->hosts()[1].failures, 1U);
  EXPECT_TRUE(loaded->hosts()[1].tried);
  EXPECT_FALSE(loaded->hosts()[0].tried);
}

TEST(HostCache, RefusesEveryTruncationAndEveryFlippedBit) {
  HostCache cache;
  cache.heard_of(lan(1));
  cache.heard_of(lan(2));
  const auto whole = cache.save();
  damage::each_truncation(whole, [](ByteView cut) { EXPECT_FALSE(HostCache::load(cut)) << cut.size(); });
  damage::each_flipped_bit(whole,
                           [](ByteView flipped, std::size_t bit) { EXPECT_FALSE(HostCache::load(flipped)) << bit; });
}

TEST(HostCache, NeverHoldsMoreThanItsCapacity) {
  HostCache cache;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    cache.heard_of(lan(i));
    ASSERT_LE(cache.size(), HostCache::kCapacity);
  }
  EXPECT_EQ(cache.size(), HostCache::kCapacity);
}

TEST(HostCache, HoldsAtMostTenOfOnePrefixOfGlobalAddresses) {
  HostCache cache;
  for (std::uint32_t i = 0; i < 30; ++i) cache.heard_of(contact(i, IpAddress::v4(0x08080800U + i)));
  EXPECT_EQ(cache.size(), HostCache::kPerPrefix);
  cache.heard_of(contact(100, IpAddress::v4(9, 9, 9, 9)));
  EXPECT_EQ(cache.size(), HostCache::kPerPrefix + 1);
}

TEST(HostCache, DoesNotGiveUpAHostThatWorksForOneItHeardOf) {
  HostCache cache;
  for (std::uint32_t i = 0; i < HostCache::kCapacity; ++i) cache.succeeded(lan(i), Way::udp, Wall{1}, milliseconds(1));
  cache.heard_of(lan(5000));
  for (const auto& h : cache.hosts()) EXPECT_NE(h.contact, lan(5000));
  cache.failed(lan(7));
  cache.heard_of(lan(5000));
  bool there = false;
  for (const auto& h : cache.hosts()) {
    there = there || h.contact == lan(5000);
    EXPECT_NE(h.contact, lan(7));
  }
  EXPECT_TRUE(there);
}

TEST(HostCache, OffersTriedBeforeNewAndRecentBeforeOld) {
  HostCache cache;
  cache.heard_of(lan(1));
  cache.succeeded(lan(2), Way::udp, Wall{100}, milliseconds(1));
  cache.succeeded(lan(3), Way::udp, Wall{200}, milliseconds(1));
  cache.succeeded(lan(4), Way::udp, Wall{300}, milliseconds(1));
  cache.failed(lan(4));
  const auto best = cache.best(10);
  ASSERT_EQ(best.size(), 4U);
  EXPECT_EQ(best[0].contact, lan(3));
  EXPECT_EQ(best[1].contact, lan(2));
  EXPECT_EQ(best[2].contact, lan(4));
  EXPECT_EQ(best[3].contact, lan(1));
  EXPECT_EQ(cache.best(2).size(), 2U);
}

TEST(HostCache, ForgetsAHostThatNeverAnswered) {
  HostCache cache;
  cache.heard_of(lan(1));
  for (int i = 0; i < 3; ++i) cache.failed(lan(1));
  EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace linnet::overlay
