// When a record is built again while homes come and go.
#include "overlay/publisher.h"

#include <gtest/gtest.h>

#include "crypto/room_key.h"
#include "tests/overlay/one_leaf.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;

struct PublisherTest : ::testing::Test, OneLeaf {
  PublisherTest() {
    const auto block = publisher.sequences().announce();
    publisher.sequences().confirm(block->below);
  }
  static dht::Home home(std::uint8_t n) { return {{IpAddress::v4(10, 0, 0, n), 4400, Transport::udp}, {}, n}; }
  std::size_t orders_after(milliseconds wait) {
    c.now += wait;
    publisher.handle_timeout(c);
    std::size_t out = 0;
    while (const auto order = publisher.poll()) {
      publisher.on_result(c, order->request, copies);
      ++out;
    }
    return out;
  }

  Publisher publisher{node.config, node.identity};
  std::size_t copies = 6;  // of what is stored
};

TEST_F(PublisherTest, TheFirstRecordWaitsForNoOtherHome) {
  publisher.set_homes(c, {home(1)}, false);
  EXPECT_EQ(orders_after(milliseconds(100)), 2U);  // two names
}

// A room's name beside ours, under the room's certificate.
struct AlsoKnownTest : PublisherTest {
  AlsoKnownTest() {
    const auto pair = crypto::room_account(c.suite, c.identity.account, room);
    as.certificate = crypto::certify(c.suite, pair, c.identity.device_key(), 0, c.wall);
    publisher.set_homes(c, {home(1)}, true);
    EXPECT_EQ(orders_after(milliseconds(0)), 2U);
  }
  crypto::Address room = *crypto::Address::parse("room@office");
  AlsoKnown as;
};

TEST_F(AlsoKnownTest, IsSaidByTheRoomsKeyAndAgainBeforeItsShortLifeEnds) {
  publisher.publish_also(c, room, as);
  EXPECT_EQ(orders_after(milliseconds(0)), 1U);
  const auto* record = publisher.record(room);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->account(), as.certificate.account);
  EXPECT_EQ(record->device(), c.identity.device_key());
  EXPECT_EQ(record->expiry - record->not_before, as.life);
  const auto body = dht::open_record(c.suite, *record, room);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->keeper, c.identity.key_name());
  publisher.publish_also(c, room, as);
  EXPECT_EQ(orders_after(milliseconds(0)), 0U) << "it stands";
  EXPECT_EQ(orders_after(std::chrono::seconds(201)), 1U) << "our own names live longer";
}

TEST_F(AlsoKnownTest, IsWithdrawnByARecordThatLeadsNowhere) {
  publisher.publish_also(c, room, as);
  EXPECT_EQ(orders_after(milliseconds(0)), 1U);
  publisher.withdraw(c, room);
  c.now += milliseconds(1);
  publisher.handle_timeout(c);
  const auto order = publisher.poll();
  ASSERT_TRUE(order);
  const auto body = dht::open_record(c.suite, order->record, room);
  ASSERT_TRUE(body);
  EXPECT_TRUE(body->homes.empty());
  publisher.on_result(c, order->request, 6);
  EXPECT_EQ(orders_after(std::chrono::seconds(300)), 0U);
  EXPECT_EQ(publisher.record(room), nullptr);
}

TEST_F(AlsoKnownTest, WhoHasSaidGoodbyeDoesNotSayAgainThatHeIsThere) {
  publisher.publish_also(c, room, as);
  EXPECT_EQ(orders_after(milliseconds(0)), 1U);
  EXPECT_EQ(publisher.withdrawals(c).size(), 3U);
  EXPECT_EQ(orders_after(std::chrono::seconds(201)), 0U);
}

TEST_F(AlsoKnownTest, NeverTakesANameOfOurOwnAndIsNotWaitedForToBeOnline) {
  publisher.publish_also(c, c.identity.address, as);
  EXPECT_EQ(orders_after(milliseconds(0)), 0U);
  EXPECT_EQ(publisher.record(c.identity.address)->account(), c.identity.account_key());
  copies = 0;
  publisher.publish_also(c, room, as);
  EXPECT_EQ(orders_after(milliseconds(0)), 1U);
  EXPECT_TRUE(publisher.stored());
}

