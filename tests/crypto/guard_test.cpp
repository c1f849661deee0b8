#include "crypto/guard.h"

#include <gtest/gtest.h>

#include <map>

#include "each_suite.h"
#include "test_data.h"

namespace linnet::crypto {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kStart{std::chrono::hours(5)};
const Endpoint kSource = Endpoint::parse("192.0.2.7:4400").value();

class Mac1Of : public EachSuite {};
class Cookie : public EachSuite {
 protected:
  Mac mac2(const Mac& cookie, std::string_view message) const { return suite().mac(cookie, {view(message)}); }
};

LINNET_EACH_SUITE(Mac1Of);
LINNET_EACH_SUITE(Cookie);

TEST_P(Mac1Of, ProvesThatTheSenderKnowsTheResponder) {
  const auto bob = suite().static_pair(secret(1)).public_key;
  const auto eve = suite().static_pair(secret(2)).public_key;
  const Mac1 mine(suite(), bob);
  const auto mac = mine.compute(view("message 1"));
  EXPECT_TRUE(mine.check(view("message 1"), mac));
  EXPECT_FALSE(mine.check(view("message 2"), mac));
  EXPECT_FALSE(Mac1(suite(), eve).check(view("message 1"), mac));
  for (std::size_t bit = 0; bit < 128; ++bit) {
    auto bad = mac;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(mine.check(view("message 1"), bad));
  }
}

TEST_P(Cookie, ProvesThatTheSourceReceivesWhatIsSentToIt) {
  CookieJar jar(suite(), rng_);
  const auto good = mac2(jar.cookie_for(kStart, kSource), "init");
  EXPECT_TRUE(jar.check_mac2(kStart, kSource, view("init"), good));
  EXPECT_FALSE(jar.check_mac2(kStart, kSource, view("init2"), good));
  EXPECT_FALSE(jar.check_mac2(kStart, Endpoint::parse("192.0.2.8:4400").value(), view("init"), good));
  EXPECT_FALSE(jar.check_mac2(kStart, Endpoint::parse("192.0.2.7:4401").value(), view("init"), good));
  EXPECT_FALSE(jar.check_mac2(kStart, kSource, view("init"), Mac{}));
}

TEST_P(Cookie, IsGoodForTwoToFourMinutes) {
  CookieJar jar(suite(), rng_);
  const auto good = mac2(jar.cookie_for(kStart, kSource), "init");
  EXPECT_TRUE(jar.check_mac2(kStart + seconds(119), kSource, view("init"), good));
  EXPECT_TRUE(jar.check_mac2(kStart + minutes(2), kSource, view("init"), good));
  EXPECT_TRUE(jar.check_mac2(kStart + seconds(239), kSource, view("init"), good));
  EXPECT_FALSE(jar.check_mac2(kStart + minutes(4), kSource, view("init"), good));
}

TEST_P(Cookie, DoesNotOutliveALongSilence) {
  CookieJar jar(suite(), rng_);
  const auto good = mac2(jar.cookie_for(kStart, kSource), "init");
  EXPECT_FALSE(jar.check_mac2(kStart + minutes(60), kSource, view("init"), good));
}

TEST_P(Cookie, OfOneNodeIsWorthNothingAtAnother) {
  CookieJar mine(suite(), rng_);
  CookieJar other(suite(), rng_);
  EXPECT_FALSE(other.check_mac2(kStart, kSource, view("init"), mac2(mine.cookie_for(kStart, kSource), "init")));
}

TEST(PrefixLimiter, AllowsTheBurstThenTheRate) {
  PrefixLimiter limiter(10.0, 5.0);
  const auto ip = IpAddress::v4(192, 0, 2, 1);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.allow(kStart, ip));
  EXPECT_FALSE(limiter.allow(kStart, ip));
  EXPECT_FALSE(limiter.allow(kStart + std::chrono::milliseconds(99), ip));
  EXPECT_TRUE(limiter.allow(kStart + std::chrono::milliseconds(101), ip));
  EXPECT_EQ(limiter.refused(), 2U);
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(limiter.allow(kStart + minutes(1), ip)) << "never more than the burst is saved up";
  EXPECT_FALSE(limiter.allow(kStart + minutes(1), ip));
}

