// How well what was heard matches what was said. Same measures and constants as the voice checker of the project's
// bench: log-envelope and band-limited cross-correlation for the delay, STOI (media/stoi.h), gaps on a 5 ms grid.
#pragma once

#include <optional>
#include <vector>

#include "media/wav.h"

namespace linnet::media {

struct Gap {
  double start_s = 0;  // in the time of what was said
  double length_ms = 0;
};

struct Comparison {
  bool silent = false;             // nothing was heard at all; then the rest is absent or empty
  std::optional<double> delay_ms;  // of `heard` against `said`
  double correlation = 0;          // at that delay, 300-3400 Hz, 0..1; under 0.2: another signal
  std::optional<double> stoi;      // 0..1, at that one delay; absent under 0.4 s of speech
  // The same with the delay found again in each second, within 120 ms: damage without the changes of delay of a jitter
  // buffer. Never better than `stoi` for a path whose delay stands still.
  std::optional<double> stoi_drift;
  double drift_span_ms = 0;        // between the least and the greatest delay of those seconds
  std::vector<Gap> gaps;           // speech was said and nothing heard for longer than asked; at most 200
  double gap_ms_total = 0;
  double lost_ms = 0;  // speech said after the end of what was heard
};

// `offset_ms` is the start of the recording minus the start of the playing; with it delay_ms is mouth to ear.
Comparison compare(const Audio& said, const Audio& heard, double offset_ms = 0, double gap_ms = 20);

}  // namespace linnet::media