TEST_F(PublisherTest, ARecordThatLeadsHereWaitsForTheLastHome) {
  publisher.set_homes(c, {home(1)}, true);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
  publisher.set_homes(c, {home(2), home(1)}, false);
  EXPECT_EQ(orders_after(milliseconds(1000)), 0U);
  publisher.set_homes(c, {home(2), home(3), home(4)}, true);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
}

TEST_F(PublisherTest, ItDoesNotWaitLongerThanTwoSeconds) {
  publisher.set_homes(c, {home(1)}, true);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
  publisher.set_homes(c, {home(2), home(1)}, false);
  EXPECT_EQ(orders_after(milliseconds(2000)), 2U);
}

TEST_F(PublisherTest, ARecordThatIsStoredNowhereLeadsNowhere) {
  copies = 0;
  publisher.set_homes(c, {home(1)}, true);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
  copies = 6;
  publisher.set_homes(c, {home(2), home(1)}, false);
  EXPECT_GE(orders_after(milliseconds(1100)), 2U);
}

// A deadline that stays in the past would keep the driver turning on the spot.
TEST_F(PublisherTest, WhoHasNoHomeWhenARecordIsToBeRenewedWaitsForOneAndRenewsItThen) {
  publisher.set_homes(c, {home(1)}, true);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
  publisher.set_homes(c, {}, false);
  EXPECT_EQ(orders_after(std::chrono::hours(1)), 0U);
  EXPECT_EQ(publisher.next_timeout(), kNever);
  publisher.set_homes(c, {home(1)}, true);
  EXPECT_LE(publisher.next_timeout(), c.now);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
  EXPECT_GT(publisher.next_timeout(), c.now);
}

TEST_F(PublisherTest, WhoHasNoHomeWhenTheClockIsSetMakesTheRecordAnewWithTheFirstThatComesBack) {
  publisher.set_homes(c, {home(1)}, true);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
  publisher.set_homes(c, {}, false);
  publisher.clock_set(c);
  EXPECT_EQ(orders_after(milliseconds(0)), 0U);
  publisher.set_homes(c, {home(1)}, false);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U) << "it leads here, and is of another time";
  publisher.set_homes(c, {}, false);
  publisher.set_homes(c, {home(1)}, false);
  EXPECT_EQ(orders_after(milliseconds(0)), 0U) << "once";
}

TEST_F(PublisherTest, WithoutABlockOfSequencesARenewalWaitsForOne) {
  publisher.set_homes(c, {home(1)}, true);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
  while (publisher.sequences().ready()) (void)publisher.sequences().take();
  EXPECT_EQ(orders_after(std::chrono::hours(1)), 0U);
  EXPECT_GT(publisher.next_timeout(), c.now);
  const auto block = publisher.sequences().announce();
  publisher.sequences().confirm(block->below);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
}

TEST_F(PublisherTest, ARecordThatLeadsNowhereDoesNotWait) {
  publisher.set_homes(c, {home(1)}, true);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
  EXPECT_EQ(orders_after(milliseconds(1000)), 0U);
  publisher.set_homes(c, {}, false);
  publisher.set_homes(c, {home(2)}, false);
  EXPECT_EQ(orders_after(milliseconds(100)), 2U);
}

