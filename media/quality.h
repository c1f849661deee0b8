// The E-model of ITU-T G.107, reduced to what a packet call can measure: loss and delay; all else at its default.
#pragma once

#include "media/codec_kind.h"

namespace linnet::media {

struct QualityInput {
  CodecKind codec = CodecKind::opus;
  double loss_pct = 0;     // frames that were neither decoded nor recovered, of all expected
  double one_way_ms = 0;   // mouth to ear
  double burst_ratio = 1;  // 1: random loss (G.107 section 7.3)
};

// Rating factor, 0..93.2.
double rating(const QualityInput& input);
// MOS-CQE of a rating (G.107 Annex B), 1..4.5.
double mos(double rating);

}  // namespace linnet::media
