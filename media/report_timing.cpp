#include "media/report_timing.h"

#include <algorithm>

namespace linnet::media {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kReportShare = 0.02;  // of the stream, for reports; RFC 3550 allows 5 % to both ends together
constexpr int kEagerReports = 8;       // the beginning of a call, when everything is still to be learnt
constexpr auto kMostSeldom = seconds(5);
constexpr auto kApart = milliseconds(200);
constexpr double kLater = 80;  // ms that packets have to come later than when we last reported
constexpr double kMoreLoss = 0.08;
constexpr double kBudget = 6;
constexpr auto kBudgetEach = seconds(2);

Duration spread(Rng& rng, Duration mean) {
  // RFC 3550 section 6.3.1: over 0.5..1.5 of the mean, divided by e - 3/2.
  constexpr double kCompensation = 1.21828;
  return Duration{static_cast<std::int64_t>(static_cast<double>(micros(mean)) * (0.5 + rng.unit()) / kCompensation)};
}

}  // namespace

Duration ReportTiming::mean(double octets, double rate) const {
  if (rate <= 0 || reports_ <= kEagerReports) return least_;
  const Duration fair{static_cast<std::int64_t>(octets * 8 / (rate * kReportShare) * 1e6)};
  return std::clamp<Duration>(fair, least_, std::max<Duration>(least_, kMostSeldom));
}

Duration ReportTiming::next(Rng& rng, double octets, double rate) const { return spread(rng, mean(octets, rate)); }

Duration ReportTiming::first(Rng& rng) const { return spread(rng, least_ / 8); }

bool ReportTiming::urgent(Time now, double lateness_ms, double lost, double expected, Duration mean) {
  if (now - last_ < kApart) return false;
  const bool later = lateness_ms > told_lateness_ms_ + kLater;
  const bool lossy = lost >= 3 && expected >= 8 && lost / expected > told_loss_ + kMoreLoss;
  if (!later && !lossy) return false;
  budget_ = std::min(kBudget, budget_ + millis(now - budget_at_) / millis(std::max<Duration>(kBudgetEach, mean)));
  budget_at_ = now;
  if (budget_ < 1) return false;
  budget_ -= 1;
  return true;
}

void ReportTiming::reported(Time now, double lateness_ms, double lost, double expected) {
  ++reports_;
  last_ = now;
  told_lateness_ms_ = lateness_ms;
  if (expected > 0) told_loss_ = std::max(lost / expected, told_loss_ * 0.7);
}

}  // namespace linnet::media
