#include "media/quality.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {
namespace {

// R with every parameter at its default and no delay, loss or codec impairment (G.107 section 7.7).
constexpr double kDefaultRating = 93.2;

struct Impairment {
  double ie;   // equipment impairment without loss
  double bpl;  // robustness against loss
};

// G.711 with concealment: ITU-T G.113 Appendix I. Opus is not in G.113: wideband speech at our bitrates is taken as no
// worse than G.711, with the robustness of a codec that conceals.
Impairment impairment(CodecKind) { return {0, 25.1}; }

// Absolute delay, Idd (G.107 section 7.4).
double delay_impairment(double one_way_ms) {
  if (one_way_ms <= 100) return 0;
  const double x = std::log2(one_way_ms / 100);
  const auto root6 = [](double v) { return std::pow(1 + std::pow(v, 6), 1.0 / 6); };
  return 25 * (root6(x) - 3 * root6(x / 3) + 2);
}

}  // namespace

double rating(const QualityInput& in) {
  const auto [ie, bpl] = impairment(in.codec);
  const double loss = std::clamp(in.loss_pct, 0.0, 100.0);
  const double burst = std::max(in.burst_ratio, 1.0);
  const double ie_eff = ie + (95 - ie) * loss / (loss / burst + bpl);
  return std::clamp(kDefaultRating - delay_impairment(in.one_way_ms) - ie_eff, 0.0, 100.0);
}

double mos(double r) {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return std::clamp(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 1.0, 4.5);
}

}  // namespace linnet::media
