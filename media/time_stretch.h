// Plays a stretch of voice faster or slower without changing its pitch: one period is taken out or put in by
// overlap-add where the waveform resembles itself most (WSOLA: Verhelst, Roelands, ICASSP 1993).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace linnet::media {

// Appends `in` shortened by at most `max` samples to `out`. Returns the samples taken out; 0 when nothing fits, and
// then `in` is appended as it is. First and last samples stay, so that neighbours join.
std::size_t accelerate(std::span<const std::int16_t> in, std::size_t max, std::vector<std::int16_t>& out);

// The same, lengthened. Returns the samples put in.
std::size_t expand(std::span<const std::int16_t> in, std::size_t max, std::vector<std::int16_t>& out);

}  // namespace linnet::media
