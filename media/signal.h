// Signal processing for measuring, in double precision: not for the voice path.
#pragma once

#include <complex>
#include <span>
#include <vector>

namespace linnet::media {

using Complex = std::complex<double>;

// In place, length a power of two. The inverse divides by the length.
void fft(std::span<Complex> data, bool inverse = false);

// The smallest power of two that is at least n.
std::size_t power_of_two(std::size_t n);

// Zero-phase polyphase resampling with a Kaiser (beta 5) low-pass of 20 * max(up, down) + 1 taps.
std::vector<double> resample_polyphase(std::span<const double> in, int from, int to);

}  // namespace linnet::media
