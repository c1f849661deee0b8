// Finds how late the echo of what was played comes back: generalised cross-correlation with phase transform (C. H.
// Knapp, G. C. Carter, "The Generalized Correlation Method for Estimation of Time Delay", IEEE TASSP 24(4), 1976) over
// a second of both streams at 8 kHz. Costs two transforms eight times a second, and only while the loudspeaker speaks.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "media/resampler.h"
#include "media/signal.h"

namespace linnet::media {

class EchoDelay {
 public:
  static constexpr int kMaxMs = 500;

  EchoDelay();

  // As many samples of the one as of the other, at 48 kHz. Returns the delay of the echo in `captured` against `played`
  // in samples (48 kHz), whenever it has been seen twice in a row.
  std::optional<int> push(std::span<const std::int16_t> captured, std::span<const std::int16_t> played);
  // Forgets everything: the streams stand differently to each other now.
  void reset();

 private:
  static constexpr int kRatio = 6;              // 48 to 8 kHz
  static constexpr std::size_t kWindow = 8192;  // samples at 8 kHz of `played`; half as many of `captured`
  static constexpr std::size_t kHop = 1024;     // 128 ms
  static constexpr std::size_t kLags = 500 * 8;

  std::optional<int> look();
  bool heard() const;
  void correlate();

  Resampler captured_rate_{48000, 8000};
  Resampler played_rate_{48000, 8000};
  std::vector<std::int16_t> captured_;
  std::vector<std::int16_t> played_;
  std::vector<Complex> cross_;  // spectrum, with a memory
  std::vector<Complex> work_;
  std::optional<int> last_;  // at 8 kHz
};

}  // namespace linnet::media
