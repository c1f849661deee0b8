#include "media/rate_control.h"

#include <gtest/gtest.h>

namespace linnet::media {
namespace {

using std::chrono::milliseconds;

// A sender of 20 ms frames and the reports it gets; the way to the peer takes 20 ms and what waits on it.
struct Path {
  Path() : rate({.expects_reports = true}) {}

  void send(int packets, std::size_t octets = 90) {
    for (int i = 0; i < packets; ++i) {
      now += milliseconds(20);
      rate.on_sent(now, ++sequence, octets);
      rate.on_frame(now, incoming);
    }
  }
  // The peer has heard all but the last packets, of each of which the first arrived `waited` late.
  void report(int unheard = 1, milliseconds waited = milliseconds(0)) {
    const Time heard = now - milliseconds(20) * unheard;
    const auto made = (heard + milliseconds(20) + waited).time_since_epoch();
    rate.on_report(std::max(now, heard + milliseconds(40) + waited),
                   {static_cast<std::uint32_t>(sequence - unheard), lost, made, round_trip});
  }
  void quiet_start() {
    for (int i = 0; i < 4; ++i) {
      send(50);
      report();
    }
  }

  RateControl rate;
  Time now = Time{} + std::chrono::seconds(10);
  std::uint16_t sequence = 100;
  std::int32_t lost = 0;
  Incoming incoming;
  std::optional<Duration> round_trip;
};

TEST(RateControl, OneReportOutOfAnOutageDoesNotCutTheRate) {
  Path path;
  path.quiet_start();
  path.send(15);
  path.report(15, milliseconds(280));
  ASSERT_GT(*path.rate.queue_ms(), 120);
  EXPECT_FALSE(path.rate.ceiling());
  path.lost += 14;
  path.send(50);
  path.report();
  EXPECT_FALSE(path.rate.ceiling()) << "the queue is not there any more: there was none";
  EXPECT_FALSE(path.rate.draining(path.now));
}

TEST(RateControl, AQueueThatTheNextReportStillTellsOfCutsTheRate) {
  Path path;
  path.quiet_start();
  path.send(15);
  path.report(15, milliseconds(280));
  path.send(15);
  path.report(20, milliseconds(380));
  EXPECT_TRUE(path.rate.ceiling());
}

TEST(RateControl, AQueueAtTheBeginningCutsTheRateAtOnce) {
  Path path;
  path.send(5);
  path.report();
  path.send(20);
  path.report(15, milliseconds(280));
  EXPECT_TRUE(path.rate.ceiling());
}

TEST(RateControl, WhatTheOtherDirectionLostIsNotBelievedAfterAQueue) {
  Path path, open;
  path.send(5);
  path.report();
  path.send(20);
  path.report(15, milliseconds(280));
  open.send(25);
  path.incoming.loss = open.incoming.loss = 0.3;
  path.send(1);
  open.send(1);
  EXPECT_GT(open.rate.loss(), 0.1);
  EXPECT_EQ(path.rate.loss(), 0);
}

// From before the first report on, each packet and each report waits.
struct FullFromTheStart : Path {
  void report_of(milliseconds waited) {
    round_trip = milliseconds(40) + waited;
    report(1, waited);
  }
};

TEST(RateControl, AQueueThatStoodFromTheFirstReportOnShowsByTheRoundTrip) {
  FullFromTheStart told, untold;
  told.rate.set_least_round_trip(milliseconds(40));
  for (auto* path : {&told, &untold}) {
    for (int i = 0; i < 3; ++i) {
      path->send(10);
      path->report_of(milliseconds(900));
    }
  }
  EXPECT_EQ(untold.rate.queue_ms(), 0) << "it is in the least that was ever seen";
  EXPECT_FALSE(untold.rate.ceiling());
  EXPECT_GT(*told.rate.queue_ms(), 600);
  EXPECT_TRUE(told.rate.ceiling());
  EXPECT_TRUE(told.rate.draining(told.now));
}

TEST(RateControl, OneReportThatWasLateByItselfTellsOfNoHiddenQueue) {
  FullFromTheStart path;
  path.rate.set_least_round_trip(milliseconds(40));
  for (const int late : {0, 900, 0}) {
    path.send(50);
    path.round_trip = milliseconds(40 + late);
    path.report();
  }
  EXPECT_LT(*path.rate.queue_ms(), 40);
  EXPECT_FALSE(path.rate.ceiling());
}

TEST(RateControl, ARoundTripThatGrewLaterIsOfALongerPath) {
  FullFromTheStart path;
  path.rate.set_least_round_trip(milliseconds(40));
  path.quiet_start();
  for (int i = 0; i < 20; ++i) {
    path.round_trip = milliseconds(i < 10 ? 40 : 600);
    path.send(50);
    path.report();
  }
  EXPECT_FALSE(path.rate.ceiling());
}

TEST(RateControl, ARoundTripThatIsShortAgainTakesBackWhatLongOnesCorrectedTooMuch) {
  FullFromTheStart path;
  path.rate.set_least_round_trip(milliseconds(40));
  for (int i = 0; i < 2; ++i) {
    path.send(10);
    path.round_trip = milliseconds(1400);  // half of it waited on the way back, which is not known here
    path.report(1, milliseconds(700));
  }
  ASSERT_GT(*path.rate.queue_ms(), 1000);
  for (int i = 0; i < 3; ++i) {
    path.send(50);
    path.report_of(milliseconds(0));
  }
  EXPECT_LT(*path.rate.queue_ms(), 40);
}

TEST(RateControl, WherePacketsOfThePeerWaitLongNoReportIsWaitedForLong) {
  Path crowded, quiet;
  crowded.incoming.lateness_ms = 400;
  for (auto* path : {&crowded, &quiet}) path->send(55);
  EXPECT_FALSE(quiet.rate.ceiling());
  ASSERT_TRUE(crowded.rate.ceiling());
  EXPECT_LE(*crowded.rate.ceiling(), 12'000) << "halved each third of a second";
}

TEST(RateControl, AfterTheFirstReportsSilenceWherePacketsWaitIsASignAsWell) {
  Path crowded, quiet;
  crowded.incoming.lateness_ms = 400;
  for (auto* path : {&crowded, &quiet}) {
    path->send(5);
    path->report();
    path->send(80);
  }
  EXPECT_FALSE(quiet.rate.ceiling());
  EXPECT_TRUE(crowded.rate.ceiling());
}

// The peer's own line out is full, ours to it is not.
TEST(RateControl, APeerWhosePacketsWaitAndWhoReportsAllTheSameDoesNotHoldTheRateDown) {
  Path path;
  path.quiet_start();
  path.incoming.lateness_ms = 400;
  path.send(100);  // one report goes missing
  ASSERT_TRUE(path.rate.ceiling());
  for (int i = 0; i < 12; ++i) {
    path.send(50);
    path.report();
  }
  EXPECT_FALSE(path.rate.ceiling());
  path.send(30);
  EXPECT_FALSE(path.rate.ceiling()) << "what was blind once is forgotten with the limit";
}

TEST(RateControl, OnePacketThatIsLateIsNoQueue) {
  Path path;
  path.quiet_start();
  path.send(80);
  path.incoming.lateness_ms = 400;
  path.send(2);
  path.incoming.lateness_ms = 0;
  path.send(10);
  EXPECT_FALSE(path.rate.ceiling());
}

// A measure of a beginning that began with a blind cut is grown out of, but not for ever.
TEST(RateControl, ALimitThatWasMeasuredInABeginningThatWasTooFullGrowsUntilItIsOver) {
  Path path;
  path.incoming.lateness_ms = 400;
  path.send(60);
  path.report(1, milliseconds(0));
  for (int i = 0; i < 3; ++i) {
    path.send(10);
    path.report(1, milliseconds(400 + 100 * i));
  }
  path.incoming.lateness_ms = 0;
  path.send(1);
  ASSERT_TRUE(path.rate.ceiling());
  const int measured = *path.rate.ceiling();
  path.report();
  path.send(200);
  ASSERT_TRUE(path.rate.ceiling());
  EXPECT_GT(*path.rate.ceiling(), measured);
  path.send(100);
  const int settled = *path.rate.ceiling();
  path.report();
  path.send(300);
  EXPECT_EQ(*path.rate.ceiling(), settled) << "then it counts as measured";
}

}  // namespace
}  // namespace linnet::media
