#include "node/io/urgency.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <thread>

namespace linnet::io {
namespace {

int policy_here() { return ::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK; }
int nice_here() { return ::getpriority(PRIO_PROCESS, 0); }

// On a thread of its own: whatever it does, the other tests are scheduled as before.
template <class F>
void on_a_thread(F f) {
  std::thread thread(f);
  thread.join();
}

TEST(Urgency, IsWhatItSaysAndGoesAway) {
  on_a_thread([] {
    const int policy = policy_here(), nice = nice_here();
    Urgency urgency;
    const auto means = urgency.raise();
    EXPECT_TRUE(urgency.raised());
    EXPECT_EQ(policy_here() == SCHED_RR, means == Urgency::Means::realtime || policy == SCHED_RR);
    EXPECT_EQ(nice_here() < nice, means == Urgency::Means::nice);
    EXPECT_EQ(urgency.raise(), means) << "once is enough";
    urgency.drop();
    EXPECT_EQ(policy_here(), policy);
    EXPECT_EQ(nice_here(), nice);
    EXPECT_EQ(urgency.raise(), means) << "the next conference as well";
  });
}

TEST(Urgency, IsOfOneThreadAlone) {
  on_a_thread([] {
    const int policy = policy_here(), nice = nice_here();
    Urgency urgency;
    const auto means = urgency.raise();
    int other_policy = -1;
    std::thread other([&] { other_policy = policy_here(); });
    other.join();
    EXPECT_EQ(other_policy, SCHED_OTHER) << to_string(means);
    urgency.drop();
    EXPECT_EQ(policy_here(), policy);
    EXPECT_EQ(nice_here(), nice);
  });
}

}  // namespace
}  // namespace linnet::io