// After the first seconds, when homes are those that stay.
struct SettledPublisherTest : PublisherTest {
  SettledPublisherTest() {
    publisher.set_homes(c, {home(1), home(2), home(3), home(4)}, true);
    EXPECT_EQ(orders_after(milliseconds(0)), 2U);
    EXPECT_EQ(orders_after(milliseconds(20'000)), 0U);
  }
  std::size_t seconds_until_said(int most) {
    std::size_t said = 0;
    for (int second = 1; second <= most; ++second) {
      said += orders_after(milliseconds(1000));
      if (said == 2) return static_cast<std::size_t>(second);
    }
    return static_cast<std::size_t>(most) + 1;
  }
};

TEST_F(SettledPublisherTest, HomesInAnotherOrderAreNoNews) {
  publisher.set_homes(c, {home(4), home(1), home(2), home(3)}, true);
  EXPECT_EQ(publisher.next_timeout(), c.now - milliseconds(20'000) + c.config.record_life / 3);
}

TEST_F(SettledPublisherTest, ARecordThatStillLeadsHereByTwoIsReplacedByLotWithinTwoMinutesForEachChange) {
  publisher.set_homes(c, {home(1), home(2), home(3)}, true);
  EXPECT_LE(seconds_until_said(134), 134U);  // with settling, and the second name ten seconds later at most
}

// Where records stand for long few supernodes die, and when many do at once nobody is in a hurry who can be reached.
TEST_F(SettledPublisherTest, ARecordThatStoodForLongTakesItsTimeForEachChangeFiveMinutesAtMost) {
  std::size_t later = 0;
  for (int i = 0; i < 40; ++i) {
    Publisher one(node.config, node.identity);
    one.sequences().confirm(one.sequences().announce()->below);
    one.set_homes(c, {home(1), home(2), home(3), home(4)}, true);
    one.handle_timeout(c);
    while (const auto order = one.poll()) one.on_result(c, order->request, copies);
    auto after = c;
    after.now += std::chrono::minutes(15);
    one.set_homes(after, {home(1), home(2), home(3)}, true);
    EXPECT_LE(one.next_timeout(), after.now + std::chrono::minutes(5) + std::chrono::seconds(2));
    later += one.next_timeout() > after.now + std::chrono::minutes(2) + std::chrono::seconds(2) ? 1 : 0;
  }
  EXPECT_GE(later, 14U);  // three fifths of 40 are expected
}

TEST_F(SettledPublisherTest, ARecordThatLeadsHereByOneIsReplacedByLotWithinAMinute) {
  publisher.set_homes(c, {home(1), home(2)}, false);
  publisher.set_homes(c, {home(1)}, false);
  EXPECT_LE(seconds_until_said(74), 74U);
}

TEST_F(SettledPublisherTest, ARecordThatLeadsHereByNoneIsReplacedAtOnce) {
  publisher.set_homes(c, {home(1)}, false);
  publisher.set_homes(c, {}, false);
  publisher.set_homes(c, {home(7)}, false);
  EXPECT_EQ(orders_after(milliseconds(100)), 2U);
}

TEST_F(SettledPublisherTest, ManyWhoLostTheSameHomesSpeakAtDifferentTimes) {
  std::size_t sooner = 0;
  for (int i = 0; i < 40; ++i) {
    Publisher one(node.config, node.identity);
    one.sequences().confirm(one.sequences().announce()->below);
    one.set_homes(c, {home(1), home(2), home(3), home(4)}, true);
    one.handle_timeout(c);
    while (const auto order = one.poll()) one.on_result(c, order->request, copies);
    auto later = c;
    later.now += milliseconds(20'000);
    one.set_homes(later, {home(1), home(2), home(6)}, true);
    sooner += one.next_timeout() < later.now + std::chrono::minutes(2) ? 1 : 0;
  }
  EXPECT_GE(sooner, 8U);  // two changes: four minutes
  EXPECT_LE(sooner, 32U);
}

TEST_F(SettledPublisherTest, ARecordMadeAnewWaitsForNoAnswerToTheOneBeforeIt) {
  copies = 0;
  publisher.clock_set(c);
  publisher.handle_timeout(c);
  while (publisher.poll()) {
  }  // nobody answers
  publisher.set_homes(c, {home(1), home(2), home(3)}, true);
  c.now += milliseconds(2);
  publisher.clock_set(c);
  publisher.handle_timeout(c);
  EXPECT_GT(publisher.next_timeout(), c.now);
}

}  // namespace
}  // namespace linnet::overlay::test
