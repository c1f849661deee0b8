// What is believed of a machine that is looked at again and again.
#include "node/io/spare_cores.h"

#include <gtest/gtest.h>

namespace linnet::io {
namespace {

using std::chrono::seconds;

TEST(SpareCores, OfAQuietMachineAreKnownAtOnce) {
  const SpareCores cores(1.9, 2);
  EXPECT_DOUBLE_EQ(cores.believed(), 1.9);
  EXPECT_FALSE(cores.next());
}

TEST(SpareCores, OfASmallQuotaAreAllThereIs) {
  const SpareCores cores(0.2, 0.2);
  EXPECT_FALSE(cores.next());
}

TEST(SpareCores, OfAMachineThatWasBusyAreLookedAtAgainWithinSeconds) {
  SpareCores cores(0.1, 2);
  ASSERT_EQ(cores.next(), SpareCores::kFirst);
  cores.look(1.6);
  EXPECT_DOUBLE_EQ(cores.believed(), 1.6);
  EXPECT_FALSE(cores.next()) << "it is quiet now";
}

TEST(SpareCores, AreLookedAtForLongerAndLongerAndNotForEver) {
  SpareCores cores(0.1, 2);
  Duration all{}, last{};
  while (const auto next = cores.next()) {
    EXPECT_GT(*next, last);
    all += last = *next;
    cores.look(0.1);
  }
  EXPECT_GE(all, SpareCores::kLongest);
  EXPECT_LE(all, 2 * SpareCores::kLongest);
  EXPECT_DOUBLE_EQ(cores.believed(), 0.1);
}

TEST(SpareCores, AreTheMostThatWasSeenAfterTheFirstMoment) {
  SpareCores cores(0.1, 2);
  cores.look(0.6);
  cores.look(0.4);
  EXPECT_DOUBLE_EQ(cores.believed(), 0.6);
}

TEST(SpareCores, ThatWereBelievedBeforeAreNotGivenUpForOneBusyMoment) {
  SpareCores cores(0.1, 2, 1.8);
  EXPECT_DOUBLE_EQ(cores.believed(), 1.8);
  cores.look(0.3);
  EXPECT_DOUBLE_EQ(cores.believed(), 1.8);
  for (Duration looked = SpareCores::kFirst; looked < SpareCores::kSure;) {
    looked += *cores.next();
    cores.look(0.2);
  }
  EXPECT_DOUBLE_EQ(cores.believed(), 0.3) << "it is busy for long";
}

TEST(LeftByQuota, IsWhatWasGivenWhileCoresStoodIdle) { EXPECT_DOUBLE_EQ(left_by_quota(0.25, 1.5), 0.25); }

// Sixteen programs measure themselves at once on two cores.
TEST(LeftByQuota, IsACoreForWhoOnlyWaitedForOthers) {
  EXPECT_DOUBLE_EQ(left_by_quota(0.13, 0.13), 1);
  EXPECT_DOUBLE_EQ(left_by_quota(1, 1.2), 1);
}

}  // namespace
}  // namespace linnet::io
