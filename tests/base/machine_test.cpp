#include "base/machine.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/private.h"

namespace linnet {
namespace {

TEST(BoundedQueue, GivesBackInOrder) {
  BoundedQueue<int> queue(3);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.push(3));
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), 3);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, RefusesWhenFullAndCounts) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(queue.push(9));
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.refused(), 5U);
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.push(3)) << "there is room again";
  EXPECT_EQ(queue.pop(), 2) << "what was refused took nobody's place";
}

TEST(BoundedQueue, OfNothingHoldsNothing) {
  BoundedQueue<int> queue(0);
  EXPECT_FALSE(queue.push(1));
  EXPECT_TRUE(queue.empty());
}

TEST(BoundedQueue, CarriesWhatCannotBeCopied) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.push(std::make_unique<int>(5)));
  EXPECT_EQ(**queue.pop(), 5);
}

// The smallest core there is.
struct Echo {
  using Event = int;
  void handle_datagram(Time, const Datagram& d) { out.push(Transmit{d.from, copy(d.bytes)}); }
  void handle_timeout(Time) {}
  Time next_timeout() const { return kNever; }
  std::optional<Transmit> poll_transmit() { return out.pop(); }
  std::optional<Event> poll_event() { return std::nullopt; }
  BoundedQueue<Transmit> out{4};
};
static_assert(Machine<Echo>);
static_assert(!Machine<int>);

TEST(Machine, IsDrainedByPolling) {
  Echo echo;
  Bytes hello = {1, 2};
  echo.handle_datagram(Time{}, Datagram{Endpoint{IpAddress::v4(192, 0, 2, 1), 9}, hello});
  const auto sent = echo.poll_transmit();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->bytes, hello);
  EXPECT_FALSE(echo.poll_transmit());
}

TEST(PrivateData, IsHiddenWithItsLength) {
  EXPECT_EQ(reveal(true, "alice@acme.example"), "alice@acme.example");
  EXPECT_EQ(reveal(false, "alice@acme.example"), reveal(false, "b"));
}

}  // namespace
}  // namespace linnet
