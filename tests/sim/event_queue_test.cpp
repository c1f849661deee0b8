#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <set>

#include "base/rng.h"

namespace linnet::sim {
namespace {

TEST(EventQueue, EventsOfOneInstantComeInTheOrderInWhichTheyWereQueued) {
  EventQueue queue;
  for (std::uint32_t i = 0; i < 100; ++i) queue.push(Time{} + std::chrono::seconds(5), Event::Kind::action, i);
  for (std::uint32_t i = 0; i < 100; ++i) {
    ASSERT_NE(queue.top(), nullptr);
    EXPECT_EQ(queue.top()->ref, i);
    queue.pop();
  }
  EXPECT_EQ(queue.top(), nullptr);
}

// Against a sorted set: near and far, bunched and alone, queued while others are taken.
TEST(EventQueue, AgreesWithASortedSet) {
  SeededRng rng(5);
  EventQueue queue;
  std::set<std::tuple<Time, std::uint64_t>> twin;
  Time now{};
  std::uint64_t order = 0;
  for (int step = 0; step < 300'000; ++step) {
    if (rng.below(2) == 0 || twin.empty()) {
      const std::uint64_t spans[] = {1, 100, 5'000, 2'000'000, 60'000'000, 4'000'000'000};
      const auto at = now + Duration(static_cast<std::int64_t>(rng.below(spans[rng.below(6)])));
      queue.push(at, Event::Kind::datagram, static_cast<std::uint32_t>(order));
      twin.emplace(at, order++);
      continue;
    }
    const auto* top = queue.top();
    ASSERT_NE(top, nullptr);
    const auto [at, which] = *twin.begin();
    ASSERT_EQ(top->at, at);
    ASSERT_EQ(top->order, which);
    now = at;
    queue.pop();
    twin.erase(twin.begin());
    ASSERT_EQ(queue.size(), twin.size());
  }
}

}  // namespace
}  // namespace linnet::sim
