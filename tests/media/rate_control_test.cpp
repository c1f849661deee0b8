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
      rate.on_frame(now, incoming_loss);
    }
  }
  // The peer has heard all but the last packets, of each of which the first arrived `waited` late.
  void report(int unheard = 1, milliseconds waited = milliseconds(0)) {
    const Time heard = now - milliseconds(20) * unheard;
    const auto made = (heard + milliseconds(20) + waited).time_since_epoch();
    rate.on_report(std::max(now, heard + milliseconds(40) + waited),
                   {static_cast<std::uint32_t>(sequence - unheard), lost, made});
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
  double incoming_loss = 0;
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
  path.incoming_loss = open.incoming_loss = 0.3;
  path.send(1);
  open.send(1);
  EXPECT_GT(open.rate.loss(), 0.1);
  EXPECT_EQ(path.rate.loss(), 0);
}

}  // namespace
}  // namespace linnet::media
