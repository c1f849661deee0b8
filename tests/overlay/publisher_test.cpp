// When a record is built again while homes come and go.
#include "overlay/publisher.h"

#include <gtest/gtest.h>

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

TEST_F(PublisherTest, ARecordThatLeadsNowhereDoesNotWait) {
  publisher.set_homes(c, {home(1)}, true);
  EXPECT_EQ(orders_after(milliseconds(0)), 2U);
  EXPECT_EQ(orders_after(milliseconds(1000)), 0U);
  publisher.set_homes(c, {}, false);
  publisher.set_homes(c, {home(2)}, false);
  EXPECT_EQ(orders_after(milliseconds(100)), 2U);
}

}  // namespace
}  // namespace linnet::overlay::test
