// Short-time objective intelligibility: C. H. Taal, R. C. Hendriks, R. Heusdens, J. Jensen, "An Algorithm for
// Intelligibility Prediction of Time-Frequency Weighted Noisy Speech", IEEE TASLP 19(7), 2011.
#pragma once

#include <optional>
#include <span>

namespace linnet::media {

// Of two time-aligned signals at one rate, -1..1 full scale. Absent when they hold less than 30 frames (0.4 s) of
// speech.
std::optional<double> stoi(std::span<const double> clean, std::span<const double> processed, int rate);

}  // namespace linnet::media
