// RFC 8083: when to stop sending.
#include "media/circuit_breaker.h"

#include <gtest/gtest.h>

namespace linnet::media {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Time at(int s) { return Time{} + seconds(s); }

CircuitBreaker::Sample sample(std::uint32_t highest, double loss = 0, int rtt_ms = 50) {
  CircuitBreaker::Sample s;
  s.highest = highest;
  s.loss = loss;
  s.round_trip = milliseconds(rtt_ms);
  s.rate = 6000;
  s.packet_octets = 120;
  s.frame = milliseconds(20);
  return s;
}

TEST(CircuitBreaker, BreaksWhenReportsStayAway) {
  CircuitBreaker breaker;
  breaker.on_report(at(0), sample(1), seconds(1));
  breaker.on_sent(at(1), false);
  breaker.on_sent(at(15), false);
  EXPECT_FALSE(breaker.broken());
  breaker.on_sent(at(17), false);
  EXPECT_EQ(breaker.broken(), Break::no_reports);
}

TEST(CircuitBreaker, DoesNotExpectReportsFromWhoNeverSentAny) {
  CircuitBreaker breaker;
  for (int s = 0; s < 60; ++s) breaker.on_sent(at(s), false);
  EXPECT_FALSE(breaker.broken());
}

TEST(CircuitBreaker, BreaksWhenNothingArrivesAnyMore) {
  CircuitBreaker breaker;
  int reports = 0;
  for (; !breaker.broken() && reports < 60; ++reports) breaker.on_report(at(reports), sample(7), seconds(1));
  EXPECT_EQ(breaker.broken(), Break::nothing_arrives);
  EXPECT_GE(reports, 6) << "a path that changes within five seconds is none";
}

TEST(CircuitBreaker, BreaksWhenItTakesTenTimesWhatTcpWould) {
  CircuitBreaker breaker;
  for (std::uint32_t i = 0; i < 60; ++i) breaker.on_report(at(static_cast<int>(i)), sample(i, 0.5, 2000), seconds(1));
  EXPECT_EQ(breaker.broken(), Break::congestion);
}

// A receiver that hears little says so at once and often (RFC 4585): the first seconds of a slow line are no verdict.
TEST(CircuitBreaker, CountsSecondsAndNotReportsThatCameEarly) {
  CircuitBreaker breaker;
  for (std::uint32_t i = 0; i < 60; ++i) {
    breaker.on_report(Time{} + milliseconds(200 * i), sample(i, 0.5, 2000), seconds(1));
    EXPECT_FALSE(breaker.broken()) << i;
  }
}

TEST(CircuitBreaker, LeavesALossyButShortPathAlone) {
  CircuitBreaker breaker;
  for (std::uint32_t i = 0; i < 60; ++i) breaker.on_report(at(static_cast<int>(i)), sample(i, 0.3, 100), seconds(1));
  EXPECT_FALSE(breaker.broken());
}

}  // namespace
}  // namespace linnet::media