TEST(PrefixLimiter, CountsAPrefixAsOneSourceAndLeavesOthersUnharmed) {
  PrefixLimiter limiter(1.0, 3.0);
  int allowed = 0;
  for (int host = 0; host < 256; ++host)
    allowed += limiter.allow(kStart, IpAddress::v4(192, 0, 2, static_cast<std::uint8_t>(host))) ? 1 : 0;
  EXPECT_EQ(allowed, 3);
  EXPECT_TRUE(limiter.allow(kStart, IpAddress::v4(192, 0, 3, 1)));
  ByteArray<16> v6 = {0x20, 0x01, 0x0d, 0xb8, 0, 1};
  allowed = 0;
  for (int i = 0; i < 256; ++i) {
    v6[6] = static_cast<std::uint8_t>(i);  // below the /48
    allowed += limiter.allow(kStart, IpAddress::v6(v6)) ? 1 : 0;
  }
  EXPECT_EQ(allowed, 3);
}

TEST(PrefixLimiter, NeverHoldsMoreThanItsCapacityAndForgetsTheLongestSilent) {
  PrefixLimiter limiter(0.0, 1.0, 100);
  const auto busy = IpAddress::v4(198, 51, 100, 1);
  EXPECT_TRUE(limiter.allow(kStart, busy));
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    limiter.allow(kStart, IpAddress::v4(0x0a000000U + (i << 8)));
    ASSERT_LE(limiter.size(), 100U);
    if (i % 50 == 0) {
      ASSERT_FALSE(limiter.allow(kStart, busy)) << "who keeps sending is not forgotten";
    }
  }
}

TEST(PrefixLimiter, HoldsNobodyWhoseBucketIsFullAgain) {
  PrefixLimiter limiter(10.0, 5.0);
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_TRUE(limiter.allow(kStart, IpAddress::v4(0x0a000000U + (i << 8))));
  EXPECT_EQ(limiter.size(), 100U);
  auto now = kStart;
  for (int i = 0; i < 60; ++i) {  // one who asks a little more than he may
    now += std::chrono::milliseconds(90);
    limiter.allow(now, IpAddress::v4(198, 51, 100, 1));
  }
  EXPECT_EQ(limiter.size(), 1U);
}

TEST(PrefixLimiter, AgreesWithANaiveBucketPerPrefix) {
  SeededRng rng(4);
  PrefixLimiter limiter(3.0, 7.0);
  std::map<ByteArray<7>, std::pair<double, Time>> naive;
  auto now = kStart;
  int refused = 0;
  for (int i = 0; i < 50'000; ++i) {
    now += std::chrono::microseconds(rng.below(100'000));
    const auto ip =
        IpAddress::v4(10, 0, static_cast<std::uint8_t>(rng.below(4)), static_cast<std::uint8_t>(rng.below(256)));
    auto [it, fresh] = naive.try_emplace(ip.prefix(), 7.0, now);
    auto& [tokens, at] = it->second;
    tokens = std::min(7.0, tokens + (std::chrono::duration<double>(now - at).count() * 3.0));
    at = now;
    const double cost = 1.0 + static_cast<double>(rng.below(3));
    const bool expected = tokens >= cost;
    if (expected) tokens -= cost;
    refused += expected ? 0 : 1;
    ASSERT_EQ(limiter.allow(now, ip, cost), expected) << i;
  }
  EXPECT_GT(refused, 1000);
}

TEST(PrefixLimiter, AClockThatStandsStillOrSlipsBackGivesNothing) {
  PrefixLimiter limiter(1000.0, 1.0);
  const auto ip = IpAddress::v4(192, 0, 2, 1);
  EXPECT_TRUE(limiter.allow(kStart, ip));
  EXPECT_FALSE(limiter.allow(kStart - seconds(10), ip));
  EXPECT_FALSE(limiter.allow(kStart, ip));
}

}  // namespace
}  // namespace linnet::crypto
