#include "media/jitter_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <set>

#include "base/rng.h"
#include "media/delay_window.h"

namespace linnet::media {
namespace {

BufferedPacket packet(std::int64_t sequence) {
  BufferedPacket p;
  p.sequence = sequence;
  p.position = sequence * 960;
  p.duration = 960;
  return p;
}

TEST(JitterBuffer, PutsPacketsInOrder) {
  JitterBuffer b;
  for (const int n : {11, 10, 13, 12}) EXPECT_EQ(b.insert(packet(n), {}), Admission::accepted);
  EXPECT_EQ(b.span(), 4 * 960);
  for (const int n : {10, 11, 12, 13}) EXPECT_EQ(b.pop().sequence, n);
  EXPECT_EQ(b.front(), nullptr);
}

TEST(JitterBuffer, RefusesACopyBeforeAndAfterItWasPlayed) {
  JitterBuffer b;
  b.insert(packet(1), {});
  EXPECT_EQ(b.insert(packet(1), {}), Admission::duplicate);
  b.pop();
  EXPECT_EQ(b.insert(packet(1), {}), Admission::duplicate);
  EXPECT_TRUE(b.empty());
}

TEST(JitterBuffer, RefusesWhatWasPassedOver) {
  JitterBuffer b;
  b.insert(packet(10), {});
  b.insert(packet(12), {});
  b.pop();
  b.pop();
  EXPECT_EQ(b.insert(packet(11), {}), Admission::late);
}

TEST(JitterBuffer, RefusesWhatIsFurtherAheadThanItSpans) {
  JitterBuffer b;
  b.insert(packet(1), {});
  EXPECT_EQ(b.insert(packet(1000), {}), Admission::overflow);
  b.pop();
  EXPECT_EQ(b.insert(packet(1000), {}), Admission::accepted) << "nothing waits: the window may follow";
}

// Whatever comes in whatever order: played numbers rise strictly, none is played that was not accepted, and the buffer
// agrees with a sorted set at every step.
TEST(JitterBuffer, AgreesWithASortedSet) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    SeededRng rng(seed);
    JitterBuffer b;
    std::set<std::int64_t> twin;
    std::int64_t last_played = -1000, clock = 100;
    for (int step = 0; step < 3000; ++step) {
      if (rng.below(3) != 0) {
        const std::int64_t n = clock + static_cast<std::int64_t>(rng.below(60)) - 30;
        clock += static_cast<std::int64_t>(rng.below(2));
        if (b.insert(packet(n), {}) == Admission::accepted) {
          EXPECT_GT(n, last_played);
          EXPECT_TRUE(twin.insert(n).second) << "accepted twice";
        }
      } else if (!b.empty()) {
        const std::int64_t n = b.pop().sequence;
        ASSERT_EQ(n, *twin.begin());
        ASSERT_GT(n, last_played);
        twin.erase(twin.begin());
        last_played = n;
      }
      ASSERT_EQ(b.size(), twin.size());
      ASSERT_LE(b.size(), JitterBuffer::kCapacity);
      ASSERT_EQ(b.front() == nullptr ? -1 : b.front()->sequence, twin.empty() ? -1 : *twin.begin());
    }
  }
}

Time ms(int n) { return Time{} + std::chrono::milliseconds(n); }

TEST(DelayWindow, AgreesWithSortingTheLastValues) {
  SeededRng rng(5);
  DelayWindow w(50);
  std::deque<std::int64_t> twin;
  for (int i = 0; i < 2000; ++i) {
    const auto v = static_cast<std::int64_t>(rng.below(100)) - 50;
    w.add(ms(i), v);
    twin.push_back(v);
    if (twin.size() > 50) twin.pop_front();
    std::vector<std::int64_t> sorted(twin.begin(), twin.end());
    std::sort(sorted.begin(), sorted.end());
    for (const double q : {0.0, 0.03, 0.5, 1.0}) {
      ASSERT_EQ(w.quantile(q), sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))]);
    }
  }
}

TEST(DelayWindow, ForgetsWhatIsTooOldButKeepsTheLeast) {
  DelayWindow w(100, std::chrono::seconds(1), 3);
  for (int i = 0; i < 10; ++i) w.add(ms(i), -100);
  w.add(ms(5000), 7);
  EXPECT_EQ(w.size(), 3U);
  w.add(ms(5001), 7);
  w.add(ms(5002), 7);
  EXPECT_EQ(w.quantile(0), 7) << "the bad spell is forgotten";
}

}  // namespace
}  // namespace linnet::media
