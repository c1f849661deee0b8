// When to send RTCP: at RFC 3550's random intervals scaled to the rate, and at once when the peer should hear that its
// packets pile up or go missing, as early feedback does (RFC 4585 section 3.5.2), within a budget.
#pragma once

#include "base/rng.h"
#include "base/time.h"

namespace linnet::media {

class ReportTiming {
 public:
  // `least`: the mean interval where the rate allows it.
  explicit ReportTiming(Duration least) : least_(least) {}

  // After a report of `octets` on the wire, in a stream of `rate` bit/s on the wire.
  Duration next(Rng& rng, double octets, double rate) const;
  // The first one: soon, so that the path's delay is known before anything has piled up on it.
  Duration first(Rng& rng) const;
  // The mean interval that next() varies.
  Duration mean(double octets, double rate) const;

  // Whether a report should go now, with a packet that came `lateness_ms` after it might have, `lost` of `expected`
  // missing since the last report; `mean` is what mean() says at present.
  bool urgent(Time now, double lateness_ms, double lost, double expected, Duration mean);
  void reported(Time now, double lateness_ms, double lost, double expected);

 private:
  Duration least_;
  int reports_ = 0;
  Time last_{};
  double told_lateness_ms_ = 0;
  double told_loss_ = 0;
  double budget_ = 6;  // early reports that may still go
  Time budget_at_{};
};

}  // namespace linnet::media
