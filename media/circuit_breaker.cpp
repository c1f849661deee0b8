#include "media/circuit_breaker.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {

namespace {

double seconds_of(Duration d) { return millis(d) / 1000; }

}  // namespace

std::string_view to_string(Break why) {
  switch (why) {
    case Break::no_reports: return "no reports";
    case Break::nothing_arrives: return "nothing arrives";
    case Break::congestion: return "congestion";
  }
  return "";
}

// Section 4.3: more than ten times what a TCP flow would reach (the simplified equation, b = 1).
bool CircuitBreaker::crowded(const Sample& s) const {
  if (s.loss <= 0 || !s.round_trip || s.packet_octets <= 0) return false;
  const double round = std::max(seconds_of(*s.round_trip), 0.001);
  const double tcp = s.packet_octets / (round * std::sqrt(2 * s.loss / 3));
  return s.rate > 10 * tcp;
}

void CircuitBreaker::on_report(Time now, const Sample& s, Duration interval) {
  heard_ = true;
  waiting_since_.reset();
  const double tdr = std::max(seconds_of(interval), 0.1), td = std::max(tdr, seconds_of(kLeastInterval));
  const double round = s.round_trip ? seconds_of(*s.round_trip) : 0, frame = seconds_of(s.frame);

  const bool progress = !highest_ || static_cast<std::int32_t>(s.highest - *highest_) > 0;
  without_progress_ = progress ? 0 : without_progress_ + 1;
  if (progress) highest_ = s.highest;
  // A stall of a few seconds is a path that changes; it must last as long as that many of RFC 3550's own intervals.
  const double stall = kMediaReports * std::max({frame, round, tdr}) / tdr;
  if (without_progress_ >= std::max(std::ceil(stall), kMediaReports * 2.0)) broken_ = Break::nothing_arrives;

  crowded_ = crowded(s) ? crowded_ + 1 : 0;
  if (crowded_ == 0) crowded_since_.reset();
  if (crowded_ == 1) crowded_since_ = now;
  const double span = std::min(std::max({10 * frame, 10 * round, 3 * tdr}), std::max(15.0, 3 * td));
  // Reports come early where something changed: so many of them are no measure of how long it lasts.
  const bool long_enough = crowded_since_ && seconds_of(now - *crowded_since_) >= span - tdr;
  if (long_enough && crowded_ >= std::ceil(3 * span / (3 * tdr))) broken_ = Break::congestion;
}

void CircuitBreaker::on_sent(Time now, bool reports_due) {
  if (!waiting_since_) waiting_since_ = now;
  if ((heard_ || reports_due) && now - *waiting_since_ > 3 * kLeastInterval) broken_ = Break::no_reports;
}

void CircuitBreaker::pause() {
  waiting_since_.reset();
  without_progress_ = crowded_ = 0;
  crowded_since_.reset();
}

}  // namespace linnet::media
